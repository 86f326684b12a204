//! Rows as insert statements.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int32Type};
use sea_orm::sea_query::{Expr, InsertStatement, Query, Value};
use tokaki_core::{Error, Output, Result};

use crate::target::destination;

/// Rows of one statement. More would not be faster.
const ROWS: usize = 800;
/// Variables of one statement, SQLite's limit.
const VARIABLES: usize = 32_766;

/// One statement for every few hundred `rows`.
pub(super) fn inserts<'a>(
    output: &'a Output,
    rows: &'a RecordBatch,
) -> impl Iterator<Item = Result<InsertStatement>> + 'a {
    let step = ROWS.min(VARIABLES / output.fields.len().max(1));
    (0..rows.num_rows()).step_by(step).map(move |start| {
        let mut statement = Query::insert();
        statement.into_table(destination(output)?.table.name).columns(output.fields.iter().map(|field| field.name));
        for row in start..rows.num_rows().min(start + step) {
            let values: Result<Vec<_>> = rows.columns().iter().map(|column| value(column, row)).collect();
            statement.values_panic(values?);
        }
        Ok(statement)
    })
}

fn value(column: &ArrayRef, row: usize) -> Result<Expr> {
    let valid = column.is_valid(row);
    let value: Value = match column.data_type() {
        DataType::Utf8 => valid.then(|| column.as_string::<i32>().value(row)).into(),
        DataType::Int32 => valid.then(|| column.as_primitive::<Int32Type>().value(row)).into(),
        DataType::Float64 => valid.then(|| column.as_primitive::<Float64Type>().value(row)).into(),
        // The driver writes dates as `YYYY-MM-DD`.
        DataType::Date32 if valid => column.as_primitive::<Date32Type>().value_as_date(row).into(),
        DataType::Date32 => Value::ChronoDate(None),
        other => return Err(Error::bug(format!("no output has columns of type {other}"))),
    };
    Ok(value.into())
}
