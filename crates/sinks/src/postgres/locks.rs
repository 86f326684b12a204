//! Locks that keep writers of the same rows apart: Koku's, ours, and Koku's from ours.
//!
//! Koku serialises what it does to a provider's rows by two advisory locks: one on the cluster id, to the end of a
//! transaction, while it updates markup; one on the provider's uuid, to the end of a session, while it distributes costs.
//! A run takes both, in that order, and to the end of its transaction, since behind a pooler a session is not its own. It
//! locks the provider and not the asked days: of two runs over overlapping days each would miss the rows that the other
//! one has not committed yet, and leave them twice.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, PgConnection};
use tokaki_core::{Error, ErrorKind, Place, Result};
use uuid::Uuid;

use super::catalog::is_table;
use super::fault::Fault;
use super::partition::quoted;
use super::server::Server;
use super::transaction::Task;

/// What to do about rows that others hold.
pub(super) const HELD: &str = "run again when it has finished; sink.lock_wait_seconds says how long to wait for it";

/// Koku's table of report periods, which knows the cluster of a provider.
const REPORT_PERIODS: &str = "reporting_ocpusagereportperiod";

/// Waits until nobody else writes rows of the task's source, or of another one that its targets are about as well. Ends
/// with the transaction, and so does how long a statement of it waits for the rows of others. The sources are locked in
/// one order, so that no two runs wait for each other.
pub(super) async fn take_sources(connection: &mut PgConnection, task: &Task) -> Result<(), Fault> {
    // Who administers the server may have said that nobody waits so long. PostgreSQL takes 0 for as long as it takes.
    const LIMIT: &str = "SELECT set_config('lock_timeout', $1::text, true) FROM pg_settings \
         WHERE name = 'lock_timeout' AND (setting::bigint = 0 OR setting::bigint > $1)";
    let milliseconds = i64::from(i32::try_from(task.lock_wait.as_millis().max(1)).unwrap_or(i32::MAX));
    let limited = sqlx::query(LIMIT).bind(milliseconds).persistent(false).execute(&mut *connection).await;
    limited.map_err(|error| task.server.fault(&error))?;
    let sources = task.targets.iter().flat_map(|target| &target.also_of).chain([&task.scope.source_uuid]);
    for source in sources.collect::<BTreeSet<_>>() {
        take_source(connection, task, source).await?;
    }
    Ok(())
}

async fn take_source(connection: &mut PgConnection, task: &Task, source_uuid: &str) -> Result<(), Fault> {
    let Task { server, schema, .. } = task;
    let failed = |error| server.fault(&error);
    // Koku hashes Python's spelling of a uuid, which is this one.
    let provider = Uuid::try_parse(source_uuid).map_or(source_uuid.to_owned(), |uuid| uuid.to_string());
    let clusters = clusters(connection, schema, &provider).await.map_err(failed)?;
    for key in clusters.iter().chain([&provider]) {
        let lock = sqlx::query("SELECT pg_advisory_xact_lock(hashtext($1))").bind(key).persistent(false);
        if let Err(error) = lock.execute(&mut *connection).await {
            return match server.error(&error) {
                held if held.kind() == ErrorKind::Held => {
                    Err(Fault::Lasting(holder(server, key).await.unwrap_or(held)))
                }
                _ => Err(failed(error)),
            };
        }
    }
    Ok(())
}

/// Who holds the lock of `key`, as far as the server tells.
async fn holder(server: &Server, key: &str) -> Option<Error> {
    /// A key of 64 bits lies in two columns.
    const HOLDER: &str = "SELECT a.pid, a.application_name, to_char(a.xact_start AT TIME ZONE 'UTC', 'HH24:MI:SS') \
         FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid \
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND ((l.classid::bigint << 32) | l.objid::bigint) = hashtext($1)::bigint";
    let mut connection = server.connect().await.ok()?;
    let query = sqlx::query_as::<_, (i32, String, Option<String>)>(HOLDER).bind(key).persistent(false);
    let (pid, name, since) = query.fetch_optional(&mut connection).await.ok()??;
    let since = since.map(|since| format!(", in a transaction since {since} UTC")).unwrap_or_default();
    let name = if name.is_empty() { String::new() } else { format!(" ({name})") };
    let message = format!("the rows of {key} are held by process {pid} of the server{name}{since}");
    Some(Error::new(ErrorKind::Held, message).help(HELD))
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

/// Looks whether the locks of [`take_sources`] can be found out.
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
    let lock = sqlx::query("SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended($1, 0))")
        .bind(format!("tokaki {schema}"));
    lock.persistent(false).execute(connection).await.map(drop)
}
