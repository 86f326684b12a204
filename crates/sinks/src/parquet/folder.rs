//! The folder: made if missing, locked, taken away again if nothing came of it.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokaki_core::{Error, ErrorKind, Result};

use crate::disk::{check_writable, disk_error, folder_of, place_of};

/// Refuses a folder that files cannot be written to. Changes nothing.
pub(super) fn check(folder: &Path, create_missing: bool) -> Result<()> {
    if folder.is_dir() {
        return check_writable(folder);
    }
    if folder.exists() {
        return Err(Error::new(ErrorKind::Destination, "expected a folder, found a file").at(&place_of(folder)));
    }
    if !create_missing {
        return Err(Error::new(ErrorKind::Destination, "the folder does not exist")
            .at(&place_of(folder))
            .help("set sink.create_missing = true to have it created"));
    }
    check(folder_of(folder), create_missing)
}

/// A folder that this run alone writes to.
#[derive(Debug)]
pub(super) struct Folder {
    /// Its path.
    pub(super) path: PathBuf,
    /// Folders that this run made, innermost first, for as long as nothing was committed to them.
    made: Vec<PathBuf>,
    /// Open for as long as it is locked.
    _lock: File,
}

impl Folder {
    /// Makes the folder if it is missing, and locks it: of two runs that rewrite a file, one would lose its rows. Waits
    /// so long for another run.
    pub(super) fn claim(path: &Path, create_missing: bool, lock_wait: Duration) -> Result<Self> {
        check(path, create_missing)?;
        let made: Vec<_> = path.ancestors().take_while(|folder| *folder != Path::new("") && !folder.exists()).collect();
        let made = made.into_iter().map(Path::to_path_buf).collect();
        fs::create_dir_all(path).map_err(|error| disk_error(path, &error))?;
        let lock = File::open(path).map_err(|error| disk_error(path, &error))?;
        match lock_within(&lock, lock_wait) {
            Err(TryLockError::WouldBlock) => Err(Error::new(ErrorKind::Held, "another run is writing to the folder")
                .at(&place_of(path))
                .help("run again when it has finished, or set sink.lock_wait_seconds")),
            // Some network file systems cannot lock a folder. That is no reason to refuse them.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Self { path: path.into(), made, _lock: lock }),
        }
    }

    /// Keeps the folder.
    pub(super) fn keep(&mut self) {
        self.made.clear();
    }
}

/// A lock that the system itself waits for could not be given up.
fn lock_within(file: &File, wait: Duration) -> Result<(), TryLockError> {
    const PAUSE: Duration = Duration::from_millis(100);
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if started.elapsed() < wait => std::thread::sleep(PAUSE),
            done => return done,
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for folder in &self.made {
            // Not empty means that somebody else uses it by now.
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }
}
