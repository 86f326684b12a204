//! One transaction that replaces rows.

use arrow::array::RecordBatch;
use async_trait::async_trait;
use sea_orm::sea_query::PostgresQueryBuilder;
use sea_query_sqlx::SqlxBinder;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokaki_core::{Error, Output, Receipt, Replacement, Result, Scope};

use super::catalog::Found;
use super::copy::copy;
use super::define;
use super::partition::quoted;
use super::server::Server;
use crate::ids::TakenIds;
use crate::limits::check_limits;
use crate::look::first_rows;
use crate::statements;
use crate::target::{Target, destination, table_place};

/// A transaction under way. Dropping the connection ends it on the server, and nothing has changed.
pub(super) struct PostgresReplacement {
    /// Taken out while rows are sent: if that fails or is cancelled, it is gone and nothing can be committed.
    connection: Option<PgConnection>,
    server: Server,
    schema: String,
    taken_ids: TakenIds,
    receipt: Receipt,
}

impl PostgresReplacement {
    /// Creates what is missing and deletes the owned rows.
    pub(super) async fn begin(
        server: Server,
        schema: String,
        scope: &Scope,
        targets: &[Target],
        create_missing: bool,
    ) -> Result<Self> {
        let mut connection = server.connect().await?;
        let mut receipt = Receipt { location: server.location(), ..Receipt::default() };
        sqlx::raw_sql("BEGIN").execute(&mut connection).await.map_err(|error| server.error(&error))?;
        let mut taken_ids = TakenIds::default();
        for target in targets {
            lock(&mut connection, &schema, target).await.map_err(|error| server.error(&error))?;
            if create_missing {
                define::complete(&mut connection, &server, &schema, target, scope).await?;
            } else {
                let found = Found::look(&mut connection, &server, &schema, target, scope).await?;
                found.require_complete(target, scope.days)?;
            }
            let deleted = delete(&mut connection, &schema, target, scope).await;
            receipt.rows_deleted += deleted.map_err(|error| server.error(&error).at(&target.place(None)))?;
            let spared = spared_ids(&mut connection, &schema, target, scope).await;
            taken_ids.extend(spared.map_err(|error| server.error(&error).at(&target.place(None)))?);
        }
        if let Some(target) = targets.first() {
            let table = format!("{}.{}", quoted(&schema), quoted(target.table.name));
            receipt.look = server.psql(&first_rows(target.table, &table));
        }
        Ok(Self { connection: Some(connection), server, schema, taken_ids, receipt })
    }

    fn take_connection(&mut self) -> Result<PgConnection> {
        self.connection.take().ok_or_else(|| Error::bug("a failed replacement was used again"))
    }
}

/// Two runs on one table go one after the other. Else both could create a partition, and two runs over the same days
/// would each miss the rows that the other one has not committed yet, and leave them twice.
async fn lock(connection: &mut PgConnection, schema: &str, target: &Target) -> sqlx::Result<()> {
    let key = format!("tokaki {schema}.{}", target.table.name);
    let query = sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))").bind(key);
    query.execute(connection).await.map(drop)
}

async fn delete(connection: &mut PgConnection, schema: &str, target: &Target, scope: &Scope) -> sqlx::Result<u64> {
    let mut deleted = 0;
    for conditions in &target.owned {
        let table = (schema.to_owned(), target.table.name);
        let (statement, values) =
            statements::delete(table, target.table, scope.days, conditions).build_sqlx(PostgresQueryBuilder);
        let query = sqlx::query_with(AssertSqlSafe(statement), values);
        deleted += query.execute(&mut *connection).await?.rows_affected();
    }
    Ok(deleted)
}

async fn spared_ids(
    connection: &mut PgConnection,
    schema: &str,
    target: &Target,
    scope: &Scope,
) -> sqlx::Result<Vec<String>> {
    let mut ids = Vec::new();
    for conditions in &target.owned {
        let table = (schema.to_owned(), target.table.name);
        let Some(statement) = statements::spared_ids(table, target.table, scope.days, conditions) else { continue };
        let (statement, values) = statement.build_sqlx(PostgresQueryBuilder);
        let query = sqlx::query_scalar_with::<_, Option<String>, _>(AssertSqlSafe(statement), values);
        ids.extend(query.fetch_all(&mut *connection).await?.into_iter().flatten());
    }
    Ok(ids)
}

#[async_trait]
impl Replacement for PostgresReplacement {
    async fn append(&mut self, output: &Output, rows: &RecordBatch) -> Result<()> {
        let mut connection = self.take_connection()?;
        check_limits(output, rows)?;
        let table = destination(output)?.table;
        let rows = self.taken_ids.avoid(table, rows)?;
        let copied = copy(&mut connection, &self.server, &self.schema, output, &rows).await;
        copied.map_err(|error| error.at(&table_place(table)))?;
        self.receipt.rows_inserted += rows.num_rows() as u64;
        self.connection = Some(connection);
        Ok(())
    }

    async fn commit(mut self: Box<Self>) -> Result<Receipt> {
        let mut connection = self.take_connection()?;
        sqlx::raw_sql("COMMIT").execute(&mut connection).await.map_err(|error| self.server.error(&error))?;
        // The rows are there, whatever happens to the connection now.
        connection.close().await.ok();
        Ok(self.receipt)
    }
}
