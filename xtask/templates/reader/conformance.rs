//! How the tests of what every reader promises open this one: in an empty folder.

use std::fs;

use tempfile::TempDir;
use tokaki_core::plugin::StorePart;
use tokaki_core::testkit::{Line, fixture, readers};
use tokaki_core::{DataFile, Section};

struct Folder(TempDir);

impl readers::Place for Folder {
    fn part(&self) -> StorePart {
        let store = [("url".to_owned(), self.0.path().display().to_string().into())];
        StorePart { own: Section::default(), store: Section::new("store", store.into_iter().collect()) }
    }

    fn encode(&self, lines: &[Line]) -> Vec<u8> {
        let columns = ["namespace", "pod_labels", "pod_usage_cpu_core_seconds"];
        let time = |hour: i64| format!("2025-10-{:02}T{:02}:00:00Z", 1 + hour / 24, hour % 24);
        let mut text = format!("interval_start\t{}\n", columns.join("\t"));
        for line in lines {
            let cells = columns.map(|column| line.text(column).unwrap_or_default());
            text += &format!("{}\t{}\n", time(line.hour), cells.join("\t"));
        }
        text.into_bytes()
    }

    fn put(&self, bytes: &[u8]) -> DataFile {
        fs::write(self.0.path().join("a.tsv"), bytes).expect("written");
        DataFile { path: "a.tsv".into(), shown: "shown/a.tsv".into(), bytes: bytes.len() as u64, version: None }
    }
}

fixture!(Reader, "new_plugin", || Box::new(Folder(tempfile::tempdir().expect("a folder"))));
