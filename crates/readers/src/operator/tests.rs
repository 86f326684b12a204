use std::fs::{self, File};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokaki_core::testkit::catalogs::check;
use tokaki_core::{DateRange, ErrorKind, Section};

use super::*;

const NODES: &str = "report_period_start,report_period_end,interval_start,interval_end,node,node_labels\n";
const NAMESPACES: &str =
    "report_period_start,report_period_end,interval_start,interval_end,namespace,namespace_labels\n";

fn catalog(root: &Path) -> Result<Arc<dyn Catalog>> {
    let settings = serde_json::json!({ "url": root });
    let store = Section::new("store", settings.as_object().cloned().unwrap_or_default());
    build(&StorePart { own: Section::default(), store })
}

async fn files(catalog: &dyn Catalog, report_type: &'static str, grain: Grain) -> Result<Vec<String>> {
    let day = "2025-10-01".parse().expect("a date");
    let days = DateRange::new(day, day).expect("one day");
    let scope = Scope { org: "o".into(), source_uuid: "s".into(), days };
    let table = TableName { provider: OPENSHIFT, report_type, grain };
    Ok(check(catalog, &table, &scope).await?.files.into_iter().map(|file| file.shown).collect())
}

fn archive(path: &Path, members: &[(&str, &str)]) {
    let names: Vec<_> = members.iter().map(|(name, _)| name).collect();
    let manifest = serde_json::json!({ "uuid": uuid::Uuid::nil(), "files": names }).to_string();
    let mut tar = tar::Builder::new(GzEncoder::new(File::create(path).expect("created"), Compression::fast()));
    for (name, text) in members.iter().copied().chain([("manifest.json", manifest.as_str())]) {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, text.as_bytes()).expect("packed");
    }
    tar.into_inner().and_then(GzEncoder::finish).expect("closed");
}

#[tokio::test]
async fn files_are_found_in_folders_and_archives_by_their_columns() {
    let root = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(root.path().join("later/deeper")).expect("created");
    fs::write(root.path().join("a.csv"), NODES).expect("written");
    fs::write(root.path().join("later/deeper/b.csv"), NAMESPACES).expect("written");
    fs::write(root.path().join("later/notes.txt"), "none of ours").expect("written");
    fs::write(root.path().join("empty.csv"), "").expect("written");
    archive(&root.path().join("later/upload.tar.gz"), &[("c.csv", NODES), ("d.csv", NAMESPACES)]);
    let catalog = catalog(root.path()).expect("a catalog");
    let shown = |path: &str| root.path().join(path).to_string_lossy().into_owned();
    let nodes = files(catalog.as_ref(), "node_labels", Grain::Hourly).await.expect("lists");
    assert_eq!(nodes, [shown("a.csv"), shown("later/upload.tar.gz:c.csv")]);
    let namespaces = files(catalog.as_ref(), "namespace_labels", Grain::Hourly).await.expect("lists");
    assert_eq!(namespaces, [shown("later/deeper/b.csv"), shown("later/upload.tar.gz:d.csv")]);
    assert!(files(catalog.as_ref(), "node_labels", Grain::Daily).await.expect("lists").is_empty());
    assert!(files(catalog.as_ref(), "pod_usage", Grain::Hourly).await.expect("lists").is_empty());
}

#[tokio::test]
async fn a_root_may_be_one_archive_or_one_file() {
    let root = tempfile::tempdir().expect("a folder");
    let upload = root.path().join("upload.tar.gz");
    archive(&upload, &[("c.csv", NODES)]);
    let of_archive = files(catalog(&upload).expect("a catalog").as_ref(), "node_labels", Grain::Hourly).await;
    assert_eq!(of_archive.expect("lists"), [format!("{}:c.csv", upload.display())]);
    let file = root.path().join("a.csv");
    fs::write(&file, NODES).expect("written");
    let of_file = files(catalog(&file).expect("a catalog").as_ref(), "node_labels", Grain::Hourly).await;
    assert_eq!(of_file.expect("lists"), [file.to_string_lossy()]);
}

#[tokio::test]
async fn what_is_no_payload_is_an_error_that_names_it() {
    let root = tempfile::tempdir().expect("a folder");
    fs::write(root.path().join("a.csv"), "colour,size\n").expect("written");
    let error = files(catalog(root.path()).expect("a catalog").as_ref(), "node_labels", Grain::Hourly).await;
    let error = error.expect_err("no report of the operator");
    assert_eq!(error.kind(), ErrorKind::Column);
    assert!(error.place().file.as_ref().is_some_and(|file| file.ends_with("a.csv")), "{error}");
    let nowhere = catalog(&root.path().join("nowhere")).expect("a catalog");
    assert!(files(nowhere.as_ref(), "node_labels", Grain::Hourly).await.is_err());
    assert_eq!(catalog(Path::new("s3://bucket")).err().expect("no folder").key(), Some("store.url"));
}

#[tokio::test]
async fn a_payload_that_lies_there_twice_counts_once() {
    let root = tempfile::tempdir().expect("a folder");
    archive(&root.path().join("a.tar.gz"), &[("c.csv", NODES)]);
    fs::copy(root.path().join("a.tar.gz"), root.path().join("b.tar.gz")).expect("copied");
    // A folder that contains itself.
    std::os::unix::fs::symlink(root.path(), root.path().join("me")).expect("linked");
    let catalog = catalog(root.path()).expect("a catalog");
    let day = "2025-10-01".parse().expect("a date");
    let days = DateRange::new(day, day).expect("one day");
    let scope = Scope { org: "o".into(), source_uuid: "s".into(), days };
    let table = TableName { provider: OPENSHIFT, report_type: "node_labels", grain: Grain::Hourly };
    let found = check(catalog.as_ref(), &table, &scope).await.expect("lists");
    assert_eq!((found.files.len(), found.duplicates.len()), (1, 1), "{found:?}");
}
