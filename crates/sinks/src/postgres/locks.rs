//! Locks that keep writers of the same rows apart: Koku's, ours, and Koku's from ours.
//!
//! Koku serialises what it does to a provider's rows by two advisory locks: one on the cluster id, to the end of a
//! transaction, while it updates markup; one on the provider's uuid, to the end of a session, while it distributes costs.
//! A run takes both, in that order, and to the end of its transaction, since behind a pooler a session is not its own. It
//! locks the provider and not the asked days: of two runs over overlapping days each would miss the rows that the other
//! one has not committed yet, and leave them twice.

use sqlx::{AssertSqlSafe, PgConnection};
use tokaki_core::{Error, ErrorKind, Place, Result, Scope};
use uuid::Uuid;

use super::catalog::is_table;
use super::partition::quoted;
use super::server::Server;

/// Koku's table of report periods, which knows the cluster of a provider.
const REPORT_PERIODS: &str = "reporting_ocpusagereportperiod";

/// Waits until nobody else writes rows of the scope's source. Ends with the transaction.
pub(super) async fn take_source(connection: &mut PgConnection, schema: &str, scope: &Scope) -> sqlx::Result<()> {
    // Koku hashes Python's spelling of a uuid, which is this one.
    let provider = Uuid::try_parse(&scope.source_uuid).map_or(scope.source_uuid.clone(), |uuid| uuid.to_string());
    for key in clusters(connection, schema, &provider).await?.iter().chain([&provider]) {
        let lock = sqlx::query("SELECT pg_advisory_xact_lock(hashtext($1))").bind(key).persistent(false);
        lock.execute(&mut *connection).await?;
    }
    Ok(())
}

/// The clusters that Koku knows of a provider, which is one. None where Koku has no tables: nobody locks them there.
async fn clusters(connection: &mut PgConnection, schema: &str, provider: &str) -> sqlx::Result<Vec<String>> {
    if !is_table(connection, schema, REPORT_PERIODS).await? {
        return Ok(Vec::new());
    }
    let query = format!(
        "SELECT DISTINCT cluster_id::text FROM {}.{REPORT_PERIODS} WHERE provider_id::text = $1 ORDER BY 1",
        quoted(schema)
    );
    sqlx::query_scalar(AssertSqlSafe(query)).bind(provider).persistent(false).fetch_all(connection).await
}

/// Looks whether the locks of [`take_source`] can be found out.
///
/// # Errors
/// `Access` if Koku's report periods may not be read.
pub(super) async fn check_readable(connection: &mut PgConnection, server: &Server, schema: &str) -> Result<()> {
    let query = "SELECT has_table_privilege(c.oid, 'SELECT') FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2";
    let query = sqlx::query_scalar(query).bind(schema).bind(REPORT_PERIODS).persistent(false);
    match query.fetch_optional(connection).await.map_err(|error| server.error(&error))? {
        Some(false) => Err(Error::new(ErrorKind::Access, "the user lacks the right SELECT")
            .at(&Place { table: Some(REPORT_PERIODS.into()), ..Place::default() })
            .help("grant it: Koku's writers of a cluster's rows lock its id, which stands there")),
        _ => Ok(()),
    }
}

/// Waits until no other run creates tables or partitions in `schema`. Ends with the transaction.
pub(super) async fn take_definitions(connection: &mut PgConnection, schema: &str) -> sqlx::Result<()> {
    let lock = sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))").bind(format!("tokaki {schema}"));
    lock.persistent(false).execute(connection).await.map(drop)
}
