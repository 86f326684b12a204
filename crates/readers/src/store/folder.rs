//! A folder of this machine.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokaki_core::{Error, ErrorKind, Result};
use walkdir::WalkDir;

use super::error::changed;
use super::{Listed, Unlisted};

/// A folder that exists.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The folder `path`; `key` is the setting that names it.
    ///
    /// # Errors
    /// `Absent` if it is not there, `Access` or `Store` if it cannot be opened.
    pub(super) fn new(path: &str, key: &str) -> Result<Self> {
        let absent = |message| Error::new(ErrorKind::Absent, message).help(format!("{key} names the folder"));
        // opendal would create a missing root; a typing mistake should not leave a folder behind.
        let root = Path::new(path).canonicalize().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => absent(format!("there is no folder {path}")),
            io::ErrorKind::PermissionDenied => {
                Error::new(ErrorKind::Access, format!("the folder {path} may not be opened: {error}"))
            }
            _ => Error::new(ErrorKind::Store, format!("the folder {path} cannot be opened: {error}")),
        })?;
        if root.is_dir() { Ok(Self { root }) } else { Err(absent(format!("{path} is not a folder"))) }
    }

    /// The files in `folder` whose names `is_wanted` likes, in no order; a folder that is not there has none. Links are
    /// followed.
    ///
    /// Listed and read here and not through opendal, which asks for one file and one small piece at a time; each time
    /// another thread has to wake up.
    ///
    /// # Errors
    /// `Access` or `Store` if something cannot be looked at, with its path; `Changed` if it went away meanwhile.
    pub(super) async fn list(
        &self,
        folder: &str,
        recursive: bool,
        is_wanted: fn(&str) -> bool,
    ) -> Result<Vec<Listed>, Unlisted> {
        let (root, path) = (self.root.clone(), self.root.join(folder));
        let listing = tokio::task::spawn_blocking(move || list(&root, &path, recursive, is_wanted));
        listing.await.unwrap_or_else(|error| {
            let error = Error::bug(format!("listing a folder gave up: {error}"));
            Err(Unlisted { path: folder.to_owned(), error })
        })
    }

    /// The bytes of `ranges` of the file `path`, which is still the one of `expected`.
    ///
    /// # Errors
    /// `Changed` if it is another one or was written meanwhile; `Access` or `Store` if it cannot be read.
    pub(super) async fn read(&self, path: &str, ranges: &[Range<u64>], expected: Option<&str>) -> Result<Vec<Bytes>> {
        let (path, ranges) = (self.root.join(path), ranges.to_vec());
        let reading = tokio::task::spawn_blocking(move || read(&path, &ranges));
        let read = reading.await.map_err(|error| Error::bug(format!("reading a file gave up: {error}")))?;
        let (bytes, version) = read.map_err(read_error)?;
        if expected.is_none_or(|expected| version == expected) { Ok(bytes) } else { Err(changed()) }
    }
}

fn list(root: &Path, folder: &Path, recursive: bool, is_wanted: fn(&str) -> bool) -> Result<Vec<Listed>, Unlisted> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let under_root = |path: &Path| path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
    let unlisted = |error: walkdir::Error| {
        let path = error.path().map(under_root).unwrap_or_default();
        let error = error.into_io_error().unwrap_or_else(|| io::Error::other("a link leads back to its own folder"));
        Unlisted { path, error: read_error(error) }
    };
    let deepest = if recursive { usize::MAX } else { 1 };
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).min_depth(1).max_depth(deepest).follow_links(true) {
        let entry = entry.map_err(unlisted)?;
        if entry.file_type().is_file() && entry.file_name().to_str().is_some_and(is_wanted) {
            let metadata = entry.metadata().map_err(unlisted)?;
            let (bytes, version) = (metadata.size(), Some(version(&metadata)));
            files.push(Listed { path: under_root(entry.path()), bytes, version });
        }
    }
    Ok(files)
}

/// The bytes of the ranges, and the state of the file after it was read.
fn read(path: &Path, ranges: &[Range<u64>]) -> io::Result<(Vec<Bytes>, String)> {
    let mut file = File::open(path)?;
    let mut pieces = Vec::with_capacity(ranges.len());
    for range in ranges {
        let length = range.end.saturating_sub(range.start);
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        file.seek(SeekFrom::Start(range.start))?;
        file.by_ref().take(length).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        pieces.push(Bytes::from(bytes));
    }
    // Of the open file, not of the path: what was read cannot be replaced, only written to.
    Ok((pieces, version(&file.metadata()?)))
}

fn read_error(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof => changed(),
        io::ErrorKind::PermissionDenied => Error::new(ErrorKind::Access, format!("it may not be read: {error}")),
        _ => Error::new(ErrorKind::Store, format!("it cannot be read: {error}")),
    }
}

/// Size, time of the last write, and identity: a file put in another's place has another inode, even when its time was
/// copied too.
fn version(metadata: &Metadata) -> String {
    format!("{}-{}.{:09}-{}", metadata.size(), metadata.mtime(), metadata.mtime_nsec(), metadata.ino())
}
