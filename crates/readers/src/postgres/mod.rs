//! Reference data from Koku's tables in PostgreSQL. See `README.md` in this folder.

mod bill;
mod server;
mod tables;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use sea_orm::prelude::Uuid;
use serde::Deserialize;
use tokaki_core::{Error, ReferenceData, ReferenceSource, Result, Scope, Section};

use self::server::Server;
use self::tables::Tables;

tokaki_core::register!(
    Reference,
    PostgresConfig,
    "postgres",
    "What a cluster or an account needs to be known, from Koku's PostgreSQL tables.",
    build
);

/// Settings of the reference source `postgres`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PostgresConfig {
    /// Koku's database, `postgresql://USER@HOST:PORT/DATABASE`. Special characters in the user or password must be
    /// percent-encoded.
    pub url: String,
    /// PostgreSQL schema of the tables. Default: the org of the run.
    #[serde(default)]
    pub schema: Option<String>,
}

impl fmt::Debug for PostgresConfig {
    /// Leaves the url out: a password that was not percent-encoded may be in any part of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConfig").field("schema", &self.schema).finish_non_exhaustive()
    }
}

fn build(section: &Section) -> Result<Arc<dyn ReferenceSource>> {
    let PostgresConfig { url, schema } = section.parse()?;
    let server = Server::parse(&url, &format!("{}.url", section.path()))?;
    Ok(Arc::new(PostgresSource { server, schema }))
}

struct PostgresSource {
    server: Server,
    schema: Option<String>,
}

#[async_trait]
impl ReferenceSource for PostgresSource {
    async fn load(&self, scope: &Scope) -> Result<ReferenceData> {
        let source: Uuid = scope.source_uuid.parse().map_err(|_| {
            Error::config("scope.source_uuid", format!("expected a uuid, found `{}`", scope.source_uuid))
                .help("Koku's tables name a source by its provider uuid")
        })?;
        let database = self.server.connect().await?;
        let schema = self.schema.as_deref().unwrap_or(&scope.org);
        let tables = Tables { server: &self.server, schema, source };
        let reference = tables.read(&database, scope.days).await;
        // Whatever was read was read, however the connection ends.
        database.close().await.ok();
        reference
    }
}

#[cfg(test)]
mod tests;
