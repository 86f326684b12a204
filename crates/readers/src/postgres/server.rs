//! The server: connecting to it, and what it says in our words. Nothing here shows a password.

use std::str::FromStr;
use std::time::Duration;

use sea_orm::{
    AccessMode, DatabaseConnection, DatabaseTransaction, DbErr, IsolationLevel, RuntimeErr, TransactionTrait,
};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};
use tokaki_core::{Error, ErrorKind, Result};
use url::Url;

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How the server's administrator sees us.
const APPLICATION_NAME: &str = concat!("tokaki/", env!("CARGO_PKG_VERSION"));

/// Where a database is and who we are there.
pub(super) struct Server {
    options: PgConnectOptions,
}

impl Server {
    /// The server of a `postgresql://` url; `key` is the setting that holds it.
    pub(super) fn parse(url: &str, key: &str) -> Result<Self> {
        let refuse = |message: &str| Err(Error::config(key, message));
        let parsed = match Url::parse(url) {
            Ok(parsed) if matches!(parsed.scheme(), "postgresql" | "postgres") => parsed,
            _ => return refuse("expected `postgresql://USER@HOST:PORT/DATABASE`"),
        };
        // A `#` or `?` inside a password ends it early: half of it would be taken for a host or an option, and shown.
        if parsed.fragment().is_some() || (parsed.username().is_empty() && url.contains('@')) {
            return refuse(
                "special characters in the user or password must be percent-encoded, for instance `#` as `%23`",
            );
        }
        // The driver logs parameters that it does not know, with their values.
        if parsed.query_pairs().any(|(key, _)| key.contains("password") && key != "password") {
            return refuse("no password but `password` is supported");
        }
        match PgConnectOptions::from_str(url) {
            Ok(options) => Ok(Self { options: options.application_name(APPLICATION_NAME).disable_statement_logging() }),
            Err(error) => refuse(&error.to_string()),
        }
    }

    /// A connection.
    pub(super) async fn connect(&self) -> Result<DatabaseConnection> {
        // sea-orm takes a pool only. A pool keeps trying a server that refuses, and in the end does not say why.
        let attempt = tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(&self.options)).await;
        match attempt {
            Ok(Ok(connection)) => connection.close().await.map_err(|error| self.sqlx_error(&error))?,
            Ok(Err(error)) => return Err(self.sqlx_error(&error)),
            Err(_) => return Err(self.unreachable(&format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()))),
        }
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(CONNECT_TIMEOUT);
        // Made of options and not of the url: sea-orm traces the url that it is given.
        let pool = pool.connect_with(self.options.clone()).await.map_err(|error| self.sqlx_error(&error))?;
        Ok(pool.into())
    }

    /// A transaction that sees the database as of its first statement, and changes nothing.
    pub(super) async fn snapshot(&self, database: &DatabaseConnection) -> Result<DatabaseTransaction> {
        let (isolation, access) = (IsolationLevel::RepeatableRead, AccessMode::ReadOnly);
        database.begin_with_config(Some(isolation), Some(access)).await.map_err(|error| self.error(&error))
    }

    /// An error of sea-orm.
    pub(super) fn error(&self, error: &DbErr) -> Error {
        match error {
            DbErr::Conn(RuntimeErr::SqlxError(error))
            | DbErr::Exec(RuntimeErr::SqlxError(error))
            | DbErr::Query(RuntimeErr::SqlxError(error)) => self.sqlx_error(error),
            DbErr::Type(message) => not_as_koku_defines_it(message),
            other => self.unreachable(&other.to_string()),
        }
    }

    /// An error of the driver.
    fn sqlx_error(&self, error: &sqlx::Error) -> Error {
        let database = match error {
            sqlx::Error::Database(database) => database,
            sqlx::Error::ColumnDecode { .. } => return not_as_koku_defines_it(&error.to_string()),
            other => return self.unreachable(&other.to_string()),
        };
        let code = database.code().unwrap_or_default();
        let message = format!("PostgreSQL at {} says: {} [{code}]", self.place(), database.message());
        // Classes of <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
        match code.as_ref() {
            // A table, column or operator that does not exist: wherever we look, these are not Koku's tables.
            "42P01" | "42703" | "42883" => Error::new(ErrorKind::Reference, message)
                .help("reference.schema, or else the org of the run, must be a customer schema of Koku"),
            "42501" => Error::new(ErrorKind::Access, message).help(format!(
                "grant user {} USAGE on the schema and SELECT on its tables",
                self.options.get_username()
            )),
            code if code.starts_with("28") => {
                Error::new(ErrorKind::Access, message).help("look at user and password of reference.url")
            }
            _ => Error::new(ErrorKind::Database, message),
        }
    }

    fn unreachable(&self, reason: &str) -> Error {
        Error::new(ErrorKind::Database, format!("PostgreSQL at {} cannot be used: {reason}", self.place()))
            .help("look whether host and port of reference.url are right and the server runs")
    }

    /// `host:port`.
    fn place(&self) -> String {
        match self.options.get_socket() {
            Some(socket) => format!("{}:{}", socket.display(), self.options.get_port()),
            None => format!("{}:{}", self.options.get_host(), self.options.get_port()),
        }
    }
}

fn not_as_koku_defines_it(message: &str) -> Error {
    Error::new(ErrorKind::Reference, format!("the table is not as Koku defines it: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_the_wrong_place_is_refused_without_showing_it() {
        for url in [
            "mysql://me:secret@db/koku",
            "postgres://me:12#secret@db/koku",
            "postgres://me:12?secret@db/koku",
            "postgres://me:x/secret@db",
            "postgres://me@db/koku?sslpassword=secret",
        ] {
            let error = Server::parse(url, "reference.url").err().expect("a broken url");
            assert_eq!(error.key(), Some("reference.url"));
            assert!(!format!("{error:?}").contains("secret"), "{error}");
        }
    }
}
