#![doc = include_str!("README.md")]

mod catalog;
mod copy;
mod define;
mod fault;
mod locks;
mod numeric;
mod partition;
mod replace;
mod rights;
mod rows;
mod server;
mod silence;
mod spool;
mod tls;
mod transaction;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::{Connection, PgConnection};
use tokaki_core::{Output, Replacement, Result, Scope, Section, Sink};

use self::fault::Fault;
pub use self::rows::CopyRows;
use self::server::Server;
use self::silence::TO_LOOK;
use self::transaction::Task;
use crate::SinkConfig;
use crate::disk::check_writable;
use crate::target::targets;

tokaki_core::register!(Sink, SinkConfig, "postgres", "Replaces rows in Koku's PostgreSQL tables.", build);

fn build(section: &Section) -> Result<Arc<dyn Sink>> {
    let config: SinkConfig = section.parse()?;
    let lock_wait = config.lock_wait();
    let SinkConfig { url, schema, create_missing, .. } = config;
    let server = Server::parse(&url, &format!("{}.url", section.path()))?;
    Ok(Arc::new(Postgres { server, schema, create_missing, lock_wait }))
}

/// A database.
struct Postgres {
    server: Server,
    schema: Option<String>,
    create_missing: bool,
    lock_wait: Duration,
}

impl Postgres {
    /// Looks whether the destination will take the rows, and ends the transaction.
    async fn look(&self, connection: &mut PgConnection, scope: &Scope, outputs: &[Output]) -> Result<()> {
        let failed = |error| self.server.error(&error);
        sqlx::raw_sql("SET LOCAL search_path = pg_catalog").execute(&mut *connection).await.map_err(failed)?;
        let schema = self.schema(scope);
        locks::check_readable(connection, &self.server, schema).await?;
        for target in &targets(outputs)? {
            let found = catalog::Found::look(connection, &self.server, schema, target, scope).await?;
            if self.create_missing {
                let rights = rights::Rights::look(connection, schema, target).await.map_err(failed)?;
                rights.require_for(found, target)?;
            } else {
                found.require_complete(target, scope.days)?;
            }
        }
        sqlx::raw_sql("COMMIT").execute(connection).await.map(drop).map_err(failed)
    }

    fn schema<'a>(&'a self, scope: &'a Scope) -> &'a str {
        self.schema.as_deref().unwrap_or(&scope.org)
    }
}

#[async_trait]
impl Sink for Postgres {
    async fn check(&self, scope: &Scope, outputs: &[Output]) -> Result<()> {
        check_writable(&spool::folder())?;
        let mut connection = self.server.connect().await?;
        // One transaction, so that a pooler keeps us on one connection.
        let backend = self.server.begin(&mut connection, TO_LOOK).await?;
        let look = self.look(&mut connection, scope, outputs);
        self.server.heard(backend, async { look.await.map_err(Fault::from) }).await?;
        connection.close().await.map_err(|error| self.server.error(&error))
    }

    async fn begin(&self, scope: &Scope, outputs: &[Output]) -> Result<Box<dyn Replacement>> {
        let task = Task {
            server: self.server.clone(),
            schema: self.schema(scope).to_owned(),
            scope: scope.clone(),
            targets: targets(outputs)?,
            create_missing: self.create_missing,
            lock_wait: self.lock_wait,
        };
        Ok(Box::new(replace::PostgresReplacement::begin(task).await?))
    }
}
