//! What this reader makes of files. What every reader promises is shown for every registered one.

use std::fs;

use tokaki_core::testkit::readers;
use tokaki_core::ErrorKind;

use super::*;

#[tokio::test]
async fn what_is_no_number_is_named_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "interval_start\tpod_usage_cpu_core_seconds\n2025-10-01T00:00:00Z\thalf\n";
    fs::write(folder.path().join("a.tsv"), text).expect("written");
    let bytes = text.len() as u64;
    let file = DataFile { path: "a.tsv".into(), shown: "shown/a.tsv".into(), bytes, version: None };
    let reader = NewPlugin { folder: folder.path().to_owned() };
    let error = reader.splits(&file, &readers::want(100)).await.expect_err("no number");
    assert_eq!(error.kind(), ErrorKind::Type);
    assert_eq!(error.place().file.as_deref(), Some("shown/a.tsv"));
    assert_eq!(error.place().column.as_deref(), Some("pod_usage_cpu_core_seconds"));
}
