//! Rows as text, which is how a test compares them.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Float64Type, Int32Type};

/// Some columns of every row as text, null as `-`, days as days since 1970-01-01, one row a line.
///
/// # Panics
/// If there is no such column, or it is of a type that no destination has.
pub fn shown(rows: &RecordBatch, columns: &[&str]) -> Vec<String> {
    let column = |name: &&str| rows.column_by_name(name).unwrap_or_else(|| panic!("there is no column `{name}`"));
    let columns: Vec<_> = columns.iter().map(column).collect();
    (0..rows.num_rows())
        .map(|row| columns.iter().map(|column| cell(column, row)).collect::<Vec<_>>().join(" "))
        .collect()
}

/// One value as text.
pub(super) fn cell(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        "-".to_owned()
    } else if let Some(texts) = column.as_string_opt::<i32>() {
        texts.value(row).to_owned()
    } else if let Some(numbers) = column.as_primitive_opt::<Float64Type>() {
        numbers.value(row).to_string()
    } else if let Some(days) = column.as_primitive_opt::<Date32Type>() {
        days.value(row).to_string()
    } else {
        column.as_primitive::<Int32Type>().value(row).to_string()
    }
}
