//! The place that holds the files: a folder, or a bucket behind opendal.

mod bucket;
mod config;
mod error;
mod file;
mod folder;
mod open_bucket;
mod transport;

use std::slice;
use std::sync::Arc;

use tokaki_core::{DataFile, Error, Result, Section};
use url::Url;

pub(crate) use bucket::Bucket;
pub use config::{AddressingStyle, StoreConfig};
pub(crate) use error::{AtFile, said, store_error};
pub(crate) use file::StoredFile;

use folder::Folder;
use open_bucket::OpenBucket;

/// Files under one root.
#[derive(Clone, Debug)]
pub struct Store {
    place: Place,
    shown_root: String,
}

/// A file as it is listed.
struct Listed {
    /// Under the root.
    path: String,
    bytes: u64,
    /// As in [`DataFile`].
    version: Option<String>,
}

/// Why something could not be listed.
struct Unlisted {
    /// What it was, under the root.
    path: String,
    error: Error,
}

#[derive(Clone, Debug)]
enum Place {
    Folder(Folder),
    Bucket(Arc<OpenBucket>),
}

impl Store {
    /// Opens the store that the `[store]` section describes. Nothing is fetched yet.
    ///
    /// # Errors
    /// `Config` if a setting cannot be used, `Absent` if the url is a folder that is not there, `Access` or `Store` if
    /// it cannot be opened.
    pub fn open(section: &Section) -> Result<Self> {
        let config: StoreConfig = section.parse()?;
        let key = format!("{}.url", section.path());
        match Url::parse(&config.url) {
            Ok(url) if url.scheme() == "s3" => Self::open_bucket(config, &url, &key),
            Ok(url) if url.scheme() == "file" => {
                let path = url.to_file_path().map_err(|()| Error::config(&key, "this file url names no folder"))?;
                Self::open_folder(&path.to_string_lossy(), &key)
            }
            // `C:\data` and the like parse as a url with a scheme of one letter.
            Ok(url) if url.scheme().len() > 1 => {
                Err(Error::config(key, format!("there is no store for `{}://`", url.scheme()))
                    .help("use a folder or s3://bucket/prefix"))
            }
            _ => Self::open_folder(&config.url, &key),
        }
    }

    fn open_folder(path: &str, key: &str) -> Result<Self> {
        let folder = Folder::new(path, key)?;
        Ok(Self { place: Place::Folder(folder), shown_root: path.trim_end_matches('/').to_owned() })
    }

    fn open_bucket(config: StoreConfig, url: &Url, key: &str) -> Result<Self> {
        let bucket = Bucket::new(config, url, key)?;
        let shown_root = bucket.shown();
        Ok(Self { place: Place::Bucket(Arc::new(OpenBucket::new(bucket)?)), shown_root })
    }

    /// `path` as the user would name it. A name may hold what would forge a line of the log; that is shown escaped.
    pub fn shown(&self, path: &str) -> String {
        let plain = |letter: char| match letter {
            letter if letter.is_control() => letter.escape_default().to_string(),
            letter => letter.to_string(),
        };
        format!("{}/{}", self.shown_root, path.chars().map(plain).collect::<String>())
    }

    /// The file, to read from it.
    pub(crate) fn file(&self, file: &DataFile) -> StoredFile {
        StoredFile::new(self.clone(), file.clone())
    }

    /// The Parquet files in `folder`, sorted by path; a folder that is not there has none.
    ///
    /// Names that begin with `.` or `_` are left out: writers use them for what is not data.
    ///
    /// # Errors
    /// `Store` or `Access`; `Absent` if there is no such bucket.
    pub async fn parquet_files(&self, folder: &str, recursive: bool) -> Result<Vec<DataFile>> {
        let is_data = |name: &str| name.ends_with(".parquet") && !name.starts_with(['.', '_']);
        let listed = match &self.place {
            Place::Folder(place) => place.list(folder, recursive, is_data).await,
            Place::Bucket(bucket) => bucket.list(folder, recursive, is_data).await,
        };
        let listed = listed.map_err(|Unlisted { path, error }| error.at_file(&self.shown(&path)))?;
        let file = |Listed { path, bytes, version }| DataFile { shown: self.shown(&path), path, bytes, version };
        let mut files: Vec<DataFile> = listed.into_iter().map(file).collect();
        files.sort_by(|left, right| left.path.cmp(&right.path));
        // opendal leaves blanks at the end of a name out: `a.parquet ` is `a.parquet` a second time, and would count twice.
        files.dedup_by(|left, right| left.path == right.path);
        Ok(files)
    }

    /// Whether two files of one size hold the same bytes. A bucket's entity tags tell without reading, if they agree.
    ///
    /// # Errors
    /// As for [`StoredFile::fetch`].
    pub(crate) async fn have_same_bytes(&self, one: &DataFile, other: &DataFile) -> Result<bool> {
        /// Compared at once.
        const PIECE_BYTES: u64 = 4 << 20;
        if matches!(self.place, Place::Bucket(_)) && one.version.is_some() && one.version == other.version {
            return Ok(true);
        }
        let (left, right) = (self.file(one), self.file(other));
        let mut start = 0;
        while start < one.bytes.min(other.bytes) {
            let piece = start..(start + PIECE_BYTES).min(one.bytes);
            if left.fetch(slice::from_ref(&piece)).await? != right.fetch(slice::from_ref(&piece)).await? {
                return Ok(false);
            }
            start += PIECE_BYTES;
        }
        Ok(one.bytes == other.bytes)
    }
}

/// The bucket of `url`, opened as the `[store]` section says; `key` is the setting that holds `url`.
///
/// # Errors
/// `Config` if a setting cannot be used.
pub(crate) fn bucket(section: &Section, url: &Url, key: &str) -> Result<Bucket> {
    Bucket::new(section.parse()?, url, key)
}

#[cfg(test)]
mod tests;
