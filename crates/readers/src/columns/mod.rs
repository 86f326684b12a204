//! How the columns of a file become those of a selection, whatever its format: found by name, missing ones as null, in the
//! types that a chunk has (reader rules of spec § 2).

mod kinds;

pub(crate) use kinds::to_kind;

use std::sync::Arc;

use arrow::array::{ArrayRef, NullArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema};
use tokaki_core::{ColumnKind, Error, ErrorKind, Result, Selection, WantedColumn};

/// The columns that a selection wants of one file; the time column first.
pub(crate) struct Wanted(Vec<Column>);

/// A wanted column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it is wanted as.
    pub(crate) kind: ColumnKind,
    /// Where in the file it is; `None` if the file lacks it, or if it is not wanted from a file with these columns.
    pub(crate) position: Option<usize>,
}

impl Wanted {
    /// The selection against a file that has each column where `position` says.
    ///
    /// # Errors
    /// `Column` if the time column is missing.
    pub(crate) fn new(position: impl Fn(&str) -> Option<usize>, want: &Selection) -> Result<Self> {
        if position(want.time_column).is_none() {
            return Err(Error::new(ErrorKind::Column, "the file has no column that dates its rows")
                .column(want.time_column)
                .help("write the file again with this column, or take it out of the folder"));
        }
        let is_wanted = |column: &WantedColumn| {
            column.only_without.is_empty() || column.only_without.iter().any(|other| position(other).is_none())
        };
        let time = WantedColumn::new(want.time_column, ColumnKind::Instant);
        let column = |column: &WantedColumn| Column {
            name: column.name,
            kind: column.kind,
            position: position(column.name).filter(|_| is_wanted(column)),
        };
        Ok(Self(std::iter::once(&time).chain(&want.columns).map(column).collect()))
    }

    /// The columns.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Column> {
        self.0.iter()
    }

    /// Rows of the file as a chunk: the wanted columns in the wanted types, missing ones as `Null`. Labels among
    /// `numbered` are as they are wanted already.
    ///
    /// # Errors
    /// `Type`, with the column.
    pub(crate) fn chunk(&self, batch: &RecordBatch, numbered: &[(String, ArrayRef)]) -> Result<RecordBatch> {
        let mut fields = Vec::with_capacity(self.0.len());
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.0.len());
        for Column { name, kind, position } in &self.0 {
            let as_decoded = batch.column_by_name(name).filter(|_| position.is_some());
            let column = match (as_decoded, numbered.iter().find(|(column, _)| column == name)) {
                (_, Some((_, numbers))) => Arc::clone(numbers),
                (Some(column), None) => to_kind(column, *kind).map_err(|error| error.column(*name))?,
                (None, None) => Arc::new(NullArray::new(batch.num_rows())),
            };
            fields.push(Field::new(*name, column.data_type().clone(), true));
            columns.push(column);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
            .map_err(|error| Error::bug(error.to_string()))
    }
}
