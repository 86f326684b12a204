//! How the tests of what every sink promises open this one, and look into its file.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use tempfile::TempDir;
use tokaki_core::testkit::{fixture, sinks};
use tokaki_core::{Build, PluginKind, Section, Sink, plugin};

struct Folder {
    root: TempDir,
    sink: Arc<dyn Sink>,
}

impl Folder {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let url = format!("new_plugin:{}", root.path().join("out").display());
        let settings = [("url".to_owned(), url.into())].into_iter().collect();
        let found = plugin::find(PluginKind::Sink, "new_plugin", "test").expect("registered");
        let Build::Sink(build) = found.build else { unreachable!("a sink was found") };
        Self { sink: build(&Section::new("sink", settings)).expect("builds"), root }
    }

    fn file(&self) -> PathBuf {
        self.root.path().join("out").join(format!("{}.txt", sinks::USAGE.name))
    }
}

#[async_trait]
impl sinks::Bench for Folder {
    fn sink(&self) -> &dyn Sink {
        self.sink.as_ref()
    }

    async fn rows(&self) -> Vec<String> {
        let columns = ["data_source", "usage_start", "namespace", "pod_labels", "cpu_hours", "infrastructure_raw_cost"];
        let row = |line: &str| {
            let cells: Vec<_> = line.split('\t').collect();
            let position = |name: &str| sinks::USAGE.fields.iter().position(|field| field.name == name);
            // A number without a fraction is written as `2.0`.
            let cell = |name| cells[position(name).expect("a column")].trim_end_matches(".0");
            columns.map(cell).join("|")
        };
        let text = fs::read_to_string(self.file()).unwrap_or_default();
        let mut rows: Vec<_> = text.lines().map(row).collect();
        rows.sort();
        rows
    }

    async fn bytes(&self) -> Vec<u8> {
        fs::read(self.file()).expect("a file")
    }
}

fixture!(Anew, "new_plugin", || Box::new(Folder::new()));
