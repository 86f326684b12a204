//! An empty folder as the store of readers and catalogs.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokaki_core::plugin::StorePart;
use tokaki_core::{DataFile, Section};

pub(crate) struct Folder {
    root: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { root: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn path(&self) -> &Path {
        self.root.path()
    }

    /// A plugin's settings, and those of the store.
    pub(crate) fn part(&self, section: &str, own: Value) -> StorePart {
        StorePart { own: settings(section, own), store: settings("store", json!({ "url": self.path() })) }
    }

    /// Writes a file below the folder.
    pub(crate) fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder");
        fs::write(path, bytes).expect("written");
    }

    /// The same, as a catalog would list it that calls it `path`.
    pub(crate) fn data_file(&self, name: &str, path: String, bytes: &[u8]) -> DataFile {
        self.write(name, bytes);
        DataFile { path, shown: self.path().join(name).display().to_string(), bytes: bytes.len() as u64, version: None }
    }
}

pub(crate) fn settings(section: &str, settings: Value) -> Section {
    Section::new(section, settings.as_object().cloned().expect("an object"))
}
