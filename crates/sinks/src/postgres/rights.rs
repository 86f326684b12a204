//! What the user may create.

use sqlx::PgConnection;
use tokaki_core::{Error, ErrorKind, Result};

use super::catalog::Found;
use super::partition::TRACKING;
use crate::target::Target;

/// Rights to create what a destination lacks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rights {
    /// To create schemas.
    schemas: bool,
    /// To create tables in the schema; null if there is none.
    tables: Option<bool>,
    /// To create partitions of the table; null if there is none.
    partitions: Option<bool>,
    /// To ask Koku for partitions; null if it has no table for that.
    requests: Option<bool>,
}

impl Rights {
    /// Looks at the user's rights.
    pub(super) async fn look(connection: &mut PgConnection, schema: &str, target: &Target) -> sqlx::Result<Self> {
        // Only its owner may give a table a partition.
        let query = "SELECT has_database_privilege(current_database(), 'CREATE'), \
             (SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = $1), \
             (SELECT pg_has_role(c.relowner, 'USAGE') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
              WHERE n.nspname = $1 AND c.relname = $2), \
             (SELECT has_table_privilege(c.oid, 'INSERT') FROM pg_class c \
              JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $3)";
        let query = sqlx::query_as(query).bind(schema).bind(target.table.name).bind(TRACKING);
        let (schemas, tables, partitions, requests) = query.persistent(false).fetch_one(connection).await?;
        Ok(Self { schemas, tables, partitions, requests })
    }

    /// Refuses a destination that lacks what the user may not create.
    ///
    /// # Errors
    /// `Access`.
    pub(super) fn require_for(self, found: Found, target: &Target) -> Result<()> {
        let tables = self.tables == Some(true);
        let (allowed, lacking) = match found {
            Found { schema: false, .. } => (self.schemas, "create the schema"),
            Found { table: false, .. } => (tables, "create the table"),
            Found { month: false, .. } => {
                let itself = tables && self.partitions == Some(true);
                (self.requests.unwrap_or(itself), "create the partition of the month")
            }
            _ => return Ok(()),
        };
        if allowed {
            return Ok(());
        }
        let error = Error::new(ErrorKind::Access, format!("the user may not {lacking}, which does not exist"));
        Err(error.at(&target.place(None)).help("have Koku create it, or grant the right"))
    }
}
