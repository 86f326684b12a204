//! Creating what is missing, as Koku defines it.

use std::sync::Arc;

use sea_orm::sea_query::{
    ColumnType, Index as Statement, IndexCreateStatement, IndexType, IntoIndexColumn, PostgresQueryBuilder, StringLen,
};
use sqlx::{AssertSqlSafe, PgConnection};
use tokaki_core::output::Index;
use tokaki_core::{FieldKind, Table};

use super::catalog::Found;
use super::fault::Fault;
use super::silence::TO_WRITE;
use super::transaction::Task;
use super::{locks, partition};
use crate::statements::create_table;
use crate::target::Target;

/// Creates the missing parts of all destinations, in a transaction of their own. Never alters what exists.
///
/// They do not belong to the transaction that replaces the rows: to create a partition locks the whole table against
/// readers, until the end of the transaction. What is left of a run that fails later holds no rows, and Koku itself
/// creates partitions long before there are any.
pub(super) async fn complete(connection: &mut PgConnection, task: &Task) -> Result<(), Fault> {
    let server = &task.server;
    let backend = server.begin(connection, TO_WRITE).await?;
    match server.heard(backend, create_missing(connection, task)).await {
        Ok(()) => server.heard(backend, execute(connection, task, "COMMIT")).await,
        Err(Fault::Passing(error)) => Err(Fault::Passing(error)),
        // Koku, which knows nothing of our lock, may have created the same a moment ago.
        Err(Fault::Lasting(error)) => {
            server.soon(execute(connection, task, "ROLLBACK")).await?;
            let backend = server.begin(connection, TO_WRITE).await?;
            let complete = server.heard(backend, is_complete(connection, task)).await?;
            server.heard(backend, execute(connection, task, "COMMIT")).await?;
            if complete { Ok(()) } else { Err(Fault::Lasting(error)) }
        }
    }
}

async fn execute(connection: &mut PgConnection, task: &Task, statement: &'static str) -> Result<(), Fault> {
    sqlx::raw_sql(statement).execute(connection).await.map(drop).map_err(|error| task.server.fault(&error))
}

async fn is_complete(connection: &mut PgConnection, task: &Task) -> Result<bool, Fault> {
    for target in &task.targets {
        if !Found::look(connection, &task.server, &task.schema, target, &task.scope).await?.is_complete() {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn create_missing(connection: &mut PgConnection, task: &Task) -> Result<(), Fault> {
    if is_complete(connection, task).await? {
        return Ok(());
    }
    locks::take_definitions(connection, &task.schema).await.map_err(|error| task.server.fault(&error))?;
    for target in &task.targets {
        create(connection, task, target).await?;
    }
    Ok(())
}

async fn create(connection: &mut PgConnection, task: &Task, target: &Target) -> Result<(), Fault> {
    let Task { server, schema, scope, .. } = task;
    let failed = |error| server.fault(&error).at(&target.place(None));
    // Another run may have created it before it gave the lock away.
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
    if let Some(day) = table.day_field {
        create.partition_by_range([day]);
    }
    let indexes = table.indexes.iter().map(|index| create_index(schema, table, index).to_string(PostgresQueryBuilder));
    std::iter::once(create.to_string(PostgresQueryBuilder)).chain(indexes).collect()
}

fn column_type(kind: FieldKind) -> ColumnType {
    match kind {
        FieldKind::Uuid => ColumnType::Uuid,
        FieldKind::Text(0) => ColumnType::Text,
        FieldKind::Text(length) => ColumnType::String(StringLen::N(length.into())),
        FieldKind::Texts(length) => ColumnType::Array(Arc::new(column_type(FieldKind::Text(length)))),
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
