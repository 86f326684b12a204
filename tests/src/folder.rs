//! Folders, with all that is below them.

use std::fs;
use std::path::{Path, PathBuf};

/// All files below `folder`, by path; none if it is not there.
///
/// # Panics
/// If a folder on the way cannot be listed to its end.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> =
        entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect();
    files.sort();
    files
}

/// The same of the files whose names have this ending, as in `rs` or `parquet`.
///
/// # Panics
/// As for [`files_below`].
pub fn files_with_ending(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files = files_below(folder);
    files.retain(|file| file.extension().is_some_and(|own| own == ending));
    files
}
