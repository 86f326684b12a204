//! The file that a table has already.

use std::fs::File;
use std::io;
use std::path::Path;

use arrow::datatypes::SchemaRef;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tokaki_core::{Error, ErrorKind, Field, Output, Result};

use crate::disk::{disk_error, place_of};
use crate::target::Target;

/// An open file, before its first row is read.
pub(super) type Existing = ParquetRecordBatchReaderBuilder<File>;

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
    let existing = match Existing::try_new(file) {
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
