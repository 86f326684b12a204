//! Rows without days as a batch, from a database's answer.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use tokaki_core::{Error, FieldKind, Output, Result};

/// The rows of an answer to [`crate::statements::select_undated`], of which the functions give the integer or text in a
/// row and column.
pub(crate) fn batch(
    output: &Output,
    rows: usize,
    integer: impl Fn(usize, usize) -> Result<Option<i32>>,
    text: impl Fn(usize, usize) -> Result<Option<String>>,
) -> Result<RecordBatch> {
    let columns = output.fields.iter().enumerate().map(|(column, field)| -> Result<ArrayRef> {
        Ok(match field.kind {
            FieldKind::Integer => Arc::new((0..rows).map(|row| integer(row, column)).collect::<Result<Int32Array>>()?),
            FieldKind::Date | FieldKind::Instant | FieldKind::Measure => {
                return Err(Error::bug("a table without days has texts and integers only").column(field.name));
            }
            _ => Arc::new((0..rows).map(|row| text(row, column)).collect::<Result<StringArray>>()?),
        })
    });
    let columns = columns.collect::<Result<_>>()?;
    RecordBatch::try_new(output.schema(), columns).map_err(|error| Error::bug(error.to_string()))
}
