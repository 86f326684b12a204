//! Creating what is missing, as Koku defines it.

use sea_orm::sea_query::{
    ColumnType, Index as Statement, IndexCreateStatement, IndexType, IntoIndexColumn, PostgresQueryBuilder, StringLen,
};
use sqlx::{AssertSqlSafe, PgConnection};
use tokaki_core::output::Index;
use tokaki_core::{FieldKind, Result, Scope, Table};

use super::catalog::Found;
use super::partition;
use super::server::Server;
use crate::statements::create_table;
use crate::target::Target;

/// Creates the missing parts of a destination. Never alters what exists.
pub(super) async fn complete(
    connection: &mut PgConnection,
    server: &Server,
    schema: &str,
    target: &Target,
    scope: &Scope,
) -> Result<()> {
    let failed = |error| server.error(&error).at(&target.place(None));
    let found = Found::look(connection, server, schema, target, scope).await?;
    if !found.schema {
        let statement = format!("CREATE SCHEMA {}", partition::quoted(schema));
        run(connection, statement).await.map_err(failed)?;
    }
    if !found.table {
        for statement in definition(schema, target.table) {
            run(connection, statement).await.map_err(failed)?;
        }
    }
    if !found.month {
        partition::request(connection, schema, target.table, scope.days).await.map_err(failed)?;
        if !Found::look(connection, server, schema, target, scope).await?.month {
            partition::create(connection, schema, target.table, scope.days).await.map_err(failed)?;
        }
    }
    Ok(())
}

async fn run(connection: &mut PgConnection, statement: String) -> sqlx::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.map(drop)
}

fn definition(schema: &str, table: &Table) -> Vec<String> {
    let mut create = create_table((schema.to_owned(), table.name), table, column_type);
    create.partition_by_range([table.day_field]);
    let indexes = table.indexes.iter().map(|index| create_index(schema, table, index).to_string(PostgresQueryBuilder));
    std::iter::once(create.to_string(PostgresQueryBuilder)).chain(indexes).collect()
}

fn column_type(kind: FieldKind) -> ColumnType {
    match kind {
        FieldKind::Uuid => ColumnType::Uuid,
        FieldKind::Text(0) => ColumnType::Text,
        FieldKind::Text(length) => ColumnType::String(StringLen::N(length.into())),
        FieldKind::Integer => ColumnType::Integer,
        FieldKind::Date => ColumnType::Date,
        FieldKind::Instant => ColumnType::DateTime,
        FieldKind::Measure => ColumnType::Decimal(Some((33, 15))),
        FieldKind::Json => ColumnType::JsonBinary,
    }
}

/// An index without a name: PostgreSQL finds one that is free.
fn create_index(schema: &str, table: &Table, index: &Index) -> IndexCreateStatement {
    let mut statement = Statement::create();
    statement.table((schema.to_owned(), table.name));
    match *index {
        Index::Ordered(field) => statement.col(field),
        Index::TextPrefix(field) => statement.col(field.into_index_column().with_operator_class("varchar_pattern_ops")),
        Index::Json(field) => statement.col(field).index_type(IndexType::Custom("gin".into())),
    };
    statement
}
