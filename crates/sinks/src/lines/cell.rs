//! A value as text, whatever the format of the line.

use std::fmt;

use arrow::array::{Array, AsArray, Date32Array, Float64Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{Date32Type, Float64Type, Int32Type};
use chrono::NaiveDate;
use tokaki_core::{Field, FieldKind, Output, Result};

use super::misfit;

/// A value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'a> {
    /// None.
    Null,
    /// Text, or a uuid.
    Text(&'a str),
    /// JSON text.
    Json(&'a str),
    /// A whole number.
    Integer(i32),
    /// A measure.
    Number(f64),
    /// A day.
    Day(NaiveDate),
}

impl fmt::Display for Cell<'_> {
    /// The shortest text that reads back as the same value; nothing for null.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Text(text) | Self::Json(text) => f.write_str(text),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Day(day) => write!(f, "{day}"),
        }
    }
}

/// A column of a batch.
pub(super) enum Column<'a> {
    Missing,
    Text(&'a StringArray),
    Json(&'a StringArray),
    Integer(&'a Int32Array),
    Number(&'a Float64Array),
    Day(&'a Date32Array),
}

impl Cell<'_> {
    /// The column of `field`; one of nulls if the output does not write it.
    pub(super) fn column<'a>(field: &Field, output: &Output, rows: &'a RecordBatch) -> Result<Column<'a>> {
        if !output.fields.contains(field) {
            return Ok(Column::Missing);
        }
        let array = rows.column_by_name(field.name).ok_or_else(|| misfit(field))?;
        let column = match field.kind {
            FieldKind::Uuid | FieldKind::Text(_) => array.as_string_opt().map(Column::Text),
            FieldKind::Texts(_) | FieldKind::Json => array.as_string_opt().map(Column::Json),
            FieldKind::Integer => array.as_primitive_opt::<Int32Type>().map(Column::Integer),
            FieldKind::Measure => array.as_primitive_opt::<Float64Type>().map(Column::Number),
            FieldKind::Date => array.as_primitive_opt::<Date32Type>().map(Column::Day),
            FieldKind::Instant => None,
        };
        column.ok_or_else(|| misfit(field))
    }
}

impl<'a> Column<'a> {
    /// The value of a row.
    pub(super) fn cell(&self, row: usize) -> Cell<'a> {
        match self {
            Self::Text(texts) if texts.is_valid(row) => Cell::Text(texts.value(row)),
            Self::Json(texts) if texts.is_valid(row) => Cell::Json(texts.value(row)),
            Self::Integer(numbers) if numbers.is_valid(row) => Cell::Integer(numbers.value(row)),
            Self::Number(numbers) if numbers.is_valid(row) => Cell::Number(numbers.value(row)),
            Self::Day(days) if days.is_valid(row) => days.value_as_date(row).map_or(Cell::Null, Cell::Day),
            _ => Cell::Null,
        }
    }
}
