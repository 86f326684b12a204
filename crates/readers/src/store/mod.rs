//! The place that holds the files: a folder or a bucket, behind opendal.

mod bucket;
mod config;
mod error;
mod file;
mod folder;
mod transport;

use std::slice;
use std::sync::{Arc, Mutex, PoisonError};

use opendal::{Entry, EntryMode, Operator};
use tokaki_core::{DataFile, Error, Result, Section};
use url::Url;

pub(crate) use bucket::Bucket;
pub use config::{AddressingStyle, StoreConfig};
pub(crate) use error::{AtFile, said, store_error};
pub(crate) use file::StoredFile;

use folder::Folder;

/// Files under one root.
#[derive(Clone, Debug)]
pub struct Store {
    place: Place,
    /// Made anew when the credentials in it have expired.
    operator: Arc<Mutex<Operator>>,
    shown_root: String,
}

#[derive(Clone, Debug)]
enum Place {
    Folder(Folder),
    Bucket(Arc<Bucket>),
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
        let operator = Arc::new(Mutex::new(folder.operator()?));
        Ok(Self { place: Place::Folder(folder), operator, shown_root: path.trim_end_matches('/').to_owned() })
    }

    fn open_bucket(config: StoreConfig, url: &Url, key: &str) -> Result<Self> {
        let bucket = Bucket::new(config, url, key)?;
        let operator = Arc::new(Mutex::new(bucket.operator()?));
        let shown_root = bucket.shown();
        Ok(Self { place: Place::Bucket(Arc::new(bucket)), operator, shown_root })
    }

    fn operator(&self) -> Operator {
        self.operator.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace_operator(&self, operator: Operator) {
        *self.operator.lock().unwrap_or_else(PoisonError::into_inner) = operator;
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
        let entries = match self.operator().list_with(folder).recursive(recursive).await {
            Ok(entries) => entries,
            Err(error) if error.kind() == opendal::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(store_error(error).at_file(&self.shown(folder))),
        };
        let mut files = Vec::new();
        for entry in entries {
            let is_data = entry.metadata().mode() == EntryMode::FILE
                && entry.name().ends_with(".parquet")
                && !entry.name().starts_with(['.', '_']);
            if is_data {
                let shown = self.shown(entry.path());
                let (bytes, version) = self.size_and_version(&entry).await.map_err(|error| error.at_file(&shown))?;
                files.push(DataFile { path: entry.path().to_owned(), shown, bytes, version });
            }
        }
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

    async fn size_and_version(&self, entry: &Entry) -> Result<(u64, Option<String>)> {
        let listed = entry.metadata();
        match &self.place {
            Place::Folder(folder) => {
                let (bytes, version) = folder.size_and_version(entry.path()).await?;
                Ok((bytes, Some(version)))
            }
            // A bucket's listing says all that is needed, so nothing is asked file by file.
            Place::Bucket(_) if listed.etag().is_some() => Ok((listed.content_length(), etag(listed.etag()))),
            Place::Bucket(_) => {
                let metadata = self.operator().stat(entry.path()).await.map_err(store_error)?;
                Ok((metadata.content_length(), etag(metadata.etag())))
            }
        }
    }
}

/// The bucket of `url`, opened as the `[store]` section says; `key` is the setting that holds `url`.
///
/// # Errors
/// `Config` if a setting cannot be used.
pub(crate) fn bucket(section: &Section, url: &Url, key: &str) -> Result<Bucket> {
    Bucket::new(section.parse()?, url, key)
}

/// An entity tag without its quotes: some stores leave them out in listings.
fn etag(text: Option<&str>) -> Option<String> {
    text.map(|text| text.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests;
