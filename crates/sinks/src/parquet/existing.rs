//! The file that a table has already.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::RowGroupMetaData;
use tokaki_core::{Error, ErrorKind, Field, Output, Result};

use super::encode::CREATED_BY;
use super::typical;
use crate::disk::{disk_error, place_of};
use crate::target::Target;

/// Rows that are read at once.
const READ_ROWS: usize = 8_192;

/// An open file, of which no row was read.
pub(super) struct Existing {
    path: PathBuf,
    file: File,
    footer: ArrowReaderMetadata,
}

impl Existing {
    fn open(path: &Path, file: File) -> ParquetResult<Self> {
        // Whole, since what is not read of a footer is not copied into the next one.
        let options = ArrowReaderOptions::new().with_encoding_stats_as_mask(false);
        let footer = ArrowReaderMetadata::load(&file, options)?;
        Ok(Self { path: path.to_owned(), file, footer })
    }

    /// Its columns.
    pub(super) fn schema(&self) -> &SchemaRef {
        self.footer.schema()
    }

    /// Where its bytes are.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Its row groups.
    pub(super) fn row_groups(&self) -> &[RowGroupMetaData] {
        self.footer.metadata().row_groups()
    }

    /// Whether a run of ours wrote it, and nobody since.
    pub(super) fn is_ours(&self) -> bool {
        self.footer.metadata().file_metadata().created_by() == Some(CREATED_BY)
    }

    /// For each row group a row that stands for all of its rows, if its footer tells one ([`typical::rows`]).
    pub(super) fn typical_rows(&self, columns: &BTreeMap<&'static str, bool>) -> Result<Vec<Option<RecordBatch>>> {
        if !self.is_ours() {
            return Ok(vec![None; self.row_groups().len()]);
        }
        typical::rows(&self.footer, columns).map_err(|error| unreadable(&self.path, &error))
    }

    /// The rows of a row group, some at a time: all columns, or those of `columns` that there are. How many at a time
    /// does not depend on the columns.
    pub(super) fn rows(
        &self,
        row_group: usize,
        columns: Option<&[&str]>,
    ) -> Result<impl Iterator<Item = Result<RecordBatch>>> {
        let wanted = match columns {
            Some(names) => ProjectionMask::columns(self.footer.parquet_schema(), names.iter().copied()),
            None => ProjectionMask::all(),
        };
        let file = self.file.try_clone().map_err(|error| disk_error(&self.path, &error))?;
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.footer.clone())
            .with_row_groups(vec![row_group])
            .with_projection(wanted)
            .with_batch_size(READ_ROWS)
            .build()
            .map_err(|error| unreadable(&self.path, &error))?;
        let path = self.path.clone();
        Ok(reader.map(move |rows| rows.map_err(|error| unreadable(&path, &error))))
    }
}

fn unreadable(path: &Path, error: &dyn std::error::Error) -> Error {
    Error::new(ErrorKind::Destination, format!("the file cannot be read: {error}"))
        .at(&place_of(path))
        .help("move the damaged file away, or write to another folder")
}

/// The schema of a file with `fields`. All columns are nullable, so that it does not matter which outputs were written
/// first: a row has nulls in columns that its output does not write.
pub(super) fn file_schema(fields: impl Iterator<Item = Field>) -> SchemaRef {
    let fields: Vec<_> = fields.map(|field| Field { nullable: true, ..field }).collect();
    Output::handover(&fields).schema()
}

/// Opens the file of `target`'s table, if there is one, and refuses columns that the table does not have.
pub(super) fn open(folder: &Path, target: &Target, create_missing: bool) -> Result<Option<Existing>> {
    let path = folder.join(format!("{}.parquet", target.table.name));
    let refuse = |message: String, column: Option<&str>| {
        Err(Error::new(ErrorKind::Destination, message).at(&target.place(column)).at(&place_of(&path)))
    };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return if create_missing {
                Ok(None)
            } else {
                let refused = refuse("the file does not exist".into(), None);
                refused.map_err(|error| error.help("set sink.create_missing = true to have it created"))
            };
        }
        Err(error) => return Err(disk_error(&path, &error)),
    };
    let existing = match Existing::open(&path, file) {
        Ok(existing) => existing,
        Err(error) => return refuse(format!("the file cannot be read as Parquet: {error}"), None),
    };
    let expected = file_schema(target.table.fields.iter().copied());
    for found in existing.schema().fields() {
        match expected.field_with_name(found.name()) {
            Err(_) => return refuse("the file has a column that the table does not have".into(), Some(found.name())),
            Ok(expected) if expected.data_type() != found.data_type() => {
                let message =
                    format!("expected a column of type {}, found {}", expected.data_type(), found.data_type());
                return refuse(message, Some(found.name()));
            }
            Ok(_) => {}
        }
    }
    if let Some(day) = target.table.day_field
        && existing.schema().column_with_name(day).is_none()
    {
        return refuse("the file lacks the column that dates its rows".into(), Some(day));
    }
    Ok(Some(existing))
}
