//! Folders and files, for the sinks that live on disk.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use tokaki_core::{Error, ErrorKind, Place, Result};

/// The folder that holds `file`.
pub(crate) fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// What `path` stands for: a link is followed, to a file that need not be there yet.
///
/// A file that is put in the place of another one by its name would take the place of the link instead.
pub(crate) fn followed(path: &Path) -> PathBuf {
    match std::fs::read_link(path) {
        Ok(target) => path.canonicalize().unwrap_or_else(|_| folder_of(path).join(target)),
        Err(_) => path.to_owned(),
    }
}

/// An error about `path`, as this crate reports it.
pub(crate) fn disk_error(path: &Path, error: &io::Error) -> Error {
    let kind = if error.kind() == io::ErrorKind::PermissionDenied { ErrorKind::Access } else { ErrorKind::Store };
    Error::new(kind, error.to_string()).at(&place_of(path))
}

/// `path` as the place of an error.
pub(crate) fn place_of(path: &Path) -> Place {
    Place { file: Some(path.display().to_string()), ..Place::default() }
}

/// Refuses a folder in which no file can be made. Leaves nothing behind.
pub(crate) fn check_writable(folder: &Path) -> Result<()> {
    match tempfile::tempfile_in(folder) {
        Ok(_) => Ok(()),
        Err(error) => Err(disk_error(folder, &error).help("the folder must exist and be writable")),
    }
}

/// A file beside `target` that vanishes unless it is renamed.
///
/// Opened as any other file, so that the user's umask decides who may read the result.
pub(crate) fn draft_of(target: &Path) -> Result<NamedTempFile<File>> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .suffix(".draft")
        .make_in(folder_of(target), |path| File::create_new(path))
        .map_err(|error| disk_error(folder_of(target), &error))
}

/// Makes renames in `folder` last through a power cut.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| disk_error(folder, &error))
}
