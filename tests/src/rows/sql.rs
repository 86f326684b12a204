//! Rows in databases.

use sqlx::{ColumnIndex, Database, Decode, Type};

use super::{Column, Kind, Row, Value};
use crate::Result;

/// A column as a database declares it.
pub fn column(name: &str, declared: &str) -> Column {
    let kind = match declared.to_ascii_lowercase().as_str() {
        "integer" | "bigint" | "smallint" => Kind::Integer,
        "real" | "numeric" | "double precision" => Kind::Number,
        "date" => Kind::Date,
        "jsonb" | "json" => Kind::Json,
        _ => Kind::Text,
    };
    Column::new(name, kind)
}

/// The query whose rows [`read`] understands. The types' names are those of the database for text, 64-bit integers and
/// doubles. Names are not quoted, because SQLite takes a quoted name that it does not know for a text;
/// only one that is a word of SQL is.
pub fn query(table: &str, columns: &[Column], [text, integer, number]: [&str; 3]) -> String {
    let typed = columns.iter().map(|column| {
        let database_type = match column.kind {
            Kind::Integer => integer,
            Kind::Number => number,
            Kind::Text | Kind::Date | Kind::Json => text,
        };
        let name = if *column.name == *"values" { "\"values\"" } else { &column.name };
        format!("CAST({name} AS {database_type})")
    });
    format!("SELECT {} FROM {table}", typed.collect::<Vec<_>>().join(", "))
}

/// A database's answer to [`query`].
///
/// # Errors
/// A cell holds something else than its column should.
pub fn read<R: sqlx::Row>(answer: &[R], columns: &[Column]) -> Result<Vec<Row>>
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
