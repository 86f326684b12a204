use std::fs;

use serde_json::json;
use tokaki_core::ErrorKind;

use super::*;

fn store(settings: serde_json::Value) -> Result<Store> {
    Store::open(&Section::new("store", settings.as_object().cloned().unwrap_or_default()))
}

/// A folder with the file `a.parquet`, as it was listed.
async fn listed(content: &str) -> (tempfile::TempDir, StoredFile) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.parquet"), content).expect("written");
    let store = store(json!({ "url": folder.path() })).expect("opens");
    let files = store.parquet_files("", false).await.expect("lists");
    assert_eq!(files.len(), 1);
    (folder, store.file(&files[0]))
}

#[tokio::test]
async fn ranges_are_fetched_in_their_order() {
    let (_folder, file) = listed("0123456789").await;
    assert_eq!(file.fetch(&[7..10, 0..2]).await.expect("bytes"), ["789", "01"]);
}

#[tokio::test]
async fn a_file_that_changed_after_listing_is_not_read() {
    for (name, change) in [
        (
            "replaced",
            (|path| fs::rename(path.with_extension("new"), path)) as fn(&std::path::Path) -> std::io::Result<()>,
        ),
        ("shorter", |path| fs::write(path, "012")),
        ("longer", |path| fs::write(path, "0123456789ab")),
        ("gone", |path| fs::remove_file(path)),
    ] {
        let (folder, file) = listed("0123456789").await;
        fs::write(folder.path().join("a.new"), "9876543210").expect("written");
        change(&folder.path().join("a.parquet")).expect("changed");
        let error = file.fetch(&[0..5, 5..10]).await.expect_err(name);
        assert_eq!(error.kind(), ErrorKind::Changed, "{name}: {error}");
        assert!(error.place().file.is_some(), "{name}: {error}");
    }
}

#[test]
fn what_a_bucket_needs_is_checked_before_it_is_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let garbage = folder.path().join("ca.pem");
    fs::write(&garbage, "no certificate").expect("written");
    for (settings, key) in [
        (json!({ "url": "ftp://host/data" }), "store.url"),
        (json!({ "url": "s3://b", "access_key_id": "a" }), "store.access_key_id"),
        (json!({ "url": "s3://b", "ca_bundle": folder.path().join("none.pem") }), "store.ca_bundle"),
        (json!({ "url": "s3://b", "ca_bundle": garbage }), "store.ca_bundle"),
        (json!({ "url": "s3://b", "timeout_seconds": 0 }), "store.timeout_seconds"),
    ] {
        let error = store(settings).expect_err("refused");
        assert_eq!(error.key(), Some(key), "{error}");
    }
}
