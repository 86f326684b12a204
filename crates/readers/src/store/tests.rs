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

#[tokio::test]
async fn a_folder_is_listed_with_its_links_and_without_what_is_no_data() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("in/deeper")).expect("folders");
    fs::create_dir_all(at("in/folder.parquet")).expect("a folder that is called like a file");
    for name in
        ["in/b.parquet", "in/a.parquet", "in/_c.parquet", "in/.d.parquet", "in/e.parquet ", "in/deeper/f.parquet"]
    {
        fs::write(at(name), name).expect("written");
    }
    std::os::unix::fs::symlink(at("in/a.parquet"), at("in/g.parquet")).expect("a link");
    let store = store(json!({ "url": folder.path() })).expect("opens");
    let paths = |files: Vec<DataFile>| files.into_iter().map(|file| file.path).collect::<Vec<_>>();
    let flat = store.parquet_files("in/", false).await.expect("lists");
    assert!(flat.iter().all(|file| file.bytes == 12 && file.version.is_some()), "{flat:?}");
    assert_eq!(flat[0].version, flat[2].version, "a link is the file that it leads to");
    assert_eq!(paths(flat), ["in/a.parquet", "in/b.parquet", "in/g.parquet"]);
    let all = store.parquet_files("in/", true).await.expect("lists");
    assert_eq!(paths(all), ["in/a.parquet", "in/b.parquet", "in/deeper/f.parquet", "in/g.parquet"]);
    assert!(store.parquet_files("out/", true).await.expect("lists").is_empty());

    std::os::unix::fs::symlink(at("in"), at("in/deeper/round")).expect("a link");
    let error = store.parquet_files("in/", true).await.expect_err("no end");
    assert_eq!(error.kind(), ErrorKind::Store, "{error}");
    let round = store.shown("in/deeper/round");
    assert_eq!(error.place().file.as_ref(), Some(&round), "{error}");
}
