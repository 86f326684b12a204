//! One attempt to replace rows, in one transaction.

use std::time::Duration;

use arrow::array::RecordBatch;
use chrono::NaiveDate;
use sea_orm::sea_query::{Expr, ExprTrait, Func, PostgresQueryBuilder};
use sea_query_sqlx::SqlxBinder;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use tokaki_core::{Destination, Output, RowsOfDay, Scope};

use super::catalog::Found;
use super::copy::copy;
use super::fault::Fault;
use super::partition::quoted;
use super::server::Server;
use super::silence::{Backend, TO_WRITE};
use super::{define, locks};
use crate::ids::TakenIds;
use crate::target::{Target, destination, table_place};
use crate::{statements, undated};

/// What is to be replaced.
#[derive(Clone)]
pub(super) struct Task {
    pub(super) server: Server,
    pub(super) schema: String,
    pub(super) scope: Scope,
    pub(super) targets: Vec<Target>,
    pub(super) create_missing: bool,
    pub(super) lock_wait: Duration,
}

/// A transaction under way. Dropping the connection ends it on the server, and nothing has changed.
pub(super) struct Transaction {
    connection: PgConnection,
    backend: Backend,
    /// PostgreSQL's number of the transaction.
    number: i64,
    taken_ids: TakenIds,
    removed: Vec<RowsOfDay>,
}

impl Transaction {
    /// Creates what is missing, then begins and waits until no one else writes rows of the source.
    pub(super) async fn begin(task: &Task) -> Result<Self, Fault> {
        let server = &task.server;
        let mut connection = server.connect().await?;
        if task.create_missing {
            define::complete(&mut connection, task).await?;
        }
        // The delete must see what others committed while this waited for its locks.
        let backend = server.begin(&mut connection, TO_WRITE).await?;
        let number = async {
            // Days come as they are read and computed, which takes as long as it takes.
            let settings = "SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL search_path = pg_catalog";
            let set = sqlx::raw_sql(settings).execute(&mut connection).await;
            set.map_err(|error| server.fault(&error))?;
            locks::take_sources(&mut connection, task).await?;
            let number = sqlx::query_scalar("SELECT txid_current()").persistent(false).fetch_one(&mut connection).await;
            number.map_err(|error| server.fault(&error))
        };
        let number = server.heard(backend, number).await?;
        Ok(Self { connection, backend, number, taken_ids: TakenIds::default(), removed: Vec::new() })
    }

    /// Deletes the owned rows, and remembers the ids of those that stay.
    pub(super) async fn delete(&mut self, task: &Task) -> Result<(), Fault> {
        let (server, connection) = (&task.server, &mut self.connection);
        let delete = async {
            for target in &task.targets {
                let found = Found::look(connection, server, &task.schema, target, &task.scope).await?;
                found.require_complete(target, task.scope.days)?;
                let failed = |error| server.fault(&error).at(&target.place(None));
                self.removed.extend(delete(connection, task, target).await.map_err(failed)?);
                self.taken_ids.extend(spared_ids(connection, task, target).await.map_err(failed)?);
            }
            Ok(())
        };
        server.heard(self.backend, delete).await
    }

    /// Adds rows.
    pub(super) async fn append(&mut self, task: &Task, output: &Output, rows: &RecordBatch) -> Result<(), Fault> {
        let table = destination(output)?.table;
        let rows = self.taken_ids.avoid(table, rows)?;
        let copied = copy(&mut self.connection, &task.server, self.backend, &task.schema, output, &rows).await;
        copied.map_err(|fault| fault.at(&table_place(table)))
    }

    /// Takes the rows of an output without days, and keeps others from adding to them until the end of the transaction.
    pub(super) async fn take(&mut self, task: &Task, output: &Output) -> Result<RecordBatch, Fault> {
        let Destination { table, owned, .. } = destination(output)?;
        let (server, connection) = (&task.server, &mut self.connection);
        let failed = |error| server.fault(&error).at(&table_place(table));
        let name = || (task.schema.clone(), table.name);
        let rows = async {
            let lock =
                format!("LOCK TABLE {}.{} IN SHARE ROW EXCLUSIVE MODE", quoted(&task.schema), quoted(table.name));
            sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut *connection).await.map_err(failed)?;
            let json = |list: Expr| Func::cust("array_to_json").arg(list).cast_as("text");
            let select = statements::select_undated(name(), table, &output.fields, owned, json);
            let (statement, values) = select.build_sqlx(PostgresQueryBuilder);
            let query = sqlx::query_with(AssertSqlSafe(statement), values).persistent(false);
            let rows = query.fetch_all(&mut *connection).await.map_err(failed)?;
            let delete = statements::delete(name(), table, task.scope.days, owned);
            let (statement, values) = delete.build_sqlx(PostgresQueryBuilder);
            let query = sqlx::query_with(AssertSqlSafe(statement), values).persistent(false);
            query.execute(&mut *connection).await.map_err(failed)?;
            Ok(rows)
        };
        let rows = server.heard(self.backend, rows).await?;
        let failed = |error| server.error(&error).at(&table_place(table));
        Ok(undated::batch(
            output,
            rows.len(),
            |row, column| rows[row].try_get(column).map_err(failed),
            |row, column| rows[row].try_get(column).map_err(failed),
        )?)
    }

    /// Makes everything visible.
    pub(super) async fn commit(mut self, server: &Server) -> Result<(), Fault> {
        let commit = sqlx::raw_sql("COMMIT").execute(&mut self.connection);
        server.heard(self.backend, async { commit.await.map_err(|error| server.fault(&error)) }).await?;
        // The rows are there, whatever happens to the connection now.
        self.connection.close().await.ok();
        Ok(())
    }

    /// Whether the transaction of that number was committed. It must have ended; holding its locks says so.
    pub(super) async fn is_committed(&mut self, number: i64, server: &Server) -> Result<bool, Fault> {
        let query = sqlx::query_scalar("SELECT txid_status($1) IS NOT DISTINCT FROM 'committed'").bind(number);
        let answer = query.persistent(false).fetch_one(&mut self.connection);
        server.soon(async { answer.await.map_err(|error| server.fault(&error)) }).await
    }

    /// PostgreSQL's number of this transaction.
    pub(super) fn number(&self) -> i64 {
        self.number
    }

    /// Rows that were deleted.
    pub(super) fn removed(&self) -> &[RowsOfDay] {
        &self.removed
    }
}

async fn delete(connection: &mut PgConnection, task: &Task, target: &Target) -> sqlx::Result<Vec<RowsOfDay>> {
    let mut removed = Vec::new();
    for conditions in &target.owned {
        let table = || (task.schema.clone(), target.table.name);
        let count = statements::count_by_day(table(), target.table, task.scope.days, conditions);
        // Rows without days stay until they are taken.
        let Some(count) = count else { continue };
        let (statement, values) = count.build_sqlx(PostgresQueryBuilder);
        let query = sqlx::query_as_with::<_, (NaiveDate, i64), _>(AssertSqlSafe(statement), values);
        let of_day = |(day, rows): (NaiveDate, i64)| RowsOfDay {
            table: target.table.name,
            owned: conditions.clone(),
            day,
            rows: rows.unsigned_abs(),
        };
        removed.extend(query.persistent(false).fetch_all(&mut *connection).await?.into_iter().map(of_day));
        let delete = statements::delete(table(), target.table, task.scope.days, conditions);
        let (statement, values) = delete.build_sqlx(PostgresQueryBuilder);
        sqlx::query_with(AssertSqlSafe(statement), values).persistent(false).execute(&mut *connection).await?;
    }
    Ok(removed)
}

async fn spared_ids(connection: &mut PgConnection, task: &Task, target: &Target) -> sqlx::Result<Vec<String>> {
    let mut ids = Vec::new();
    for conditions in &target.owned {
        let table = (task.schema.clone(), target.table.name);
        let spared = statements::spared_ids(table, target.table, task.scope.days, conditions);
        let Some(statement) = spared else { continue };
        let (statement, values) = statement.build_sqlx(PostgresQueryBuilder);
        let query = sqlx::query_scalar_with::<_, Option<String>, _>(AssertSqlSafe(statement), values);
        ids.extend(query.persistent(false).fetch_all(&mut *connection).await?.into_iter().flatten());
    }
    Ok(ids)
}
