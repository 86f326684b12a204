//! A process that is killed in the middle of a replacement.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::replacing::{begin, replace, sink};
use tokaki_core::testkit::sinks::Bench;
use tokaki_core::testkit::sinks::{pods, scope};

const SINK: &str = "TOKAKI_TEST_KILLED_SINK";
const URL: &str = "TOKAKI_TEST_KILLED_URL";
const BEGUN: &str = "the replacement has begun";

/// More rows than SQLite's cache holds, so that some are in the file before the commit.
fn namespaces() -> Vec<String> {
    (0..20_000).map(|n| format!("namespace-{n}")).collect()
}

/// Kills a process that replaces all rows by others; `bench` must be empty before.
pub(crate) async fn leaves_everything_as_it_was(bench: &dyn Bench, sink: &str, url: &str) {
    let namespaces = namespaces();
    let rows: Vec<_> = namespaces.iter().map(|name| ("2025-09-01", Some(name.as_str()), Some(1.0))).collect();
    replace(bench.sink(), &scope("2025-09-01", "2025-09-01"), &[(pods(), &rows)]).await.expect("a run");
    let (rows, bytes) = (bench.rows().await, bench.bytes().await);

    let mut child = Command::new(env::current_exe().expect("this program"))
        .args(["--exact", "killed::begin_and_wait", "--nocapture"])
        .env(SINK, sink)
        .env(URL, url)
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program again");
    let output = BufReader::new(child.stdout.take().expect("its output"));
    assert!(output.lines().map_while(Result::ok).any(|line| line.contains(BEGUN)), "the child failed");
    child.kill().expect("the child still runs");
    child.wait().expect("the child is gone");

    assert!(bench.rows().await == rows, "rows have changed");
    assert!(bench.bytes().await == bytes, "bytes have changed");
}

/// The process that is killed. Does nothing unless it is that.
#[tokio::test]
async fn begin_and_wait() {
    let (Ok(name), Ok(url)) = (env::var(SINK), env::var(URL)) else { return };
    let sink = sink(&name, &url, true).expect("a sink");
    let namespaces = namespaces();
    let rows: Vec<_> = namespaces.iter().map(|name| ("2025-09-01", Some(name.as_str()), Some(2.0))).collect();
    let replacement = begin(sink.as_ref(), &scope("2025-09-01", "2025-09-01"), &[(pods(), &rows)]).await;
    let _replacement = replacement.expect("a run");
    writeln!(std::io::stdout(), "{BEGUN}").expect("somebody listens");
    tokio::time::sleep(Duration::from_secs(60)).await;
}
