//! Rows in one comparable form, wherever they were written.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use sqlx::{ColumnIndex, Database, Decode, Type};

use super::Result;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Number,
    Date,
    Json,
}

/// A column that is to be compared.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Text(String),
    Integer(i64),
    Number(f64),
    /// As `2025-10-01`.
    Date(String),
    /// In the one spelling that all equal values have: see [`canonical`].
    Json(String),
}

/// Cells by column name.
pub(crate) type Row = BTreeMap<String, Value>;

impl Value {
    fn of_text(kind: Kind, text: Option<String>) -> Result<Self> {
        Ok(match (kind, text) {
            (_, None) => Self::Null,
            (Kind::Json, Some(text)) => Self::Json(canonical(&serde_json::from_str(&text)?)),
            (Kind::Date, Some(text)) => Self::Date(text),
            (_, Some(text)) => Self::Text(text),
        })
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Integer(integer) => write!(f, "{integer}"),
            Self::Number(number) => write!(f, "{number:?}"),
            Self::Date(text) | Self::Json(text) => f.write_str(text),
        }
    }
}

/// A spelling of JSON that is the same for values that are the same: sorted keys, no blanks, numbers as doubles.
fn canonical(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(pairs) => {
            let sorted: BTreeMap<_, _> = pairs.iter().collect();
            let pairs =
                sorted.into_iter().map(|(key, value)| format!("{}:{}", serde_json::json!(key), canonical(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
        }
        serde_json::Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        serde_json::Value::Number(number) => format!("{:?}", number.as_f64().unwrap_or(f64::NAN)),
        other => other.to_string(),
    }
}

/// The columns of a file of expected rows.
pub(crate) fn columns(file: &Path) -> Result<Vec<Column>> {
    let schema = ParquetRecordBatchReaderBuilder::try_new(File::open(file)?)?.schema().clone();
    let column = |field: &arrow::datatypes::FieldRef| {
        let is_json = field.name().ends_with("_labels") || field.name() == "infrastructure_usage_cost";
        let kind = match field.data_type() {
            DataType::Float64 => Kind::Number,
            DataType::Int32 | DataType::Int64 => Kind::Integer,
            DataType::Date32 => Kind::Date,
            _ if is_json => Kind::Json,
            _ => Kind::Text,
        };
        Column { name: field.name().clone(), kind }
    };
    Ok(schema.fields().iter().map(column).collect())
}

/// The `columns` of a Parquet file.
pub(crate) fn of_parquet(file: &Path, columns: &[Column]) -> Result<Vec<Row>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file)?)?;
    let schema = reader.schema().clone();
    let batches = reader.build()?.collect::<std::result::Result<Vec<_>, _>>()?;
    let batch = concat_batches(&schema, &batches)?;
    let mut rows = vec![Row::new(); batch.num_rows()];
    for column in columns {
        let found = batch.column_by_name(&column.name);
        let array = found.ok_or_else(|| format!("{} lacks the column {}", file.display(), column.name))?;
        let array = cast(array, &arrow_type(column.kind))?;
        for (index, row) in rows.iter_mut().enumerate() {
            row.insert(column.name.clone(), cell(column.kind, &array, index)?);
        }
    }
    Ok(rows)
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

/// The query whose rows [`of_sql`] understands. The types' names are those of the database for text, 64-bit integers
/// and doubles. Names are not quoted, because SQLite takes a quoted name that it does not know for a text.
pub(crate) fn query(table: &str, columns: &[Column], [text, integer, number]: [&str; 3]) -> String {
    let typed = columns.iter().map(|column| {
        let database_type = match column.kind {
            Kind::Integer => integer,
            Kind::Number => number,
            Kind::Text | Kind::Date | Kind::Json => text,
        };
        format!("CAST({} AS {database_type})", column.name)
    });
    format!("SELECT {} FROM {table}", typed.collect::<Vec<_>>().join(", "))
}

/// A database's answer to [`query`].
pub(crate) fn of_sql<R: sqlx::Row>(answer: &[R], columns: &[Column]) -> Result<Vec<Row>>
where
    usize: ColumnIndex<R>,
    for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> f64: Decode<'r, R::Database> + Type<R::Database>,
    R::Database: Database,
{
    let value = |row: &R, index: usize, kind: Kind| -> Result<Value> {
        Ok(match kind {
            Kind::Integer => row.try_get::<Option<i64>, _>(index)?.map_or(Value::Null, Value::Integer),
            Kind::Number => row.try_get::<Option<f64>, _>(index)?.map_or(Value::Null, Value::Number),
            Kind::Text | Kind::Date | Kind::Json => Value::of_text(kind, row.try_get(index)?)?,
        })
    };
    answer
        .iter()
        .map(|row| {
            let cells = columns.iter().enumerate();
            cells.map(|(index, column)| Ok((column.name.clone(), value(row, index, column.kind)?))).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_compared_by_value() {
        let of = |text: &str| Value::of_text(Kind::Json, Some(text.to_owned())).expect("JSON");
        assert_eq!(of(r#"{"b": 0, "a": "\u00e9"}"#), of(r#"{"a":"é","b":0.0}"#));
        assert_ne!(of(r#"{"a": null}"#), of("{}"));
        assert_ne!(of(r#"{"a": "1"}"#), of(r#"{"a": 1}"#));
    }
}
