//! Where a table's files are.

use async_trait::async_trait;
use serde::Serialize;

use crate::error::Result;
use crate::input::TableName;
use crate::scope::Scope;

/// A file that holds rows of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DataFile {
    /// Path inside the store, as the reader opens it.
    pub path: String,
    /// Path as the user would name it, for messages.
    pub shown: String,
    /// Size in bytes.
    pub bytes: u64,
    /// What tells this content from any other that has been, or will be, under the same path: the entity tag of a
    /// bucket's object; size, time and inode of a file. Readers refuse a file whose version is another by now. `None`
    /// if the store has none.
    pub version: Option<String>,
}

/// A file that is another one under a second name, and is not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DuplicateFile {
    /// The file, as the user would name it.
    pub file: String,
    /// The one that is read.
    pub of: String,
}

/// What a catalog found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// To be read, sorted by path.
    pub files: Vec<DataFile>,
    /// Not to be read.
    pub duplicates: Vec<DuplicateFile>,
}

impl From<Vec<DataFile>> for Files {
    /// Files of which none is another.
    fn from(files: Vec<DataFile>) -> Self {
        Self { files, duplicates: Vec::new() }
    }
}

/// A storage layout: it knows names and folders, never what is in the files.
#[async_trait]
pub trait Catalog: Send + Sync {
    /// The files of `table` for the source and month of `scope`. A table that is absent has none.
    ///
    /// # Errors
    /// `Store` or `Access` if the store cannot be listed.
    async fn files(&self, table: &TableName, scope: &Scope) -> Result<Files>;

    /// The format of the files, for instance `parquet`, if they all have one. A reader of another one is refused before
    /// anything is read.
    fn format(&self) -> Option<&'static str> {
        None
    }
}
