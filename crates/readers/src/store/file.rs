//! Reading a file that stays what it was when it was listed.

use std::ops::Range;

use bytes::Bytes;
use opendal::{Operator, Reader};
use tokaki_core::{DataFile, Result};

use super::error::{AtFile, changed, is_about_credentials, store_error};
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
        self.fetch_pinned(ranges).await.map_err(|error| error.at_file(&self.file.shown))
    }

    async fn fetch_pinned(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let bucket = match &self.store.place {
            Place::Folder(folder) => return folder.read(&self.file.path, ranges, self.file.version.as_deref()).await,
            Place::Bucket(bucket) => bucket,
        };
        let fetched = match self.attempt(&self.store.operator(), ranges).await {
            // Credentials in files are replaced while they expire, and opendal has read them once.
            Err(error) if is_about_credentials(&error) => {
                let renewed = bucket.operator()?;
                self.store.replace_operator(renewed.clone());
                self.attempt(&renewed, ranges).await
            }
            fetched => fetched,
        };
        fetched.map_err(|error| match error.kind() {
            opendal::ErrorKind::NotFound | opendal::ErrorKind::RangeNotSatisfied => changed(),
            _ => store_error(error),
        })
    }

    /// What was noted of the file when it was put there, by name. A folder has no place for notes.
    ///
    /// # Errors
    /// As for [`StoredFile::fetch`].
    pub(crate) async fn notes(&self) -> Result<Vec<(String, String)>> {
        if matches!(self.store.place, Place::Folder(_)) {
            return Ok(Vec::new());
        }
        let metadata = self.store.operator().stat(&self.file.path).await;
        let metadata = metadata.map_err(|error| match error.kind() {
            opendal::ErrorKind::NotFound => changed().at_file(&self.file.shown),
            _ => store_error(error).at_file(&self.file.shown),
        })?;
        let notes = metadata.user_metadata().into_iter().flatten();
        Ok(notes.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    async fn attempt(&self, operator: &Operator, ranges: &[Range<u64>]) -> opendal::Result<Vec<Bytes>> {
        let fetched = self.reader(operator).await?.fetch(ranges.to_vec()).await?;
        Ok(fetched.into_iter().map(|buffer| buffer.to_bytes()).collect())
    }

    async fn reader(&self, operator: &Operator) -> opendal::Result<Reader> {
        /// Ranges closer than this are fetched as one.
        const GAP_BYTES: usize = 1 << 20;
        /// A longer range is fetched in pieces of this size, and a broken piece alone is fetched again.
        const PIECE_BYTES: usize = 4 << 20;
        /// Pieces fetched at once.
        const AT_ONCE: usize = 8;
        let reader = operator.reader_with(&self.file.path).gap(GAP_BYTES).chunk(PIECE_BYTES).concurrent(AT_ONCE);
        match &self.file.version {
            Some(etag) => reader.if_match(&format!("\"{etag}\"")).await,
            None => reader.await,
        }
    }
}
