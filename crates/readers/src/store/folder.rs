//! A folder of this machine.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use opendal::{Operator, services};
use tokaki_core::{Error, ErrorKind, Result};

use super::error::{changed, store_error};

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

    /// An operator of the folder.
    ///
    /// # Errors
    /// `Store` if opendal does not like it.
    pub(super) fn operator(&self) -> Result<Operator> {
        Operator::new(services::Fs::default().root(&self.root.to_string_lossy())).map_err(store_error)
    }

    /// Bytes and state of the file `path`; the state is another text as soon as it is written or replaced.
    ///
    /// # Errors
    /// `Changed` if it is gone, `Access` or `Store` if it cannot be looked at.
    pub(super) async fn size_and_version(&self, path: &str) -> Result<(u64, String)> {
        let metadata = tokio::fs::metadata(self.root.join(path)).await;
        metadata.map(|metadata| (metadata.size(), version(&metadata))).map_err(read_error)
    }

    /// The bytes of `ranges` of the file `path`, which is still the one of `expected`.
    ///
    /// Read here and not through opendal, which reads a folder in small pieces and puts them together again.
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
