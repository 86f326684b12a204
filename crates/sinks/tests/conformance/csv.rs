//! The CSV sink.

use std::collections::HashMap;
use std::fs;

use tokaki_core::ErrorKind;

use crate::lines::{self, LinesBench};
use crate::replacing::{begin, replace, sink_of};
use tokaki_core::testkit::sinks::{pods, scope, volumes};

/// Cells of a line by the names in the first one; an empty cell is null.
fn rows(text: &str) -> Vec<String> {
    let mut lines = csv::Reader::from_reader(text.as_bytes());
    let row = |line: Result<HashMap<String, String>, csv::Error>| {
        let cells = line.expect("a line like the first");
        lines::shown(|column| cells.get(column).filter(|cell| !cell.is_empty()).cloned())
    };
    lines.deserialize().map(row).collect()
}

tokaki_core::testkit::fixture!(Anew, "csv", || Box::new(LinesBench::new("csv", rows)));

const HEADER: &str = "uuid,report_period_id,data_source,usage_start,namespace,pod_labels,nodes,cpu_hours,source_uuid";

#[tokio::test]
async fn a_file_has_the_rows_of_the_last_run_and_null_is_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("usage.csv");
    let sink = sink_of("csv", &format!("csv:{}", file.display()));
    let days = scope("2025-09-01", "2025-09-02");
    let parts: [(_, &[_]); 2] = [
        (pods(), &[("2025-09-01", Some("a, c"), Some(0.1)), ("2025-09-02", None, None)]),
        (volumes(), &[("2025-09-01", Some("shop"), Some(1e-9))]),
    ];
    for _ in 0..2 {
        let receipt = replace(sink.as_ref(), &days, &parts).await.expect("a run");
        assert_eq!((receipt.rows_deleted, receipt.rows_inserted), (0, 3));
        assert_eq!(receipt.location, format!("csv:{}", file.display()));
    }
    let text = fs::read_to_string(&file).expect("a file");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!((lines.len(), lines[0]), (4, HEADER));
    let without_ids: Vec<_> = lines[1..].iter().map(|line| line.split_once(',').expect("an id").1).collect();
    let expected = [
        r#"7,Pod,2025-09-01,"a, c","{""app"": ""a, c""}","[""a, c"",null]",0.1,"#,
        "7,Pod,2025-09-02,,,,,",
        "7,Storage,2025-09-01,shop,,,0.000000001,",
    ];
    assert_eq!(without_ids, expected);
}

#[tokio::test]
async fn what_is_not_committed_leaves_the_old_file_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("usage.csv");
    fs::write(&file, "old").expect("written");
    let sink = sink_of("csv", &format!("csv:{}", file.display()));
    let day = scope("2025-09-01", "2025-09-01");
    drop(begin(sink.as_ref(), &day, &[(pods(), &[("2025-09-01", Some("shop"), None)])]).await.expect("a run"));
    let refused = replace(sink.as_ref(), &day, &[(pods(), &[("2025-09-01", Some("shop"), Some(1e18))])]).await;
    assert_eq!(refused.expect_err("too large").kind(), ErrorKind::Type);
    assert_eq!(fs::read_to_string(&file).expect("a file"), "old");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "no draft stays");
}

#[tokio::test]
async fn a_folder_has_a_file_per_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let sink = sink_of("csv", &format!("csv:{}", out.display()));
    replace(sink.as_ref(), &scope("2025-09-01", "2025-09-01"), &[(pods(), &[])]).await.expect("a run");
    let text = fs::read_to_string(out.join("usage_daily_summary.csv")).expect("a file");
    assert_eq!(text, format!("{HEADER}\n"));
}

#[tokio::test]
async fn a_link_is_followed_and_stays() {
    let (folder, elsewhere) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("another"));
    let (link, target) = (folder.path().join("usage.csv"), elsewhere.path().join("real.csv"));
    std::os::unix::fs::symlink(&target, &link).expect("linked");
    let sink = sink_of("csv", &format!("csv:{}", link.display()));
    for rows in [1, 0] {
        let rows = &[("2025-09-01", None, None)][..rows];
        replace(sink.as_ref(), &scope("2025-09-01", "2025-09-01"), &[(pods(), rows)]).await.expect("a run");
        assert_eq!(fs::read_link(&link).expect("a link"), target);
        assert_eq!(fs::read_to_string(&target).expect("a file").lines().count(), 1 + rows.len());
    }
    let receipt = replace(sink.as_ref(), &scope("2025-09-01", "2025-09-01"), &[(pods(), &[])]).await.expect("a run");
    assert!(receipt.location.ends_with("usage.csv"), "named as it was asked for: {}", receipt.location);
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_told_before_anything_is_read() {
    let sink = sink_of("csv", "csv:/nowhere/at/all/usage.csv");
    let error = sink.check(&scope("2025-09-01", "2025-09-01"), &[pods()]).await.expect_err("no folder");
    assert_eq!(error.kind(), ErrorKind::Store);
}
