//! A bucket while it is read: what is in it, and bytes of a file.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use opendal::{Entry, EntryMode, Operator, Reader};
use tokaki_core::Result;

use super::bucket::Bucket;
use super::error::{changed, is_about_credentials, store_error};
use super::{Listed, Unlisted};

/// A bucket, and how it is asked now.
#[derive(Debug)]
pub(super) struct OpenBucket {
    bucket: Bucket,
    /// Made anew when the credentials in it have expired.
    operator: Mutex<Operator>,
}

impl OpenBucket {
    /// Opens it; nothing is asked yet.
    ///
    /// # Errors
    /// As for [`Bucket::operator`].
    pub(super) fn new(bucket: Bucket) -> Result<Self> {
        let operator = Mutex::new(bucket.operator()?);
        Ok(Self { bucket, operator })
    }

    fn operator(&self) -> Operator {
        self.operator.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The files in `folder` whose names `is_wanted` likes; a folder that is not there has
    /// none.
    ///
    /// # Errors
    /// `Store` or `Access`; `Absent` if there is no such bucket.
    pub(super) async fn list(
        &self,
        folder: &str,
        recursive: bool,
        is_wanted: fn(&str) -> bool,
    ) -> Result<Vec<Listed>, Unlisted> {
        let entries = match self.operator().list_with(folder).recursive(recursive).await {
            Ok(entries) => entries,
            Err(error) if error.kind() == opendal::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(Unlisted { path: folder.to_owned(), error: store_error(error) }),
        };
        let mut files = Vec::new();
        for entry in entries {
            if entry.metadata().mode() == EntryMode::FILE && is_wanted(entry.name()) {
                let (path, of_file) = (entry.path().to_owned(), self.size_and_version(&entry).await);
                match of_file {
                    Ok((bytes, version)) => files.push(Listed { path, bytes, version }),
                    Err(error) => return Err(Unlisted { path, error }),
                }
            }
        }
        Ok(files)
    }

    async fn size_and_version(&self, entry: &Entry) -> Result<(u64, Option<String>)> {
        let listed = entry.metadata();
        // The listing of most stores says all that is needed, so nothing is asked file by file.
        if listed.etag().is_some() {
            return Ok((listed.content_length(), etag(listed.etag())));
        }
        let metadata = self.operator().stat(entry.path()).await.map_err(store_error)?;
        Ok((metadata.content_length(), etag(metadata.etag())))
    }

    /// The bytes of `ranges` of the file `path`, which still has this entity tag.
    ///
    /// # Errors
    /// `Changed` if it is another one or gone; `Access` or `Store`.
    pub(super) async fn read(&self, path: &str, ranges: &[Range<u64>], expected: Option<&str>) -> Result<Vec<Bytes>> {
        let read = match attempt(&self.operator(), path, ranges, expected).await {
            // Credentials in files are replaced while they expire, and opendal has read them once.
            Err(error) if is_about_credentials(&error) => {
                let renewed = self.bucket.operator()?;
                *self.operator.lock().unwrap_or_else(PoisonError::into_inner) = renewed.clone();
                attempt(&renewed, path, ranges, expected).await
            }
            read => read,
        };
        read.map_err(|error| match error.kind() {
            opendal::ErrorKind::NotFound | opendal::ErrorKind::RangeNotSatisfied => changed(),
            _ => store_error(error),
        })
    }

    /// What was noted of the file `path` when it was put there, by name.
    ///
    /// # Errors
    /// As for [`OpenBucket::read`].
    pub(super) async fn notes(&self, path: &str) -> Result<Vec<(String, String)>> {
        let metadata = self.operator().stat(path).await.map_err(|error| match error.kind() {
            opendal::ErrorKind::NotFound => changed(),
            _ => store_error(error),
        })?;
        let notes = metadata.user_metadata().into_iter().flatten();
        Ok(notes.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

async fn attempt(
    operator: &Operator,
    path: &str,
    ranges: &[Range<u64>],
    expected: Option<&str>,
) -> opendal::Result<Vec<Bytes>> {
    let fetched = reader(operator, path, expected).await?.fetch(ranges.to_vec()).await?;
    Ok(fetched.into_iter().map(|buffer| buffer.to_bytes()).collect())
}

async fn reader(operator: &Operator, path: &str, expected: Option<&str>) -> opendal::Result<Reader> {
    /// Ranges closer than this are fetched as one.
    const GAP_BYTES: usize = 1 << 20;
    /// A longer range is fetched in pieces of this size, and a broken piece alone is fetched again.
    const PIECE_BYTES: usize = 4 << 20;
    /// Pieces fetched at once.
    const AT_ONCE: usize = 8;
    let reader = operator.reader_with(path).gap(GAP_BYTES).chunk(PIECE_BYTES).concurrent(AT_ONCE);
    match expected {
        Some(etag) => reader.if_match(&format!("\"{etag}\"")).await,
        None => reader.await,
    }
}

/// An entity tag without its quotes: some stores leave them out in listings.
fn etag(text: Option<&str>) -> Option<String> {
    text.map(|text| text.trim_matches('"').to_owned())
}
