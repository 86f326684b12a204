//! Tables and their columns: looking at what exists, creating what is missing.

use std::collections::BTreeMap;
use std::path::Path;

use sea_orm::sea_query::{ColumnType, Index as Statement, IndexCreateStatement};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement as Query};
use tokaki_core::output::Index;
use tokaki_core::{Error, ErrorKind, FieldKind, Result, Table};

use super::errors::sqlite_error;
use crate::disk::place_of;
use crate::statements::create_table;
use crate::target::Target;

/// The declared type of a column.
fn type_name(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Integer => "INTEGER",
        FieldKind::Measure => "REAL",
        FieldKind::Uuid
        | FieldKind::Text(_)
        | FieldKind::Texts(_)
        | FieldKind::Date
        | FieldKind::Instant
        | FieldKind::Json => "TEXT",
    }
}

/// Refuses a table that lacks a column or has it with another type; tells whether the table exists.
pub(super) async fn check_table(
    database: &impl ConnectionTrait,
    file: &Path,
    target: &Target,
    create_missing: bool,
) -> Result<bool> {
    let refuse = |message: String, column: Option<&str>| {
        Err(Error::new(ErrorKind::Destination, message).at(&target.place(column)).at(&place_of(file)))
    };
    let columns = columns(database, target.table.name).await.map_err(|error| sqlite_error(file, &error))?;
    if columns.is_empty() {
        return if create_missing {
            Ok(false)
        } else {
            let refused = refuse("the table does not exist".into(), None);
            refused.map_err(|error| error.help("set sink.create_missing = true to have it created"))
        };
    }
    for field in &target.fields {
        let expected = type_name(field.kind);
        match columns.get(field.name) {
            None => return refuse(format!("the table lacks the column, expected {expected}"), Some(field.name)),
            Some(found) if !found.eq_ignore_ascii_case(expected) => {
                return refuse(format!("expected a column of type {expected}, found {found}"), Some(field.name));
            }
            Some(_) => {}
        }
    }
    Ok(true)
}

/// Declared types of a table's columns by name; empty if there is no such table.
async fn columns(database: &impl ConnectionTrait, table: &str) -> Result<BTreeMap<String, String>, DbErr> {
    let query = "SELECT name, type FROM pragma_table_info(?)";
    let rows = database.query_all_raw(Query::from_sql_and_values(DbBackend::Sqlite, query, [table.into()])).await?;
    rows.iter().map(|row| Ok((row.try_get("", "name")?, row.try_get("", "type")?))).collect()
}

/// Creates a table and its indexes.
pub(super) async fn create(database: &impl ConnectionTrait, table: &Table) -> Result<(), DbErr> {
    let type_of = |kind| ColumnType::custom(type_name(kind));
    database.execute(&create_table(table.name, table, type_of)).await?;
    for index in table.indexes {
        if let Some(statement) = create_index(table, index) {
            database.execute(&statement).await?;
        }
    }
    Ok(())
}

/// SQLite has no inverted indexes, and one kind of ordered index serves ranges and prefixes.
fn create_index(table: &Table, index: &Index) -> Option<IndexCreateStatement> {
    match *index {
        Index::Ordered(field) | Index::TextPrefix(field) => {
            let name = format!("{}_{field}", table.name);
            Some(Statement::create().if_not_exists().name(name).table(table.name).col(field).take())
        }
        Index::Json(_) => None,
    }
}
