//! What this sink writes. That it writes all or nothing is shown for every registered one.

use tokaki_core::testkit::sinks::{pods, replace, scope};

use super::*;

#[tokio::test]
async fn a_row_is_a_line_with_tabs_between_its_columns() {
    let root = tempfile::tempdir().expect("a folder");
    let sink = NewPlugin { folder: root.path().join("out") };
    let (day, rows) = (scope("2025-09-01", "2025-09-01"), [("2025-09-01", Some("shop"), Some(2.5))]);
    replace(&sink, &day, &[(pods(), &rows)]).await.expect("a run");
    let written = std::fs::read_to_string(root.path().join("out/usage_daily_summary.txt")).expect("a file");
    assert!(written.ends_with("\tPod\t2025-09-01\tshop\t{\"app\": \"shop\"}\t[\"shop\",null]\t2.5\t-\t-\n"), "{written}");
}

#[tokio::test]
async fn a_file_instead_of_a_folder_is_refused_before_anything_is_read() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("out");
    std::fs::write(&folder, "").expect("a file");
    let error = NewPlugin { folder }.check(&scope("2025-09-01", "2025-09-01"), &[]).await.expect_err("no folder");
    assert_eq!(error.kind(), ErrorKind::Destination);
}
