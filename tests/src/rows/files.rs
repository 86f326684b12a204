//! Rows in Parquet files.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};

use super::{Column, Kind, Row, Value};
use crate::{Result, table};

/// The columns of a file.
///
/// # Errors
/// It is no Parquet file.
pub fn columns(file: &Path) -> Result<Vec<Column>> {
    let schema = table::schema(file)?;
    let column = |field: &arrow::datatypes::FieldRef| {
        let kind = match field.data_type() {
            DataType::Float64 => Kind::Number,
            DataType::Int32 | DataType::Int64 => Kind::Integer,
            DataType::Date32 => Kind::Date,
            _ => Kind::Text,
        };
        Column::new(field.name(), kind)
    };
    Ok(schema.fields().iter().map(column).collect())
}

/// The `columns` of a file.
///
/// # Errors
/// It is no Parquet file, or lacks a column.
pub fn read(file: &Path, columns: &[Column]) -> Result<Vec<Row>> {
    Ok(rows(&table::read(file)?, columns).map_err(|error| format!("{}: {error}", file.display()))?)
}

/// The `columns` of a batch.
///
/// # Errors
/// It lacks a column.
pub fn rows(batch: &RecordBatch, columns: &[Column]) -> Result<Vec<Row>> {
    let mut rows = vec![Row::new(); batch.num_rows()];
    for column in columns {
        let found = batch.column_by_name(&column.name);
        let array = found.ok_or_else(|| format!("the column {} is missing", column.name))?;
        let array = cast(array, &arrow_type(column.kind))?;
        for (index, row) in rows.iter_mut().enumerate() {
            row.insert(column.name.clone(), cell(column.kind, &array, index)?);
        }
    }
    Ok(rows)
}

/// Writes `rows` with the given `columns`: dates as dates, measures as doubles, everything else that is no integer as
/// text.
///
/// # Errors
/// The file cannot be written.
pub fn write(file: &Path, columns: &[Column], rows: &[Row]) -> Result<()> {
    let arrays = columns.iter().map(|column| Ok((&*column.name, array(column, rows)?, true)));
    table::write(file, &RecordBatch::try_from_iter_with_nullable(arrays.collect::<Result<Vec<_>>>()?)?)
}

fn arrow_type(kind: Kind) -> DataType {
    match kind {
        Kind::Integer => DataType::Int64,
        Kind::Number => DataType::Float64,
        Kind::Text | Kind::Date | Kind::Json => DataType::Utf8,
    }
}

fn cell(kind: Kind, array: &ArrayRef, index: usize) -> Result<Value> {
    if array.is_null(index) {
        return Ok(Value::Null);
    }
    match kind {
        Kind::Integer => Ok(Value::Integer(array.as_primitive::<Int64Type>().value(index))),
        Kind::Number => Ok(Value::Number(array.as_primitive::<Float64Type>().value(index))),
        Kind::Text | Kind::Date | Kind::Json => {
            Value::of_text(kind, Some(array.as_string::<i32>().value(index).to_owned()))
        }
    }
}

fn array(column: &Column, rows: &[Row]) -> Result<ArrayRef> {
    let values = rows.iter().map(|row| row.get(&column.name).unwrap_or(&Value::Null));
    Ok(match column.kind {
        Kind::Integer => {
            let integer = |value: &Value| if let Value::Integer(integer) = value { Some(*integer) } else { None };
            Arc::new(values.map(integer).collect::<Int64Array>())
        }
        Kind::Number => Arc::new(values.map(Value::number).collect::<Float64Array>()),
        Kind::Text | Kind::Json => Arc::new(values.map(Value::text).collect::<StringArray>()),
        Kind::Date => {
            let days: ArrayRef = Arc::new(values.map(Value::text).collect::<StringArray>());
            cast(&days, &DataType::Date32)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let columns = [
            Column::new("usage_start", Kind::Date),
            Column::new("pod_labels", Kind::Json),
            Column::new("report_period_id", Kind::Integer),
            Column::new("pod_usage_cpu_core_hours", Kind::Number),
        ];
        let cells = [
            Value::Date("2025-10-01".into()),
            Value::Json(r#"{"app":"shop"}"#.into()),
            Value::Integer(7),
            Value::Number(1.5),
        ];
        let row = |cells: &[Value]| -> Row {
            columns.iter().zip(cells).map(|(column, cell)| (column.name.clone(), cell.clone())).collect()
        };
        let rows = [row(&cells), row(&[const { Value::Null }; 4])];
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("rows.parquet");
        write(&file, &columns, &rows).expect("a file");
        assert_eq!(super::columns(&file).expect("columns"), columns);
        assert_eq!(read(&file, &columns).expect("rows"), rows);
    }
}
