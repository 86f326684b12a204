//! What the tests of the sinks `csv` and `jsonl` share: a file in an empty folder, and its lines as rows.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use tempfile::TempDir;
use tokaki_core::Sink;
use tokaki_core::testkit::sinks::Bench;

use crate::replacing::sink_of;

pub(crate) struct LinesBench {
    _folder: TempDir,
    file: PathBuf,
    sink: Arc<dyn Sink>,
    rows: fn(&str) -> Vec<String>,
}

impl LinesBench {
    /// The file of the sink `name`, and how the rows in it are told.
    pub(crate) fn new(name: &str, rows: fn(&str) -> Vec<String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(format!("my usage.{name}"));
        let sink = sink_of(name, &format!("{name}:{}", file.display()));
        Self { _folder: folder, file, sink, rows }
    }
}

#[async_trait]
impl Bench for LinesBench {
    fn sink(&self) -> &dyn Sink {
        self.sink.as_ref()
    }

    async fn rows(&self) -> Vec<String> {
        let mut rows = fs::read_to_string(&self.file).map_or_else(|_| Vec::new(), |text| (self.rows)(&text));
        rows.sort();
        rows
    }

    async fn bytes(&self) -> Vec<u8> {
        fs::read(&self.file).expect("a file")
    }
}

/// A row as [`Bench::rows`] tells it, of what stands in a column.
pub(crate) fn shown(cell: impl Fn(&str) -> Option<String>) -> String {
    let columns = ["data_source", "usage_start", "namespace", "pod_labels", "cpu_hours", "infrastructure_raw_cost"];
    columns.map(|column| cell(column).unwrap_or_else(|| "-".to_owned())).join("|")
}
