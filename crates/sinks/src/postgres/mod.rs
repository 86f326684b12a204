#![doc = include_str!("README.md")]

mod catalog;
mod copy;
mod define;
mod numeric;
mod partition;
mod replace;
mod rows;
mod server;

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::Connection;
use tokaki_core::{Output, Replacement, Result, Scope, Section, Sink};

pub use self::rows::CopyRows;
use self::server::Server;
use crate::SinkConfig;
use crate::target::targets;

tokaki_core::register!(Sink, SinkConfig, "postgres", "Replaces rows in Koku's PostgreSQL tables.", build);

fn build(section: &Section) -> Result<Arc<dyn Sink>> {
    let SinkConfig { url, schema, create_missing } = section.parse()?;
    let server = Server::parse(&url, &format!("{}.url", section.path()))?;
    Ok(Arc::new(Postgres { server, schema, create_missing }))
}

/// A database.
struct Postgres {
    server: Server,
    schema: Option<String>,
    create_missing: bool,
}

impl Postgres {
    fn schema<'a>(&'a self, scope: &'a Scope) -> &'a str {
        self.schema.as_deref().unwrap_or(&scope.org)
    }
}

#[async_trait]
impl Sink for Postgres {
    async fn check(&self, scope: &Scope, outputs: &[Output]) -> Result<()> {
        let mut connection = self.server.connect().await?;
        for target in &targets(outputs)? {
            let found = catalog::Found::look(&mut connection, &self.server, self.schema(scope), target, scope).await?;
            if !self.create_missing {
                found.require_complete(target, scope.days)?;
            }
        }
        connection.close().await.map_err(|error| self.server.error(&error))
    }

    async fn begin(&self, scope: &Scope, outputs: &[Output]) -> Result<Box<dyn Replacement>> {
        let (server, schema, targets) = (self.server.clone(), self.schema(scope).to_owned(), targets(outputs)?);
        let replacement = replace::PostgresReplacement::begin(server, schema, scope, &targets, self.create_missing);
        Ok(Box::new(replacement.await?))
    }
}
