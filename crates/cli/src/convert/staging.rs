//! Files under way, in a hidden folder beside their destination: they get their names one after the other
//! once all are complete. Whoever is stopped in between is told so.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokaki_core::{Error, ErrorKind, Grain, Place, Result};

use super::layout::{DayOfFile, Layout};

/// Files that are being written. Dropping it leaves the output folder as it was.
pub(super) struct Staging {
    output: PathBuf,
    layout: Layout,
    /// Paths below the output folder, by what they hold.
    files: BTreeMap<DayOfFile, BTreeSet<PathBuf>>,
    /// Dropped before the folders around it, which can only be removed when they are empty.
    temporary: TempDir,
    made: Made,
}

/// Folders that were made, innermost first; removed again unless somebody uses them.
struct Made(Vec<PathBuf>);

impl Drop for Made {
    fn drop(&mut self) {
        for folder in &self.0 {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }
}

impl Staging {
    /// No files yet, for `output`, which is made if it is missing.
    ///
    /// # Errors
    /// `Store` or `Access` if nothing can be written there.
    pub(super) fn start(output: &Path, layout: Layout) -> Result<Self> {
        let missing = output.ancestors().take_while(|folder| *folder != Path::new("") && !folder.exists());
        let made = Made(missing.map(Path::to_path_buf).collect());
        fs::create_dir_all(output).map_err(|error| disk_error(output, &error))?;
        let temporary = tempfile::Builder::new()
            .prefix(".tokaki-convert-")
            .tempdir_in(output)
            .map_err(|error| disk_error(output, &error))?;
        Ok(Self { output: output.to_path_buf(), layout, files: BTreeMap::new(), temporary, made })
    }

    /// A new file.
    ///
    /// # Errors
    /// `Config` if there is one of the same name; `Store` or `Access` if it cannot be written.
    pub(super) fn create(&mut self, of: &DayOfFile, grain: Grain, chunk: usize) -> Result<File> {
        let path = self.layout.path(of, grain, chunk);
        if !self.files.entry(of.clone()).or_default().insert(path.clone()) {
            let message = "a file of this payload was given twice, its rows would count twice";
            return Err(Error::new(ErrorKind::Config, message).help("give each file once"));
        }
        let staged = self.temporary.path().join(path);
        create_parent(&staged)?;
        File::create_new(&staged).map_err(|error| disk_error(&staged, &error))
    }

    /// Paths of the files below the output folder.
    pub(super) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.files.values().flatten()
    }

    /// Gives all files their names, and removes what an earlier conversion of the same payload left beyond them.
    ///
    /// # Errors
    /// `Store` or `Access`. Some of the files may have their names already.
    pub(super) fn commit(mut self) -> Result<()> {
        for path in self.files() {
            let (staged, named) = (self.temporary.path().join(path), self.output.join(path));
            create_parent(&named)?;
            fs::rename(staged, &named).map_err(|error| disk_error(&named, &error))?;
        }
        self.made.0.clear();
        for (of, files) in &self.files {
            for grain in [Grain::Hourly, Grain::Daily] {
                remove_older(&self.output, &self.layout.folder(of, grain), of, files)?;
            }
        }
        Ok(())
    }
}

/// A file that had more rows, and so more chunks, when it was converted before would else be counted in part.
fn remove_older(output: &Path, folder: &Path, of: &DayOfFile, files: &BTreeSet<PathBuf>) -> Result<()> {
    let entries = match fs::read_dir(output.join(folder)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|error| disk_error(&output.join(folder), &error))?,
    };
    for entry in entries {
        let entry = entry.map_err(|error| disk_error(&output.join(folder), &error))?;
        let is_older = entry.file_name().to_str().is_some_and(|name| of.owns(name))
            && !files.contains(&folder.join(entry.file_name()));
        if is_older {
            fs::remove_file(entry.path()).map_err(|error| disk_error(&entry.path(), &error))?;
        }
    }
    Ok(())
}

fn create_parent(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|error| disk_error(folder, &error))
}

/// What the system says about a path, in our words.
pub(super) fn disk_error(path: &Path, error: &io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::Access,
        _ => ErrorKind::Store,
    };
    let place = Place { file: Some(path.to_string_lossy().into_owned()), ..Place::default() };
    Error::new(kind, format!("the file cannot be written: {error}")).at(&place)
}
