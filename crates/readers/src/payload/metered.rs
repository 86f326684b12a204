//! Readers that end in an error when more comes out of them than can be meant.

use std::io::{self, Read};

/// A source of bytes with a limit.
pub(super) struct Metered<R> {
    source: R,
    limit: u64,
    left: u64,
    complaint: String,
}

impl<R: Read> Metered<R> {
    /// `source`, which may yield `limit` bytes until [`Metered::reset`]. More are an error that says `complaint`.
    pub(super) fn new(source: R, limit: u64, complaint: impl Into<String>) -> Self {
        Self { source, limit, left: limit, complaint: complaint.into() }
    }

    /// Starts counting anew.
    pub(super) fn reset(&mut self) {
        self.left = self.limit;
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.source.read(buffer)?;
        match self.left.checked_sub(bytes as u64) {
            Some(left) => self.left = left,
            None => return Err(io::Error::new(io::ErrorKind::FileTooLarge, self.complaint.clone())),
        }
        Ok(bytes)
    }
}
