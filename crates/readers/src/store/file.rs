//! Reading a file that stays what it was when it was listed.

use std::ops::Range;

use bytes::Bytes;
use tokaki_core::{DataFile, Result};

use super::error::AtFile;
use super::{Place, Store};

/// A file, pinned to its [`DataFile::version`].
pub(crate) struct StoredFile {
    store: Store,
    file: DataFile,
}

impl StoredFile {
    /// Opens nothing yet.
    pub(super) fn new(store: Store, file: DataFile) -> Self {
        Self { store, file }
    }

    /// The bytes of `ranges`, in their order.
    ///
    /// # Errors
    /// `Changed` if the file is not the one that was listed any more; `Access` or `Store`; each with the file.
    pub(crate) async fn fetch(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let DataFile { path, version, shown, .. } = &self.file;
        let fetched = match &self.store.place {
            Place::Folder(folder) => folder.read(path, ranges, version.as_deref()).await,
            Place::Bucket(bucket) => bucket.read(path, ranges, version.as_deref()).await,
        };
        fetched.map_err(|error| error.at_file(shown))
    }

    /// What was noted of the file when it was put there, by name. A folder has no place for notes.
    ///
    /// # Errors
    /// As for [`StoredFile::fetch`].
    pub(crate) async fn notes(&self) -> Result<Vec<(String, String)>> {
        match &self.store.place {
            Place::Folder(_) => Ok(Vec::new()),
            Place::Bucket(bucket) => {
                bucket.notes(&self.file.path).await.map_err(|error| error.at_file(&self.file.shown))
            }
        }
    }
}
