//! Files that cannot be read, left out of a run that was asked to do without them.
//!
//! A file that turns out to be broken in its middle has been folded in part. So the run begins anew without it: what it
//! writes is, to the last bit, what it would have written had the file never been there.

use serde::Serialize;

use super::event::{Event, Observer};
use super::plan::Listing;
use crate::error::{Error, ErrorKind, Result};

/// A file that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuarantinedFile {
    /// The file, as the user would name it.
    pub file: String,
    /// What is wrong with it, and where in it.
    pub reason: String,
}

/// The files that are left out so far.
pub(super) struct Quarantine {
    is_open: bool,
    files: Vec<QuarantinedFile>,
}

impl Quarantine {
    /// Takes files if it `is_open`.
    pub(super) fn new(is_open: bool) -> Self {
        Self { is_open, files: Vec::new() }
    }

    /// Takes the file that `error` is about, and tells it.
    ///
    /// # Errors
    /// `error` itself if it is not about what is in a file, or no files are to be left out.
    pub(super) fn take(&mut self, error: Error, observer: &dyn Observer) -> Result<()> {
        let is_content =
            matches!(error.kind(), ErrorKind::Parquet | ErrorKind::Column | ErrorKind::Type | ErrorKind::Label);
        let Some(file) = error.place().file.clone().filter(|_| self.is_open && is_content) else { return Err(error) };
        if self.holds(&file) {
            return Err(error);
        }
        let file = QuarantinedFile { file, reason: error.to_string() };
        observer.event(&Event::Quarantined { file: &file });
        self.files.push(file);
        Ok(())
    }

    /// Takes the files out of what was listed.
    ///
    /// # Errors
    /// `Empty` if that leaves nothing.
    pub(super) fn leave_out(&self, listing: &mut Listing) -> Result<()> {
        for files in listing.values_mut() {
            files.retain(|file| !self.holds(&file.shown));
        }
        match self.files.first() {
            Some(first) if listing.values().all(Vec::is_empty) => {
                let message = format!("none of the {} file(s) can be read; {}", self.files.len(), first.reason);
                Err(Error::new(ErrorKind::Empty, message).help("look whether they were uploaded whole"))
            }
            _ => Ok(()),
        }
    }

    /// The files, in the order in which they were found.
    pub(super) fn files(self) -> Vec<QuarantinedFile> {
        self.files
    }

    fn holds(&self, file: &str) -> bool {
        self.files.iter().any(|known| known.file == file)
    }
}
