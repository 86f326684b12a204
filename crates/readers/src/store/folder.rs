//! A folder of this machine.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

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

    /// The state of the file `path`: another text as soon as it is written or replaced.
    ///
    /// # Errors
    /// `Changed` if it is gone, `Access` or `Store` if it cannot be looked at.
    pub(super) async fn version(&self, path: &str) -> Result<String> {
        let metadata = tokio::fs::metadata(self.root.join(path)).await;
        metadata.map(|metadata| version(&metadata)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => changed(),
            io::ErrorKind::PermissionDenied => Error::new(ErrorKind::Access, format!("it may not be read: {error}")),
            _ => Error::new(ErrorKind::Store, format!("it cannot be read: {error}")),
        })
    }
}

/// Size, time of the last write, and identity: a file put in another's place has another inode, even when its time was
/// copied too.
fn version(metadata: &Metadata) -> String {
    format!("{}-{}.{:09}-{}", metadata.size(), metadata.mtime(), metadata.mtime_nsec(), metadata.ino())
}
