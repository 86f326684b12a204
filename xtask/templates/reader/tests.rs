//! What this reader makes of files.

use std::fs;

use tokaki_core::testkit::readers;
use tokaki_core::{ErrorKind, PluginKind, plugin};

use super::*;

const TABLE: &str = "\
interval_start\tnamespace\tpod_labels\tpod_usage_cpu_core_seconds
2025-10-01T00:00:00Z\tshop\t{}\t3600
2025-10-01T01:00:00Z\t\t{\"k\":\"x\"}\t
2025-10-02T00:00:00Z\tbank\t\t0.5
";

/// A reader of a new folder, and a file with this text in it.
fn reader_of(text: &str) -> (tempfile::TempDir, Arc<dyn Reader>, DataFile) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.tsv"), text).expect("written");
    let bytes = text.len() as u64;
    let file = DataFile { path: "a.tsv".into(), shown: "shown/a.tsv".into(), bytes, version: None };
    let found = plugin::find(PluginKind::Reader, "new_plugin", "test").expect("registered");
    let reader = readers::built(found, folder.path()).expect("builds");
    (folder, reader, file)
}

#[tokio::test]
async fn it_keeps_what_every_reader_promises() {
    let (_folder, reader, file) = reader_of(TABLE);
    assert_eq!(readers::check(reader.as_ref(), &file).await, 3);
}

#[tokio::test]
async fn what_is_no_number_is_named_with_its_place() {
    let (_folder, reader, file) = reader_of(&TABLE.replace("0.5", "half"));
    let error = reader.splits(&file, &readers::want(100)).await.expect_err("no number");
    assert_eq!(error.kind(), ErrorKind::Type);
    assert_eq!(error.place().file.as_deref(), Some("shown/a.tsv"));
    assert_eq!(error.place().column.as_deref(), Some("pod_usage_cpu_core_seconds"));
}
