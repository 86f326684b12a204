//! Rows of a replacement on disk, for the case that its transaction must be repeated.
//!
//! Nobody else has them any more: days leave the run as they finish. They are kept as they came, not as bytes for the
//! server, because ids depend on the rows that the database has when the transaction begins (spec § 11).

use std::fs::File;
use std::io::{BufReader, BufWriter, Seek, SeekFrom, Write};

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use tokaki_core::{Error, Output, Result};

use crate::disk::disk_error;

/// Rows by output, each in a file of its own without a name: it is gone when this process is, whatever ends it.
#[derive(Default)]
pub(super) struct Spool {
    parts: Vec<Part>,
}

struct Part {
    output: Output,
    file: StreamWriter<BufWriter<File>>,
}

impl Spool {
    /// Keeps `rows` of `output`.
    ///
    /// # Errors
    /// `Store` or `Access` if the folder for temporary files does not take them.
    pub(super) fn keep(&mut self, output: &Output, rows: &RecordBatch) -> Result<()> {
        let index = match self.parts.iter().position(|part| part.output == *output) {
            Some(index) => index,
            None => {
                let file = StreamWriter::try_new_buffered(new_file()?, &rows.schema()).map_err(failed)?;
                self.parts.push(Part { output: output.clone(), file });
                self.parts.len() - 1
            }
        };
        self.parts[index].file.write(rows).map_err(failed)
    }

    /// All rows kept so far, with their outputs. Those of one output come in their order.
    ///
    /// # Errors
    /// `Store` if they cannot be read back.
    pub(super) fn rows(&mut self) -> Result<impl Iterator<Item = Result<(Output, RecordBatch)>>> {
        let parts: Result<Vec<_>> = self.parts.iter_mut().map(Part::read).collect();
        Ok(parts?.into_iter().flatten())
    }
}

impl Part {
    fn read(&mut self) -> Result<impl Iterator<Item = Result<(Output, RecordBatch)>> + use<>> {
        let file = self.file.get_mut();
        file.flush().map_err(|error| disk_error(&folder(), &error))?;
        let mut file = file.get_ref().try_clone().map_err(|error| disk_error(&folder(), &error))?;
        file.seek(SeekFrom::Start(0)).map_err(|error| disk_error(&folder(), &error))?;
        let output = self.output.clone();
        let rows = StreamReader::try_new(BufReader::new(file), None).map_err(failed)?;
        Ok(rows.map(move |rows| Ok((output.clone(), rows.map_err(failed)?))))
    }
}

/// The folder for temporary files, `$TMPDIR` or the system's.
pub(super) fn folder() -> std::path::PathBuf {
    std::env::temp_dir()
}

/// A file that is written at its end wherever it was last read.
fn new_file() -> Result<File> {
    let file = tempfile::Builder::new().append(true).tempfile_in(folder());
    // The path that is dropped here takes the name with it.
    file.map(|file| file.into_parts().0).map_err(|error| disk_error(&folder(), &error))
}

fn failed(error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, error) => disk_error(&folder(), &error).help("TMPDIR names another folder"),
        error => Error::bug(error.to_string()),
    }
}
