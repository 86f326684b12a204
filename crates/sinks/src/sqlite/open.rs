//! Opening a database file.

use std::path::Path;
use std::time::Duration;

use sea_orm::DatabaseConnection;
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use tokaki_core::Result;

use super::errors::sqlx_error;

/// Opens a database that others may use. Waits so long for another writer.
pub(super) async fn existing(file: &Path, lock_wait: Duration) -> Result<DatabaseConnection> {
    connect(file, SqliteConnectOptions::new().busy_timeout(lock_wait)).await
}

/// Opens a file that nobody else knows and that is thrown away if anything fails: a journal on disk would serve nobody.
pub(super) async fn draft(file: &Path) -> Result<DatabaseConnection> {
    connect(file, SqliteConnectOptions::new().journal_mode(SqliteJournalMode::Memory)).await
}

async fn connect(file: &Path, options: SqliteConnectOptions) -> Result<DatabaseConnection> {
    // The options take the path as it is; in a url, a `?` or `%` of the name would be misread.
    let options = options.filename(file).create_if_missing(false).disable_statement_logging();
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
    pool.map(DatabaseConnection::from).map_err(|error| sqlx_error(file, &error))
}
