//! What this sink writes.

use std::fs;

use tokaki_core::testkit::sinks::{batch, pods, scope};
use tokaki_core::{PluginKind, plugin};

use super::*;

/// A sink that writes to a folder below a new one.
fn sink() -> (tempfile::TempDir, Arc<dyn Sink>) {
    let root = tempfile::tempdir().expect("a folder");
    let url = format!("new_plugin:{}", root.path().join("out").display());
    let settings = [("url".to_owned(), url.into())].into_iter().collect();
    let found = plugin::find(PluginKind::Sink, "new_plugin", "test").expect("registered");
    let plugin::Build::Sink(build) = found.build else { unreachable!("a sink was found") };
    let sink = build(&Section::new("sink", settings)).expect("builds");
    (root, sink)
}

#[tokio::test]
async fn rows_are_there_after_the_commit_and_not_before() {
    let (root, sink) = sink();
    let (day, rows) = (scope("2025-09-01", "2025-09-01"), [("2025-09-01", Some("shop"), Some(2.5))]);
    let mut given_up = sink.begin(&day, &[pods()]).await.expect("begins");
    given_up.append(&pods(), &batch(&pods(), &rows)).await.expect("takes rows");
    drop(given_up);
    assert_eq!(root.path().read_dir().expect("a folder").count(), 0);

    let mut replacement = sink.begin(&day, &[pods()]).await.expect("begins");
    replacement.append(&pods(), &batch(&pods(), &rows)).await.expect("takes rows");
    let receipt = replacement.commit().await.expect("commits");
    assert_eq!(receipt.rows_inserted, 1);
    let written = fs::read_to_string(root.path().join("out/usage_daily_summary.txt")).expect("a file");
    assert!(written.contains("Pod\t2025-09-01\tshop"), "{written}");
}

#[tokio::test]
async fn what_is_there_is_never_overwritten() {
    let (_root, sink) = sink();
    let day = scope("2025-09-01", "2025-09-01");
    sink.begin(&day, &[pods()]).await.expect("begins").commit().await.expect("commits");
    let error = sink.check(&day, &[pods()]).await.expect_err("it is there");
    assert_eq!(error.kind(), ErrorKind::Destination);
}
