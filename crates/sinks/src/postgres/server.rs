//! The server: connecting to it, and what it says in our words. Nothing here shows a password.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgDatabaseError};
use sqlx::{ConnectOptions, Connection};
use tokaki_core::{Error, ErrorKind, Result};
use url::Url;

use super::fault::{Fault, is_passing};
use super::locks::HELD;
use super::silence::take_patience;
use super::tls;
use crate::look::shell_word;

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How the server's administrator sees us.
pub(super) const APPLICATION_NAME: &str = concat!("tokaki/", env!("CARGO_PKG_VERSION"));

/// Where a database is and who we are there.
#[derive(Clone)]
pub(super) struct Server {
    options: PgConnectOptions,
    /// The setting that holds the url.
    key: String,
    /// How long it may say nothing before it is asked why.
    pub(super) patience: Duration,
}

impl Server {
    /// The server of a `postgresql://` url; `key` is the setting that holds it.
    pub(super) fn parse(url: &str, key: &str) -> Result<Self> {
        let refuse = |message: &str| Err(Error::config(key, message));
        let mut parsed = match Url::parse(url) {
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
        if let Err(reason) = tls::check_files(&parsed) {
            return refuse(&reason);
        }
        let patience = match take_patience(&mut parsed) {
            Ok(patience) => patience,
            Err(reason) => return refuse(&reason),
        };
        match PgConnectOptions::from_str(parsed.as_str()) {
            // A pooler refuses the startup parameter that the driver would send for floats, of which we read none.
            Ok(options) => {
                let options = tls::as_libpq(options, &parsed).application_name(APPLICATION_NAME);
                let options = options.extra_float_digits(None).disable_statement_logging();
                Ok(Self { options, key: key.to_owned(), patience })
            }
            Err(error) => refuse(&error.to_string()),
        }
    }

    /// A connection of its own. Closing it, or dropping it, ends a transaction that was not committed.
    ///
    /// No pool: a run needs one connection at a time, and a pool keeps trying a server that refuses.
    pub(super) async fn connect(&self) -> Result<PgConnection, Fault> {
        let connection = tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(&self.options)).await;
        match connection {
            Ok(connection) => connection.map_err(|error| match tls::refusal(&error) {
                Some(reason) => Fault::Lasting(self.untrusted(&reason)),
                None => self.fault(&error),
            }),
            Err(_) => {
                let reason = format!("no answer within {} s", CONNECT_TIMEOUT.as_secs());
                Err(Fault::Passing(self.unreachable(&reason)))
            }
        }
    }

    /// `host:port`.
    fn place(&self) -> String {
        match self.options.get_socket() {
            Some(socket) => format!("{}:{}", socket.display(), self.options.get_port()),
            None => format!("{}:{}", self.options.get_host(), self.options.get_port()),
        }
    }

    fn database(&self) -> &str {
        // PostgreSQL's own rule.
        self.options.get_database().unwrap_or(self.options.get_username())
    }

    /// The database as a url without user and password.
    pub(super) fn location(&self) -> String {
        format!("postgresql://{}/{}", self.place(), self.database())
    }

    /// A command that runs `query`.
    pub(super) fn psql(&self, query: &str) -> String {
        let socket = self.options.get_socket().map(|socket| socket.to_string_lossy());
        let host = socket.as_deref().unwrap_or(self.options.get_host());
        let [host, user, database] = [host, self.options.get_username(), self.database()].map(shell_word);
        format!("psql -h {host} -p {} -U {user} -d {database} -c {}", self.options.get_port(), shell_word(query))
    }

    /// An error of the driver during a transaction.
    pub(super) fn fault(&self, error: &sqlx::Error) -> Fault {
        if is_passing(error) { Fault::Passing(self.error(error)) } else { Fault::Lasting(self.error(error)) }
    }

    /// An error of the driver.
    pub(super) fn error(&self, error: &sqlx::Error) -> Error {
        let Some(database) = error.as_database_error() else {
            return self.unreachable(&error.to_string());
        };
        let code = database.code().unwrap_or_default();
        let context = database.try_downcast_ref::<PgDatabaseError>().and_then(|error| error.r#where());
        let column = context.and_then(column_of_copy);
        let message = format!("PostgreSQL at {} says: {} [{code}]", self.place(), database.message());
        // Classes of <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
        let error = match code.as_ref() {
            "42501" => {
                let help = format!("grant user {} the right to do so", self.options.get_username());
                Error::new(ErrorKind::Access, message).help(help)
            }
            "55P03" => Error::new(ErrorKind::Held, message).help(HELD),
            code if code.starts_with("28") => {
                Error::new(ErrorKind::Access, message).help("look at user and password of sink.url")
            }
            code if code.starts_with("22") => Error::new(ErrorKind::Type, message),
            _ => Error::new(ErrorKind::Database, message),
        };
        match column {
            Some(column) => error.column(column),
            None => error,
        }
    }

    fn untrusted(&self, reason: &str) -> Error {
        let message = format!("no secure connection to PostgreSQL at {}: {reason}", self.place());
        Error::config(&self.key, message).help("look at sslmode, sslrootcert, sslcert and sslkey of the url")
    }

    pub(super) fn unreachable(&self, reason: &str) -> Error {
        Error::new(ErrorKind::Database, format!("PostgreSQL at {} cannot be used: {reason}", self.place()))
            .help("look whether host and port of sink.url are right and the server runs")
    }
}

/// The column in the context of a failed binary `COPY`, for instance `COPY usage, line 2, column namespace`.
fn column_of_copy(context: &str) -> Option<&str> {
    let line = context.lines().find(|line| line.starts_with("COPY "))?;
    line.split_once(", column ").map(|(_, column)| column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_the_wrong_place_is_refused_without_showing_it() {
        for url in [
            "postgres://me:12#secret@db/koku",
            "postgres://me:12?secret@db/koku",
            "postgres://me:x/secret@db",
            "postgres://me@db/koku?sslpassword=secret",
        ] {
            let error = Server::parse(url, "sink.url").err().expect("a broken url");
            assert_eq!(error.key(), Some("sink.url"));
            assert!(!format!("{error:?}").contains("secret"), "{error}");
        }
    }

    #[test]
    fn commands_and_locations_show_no_password() {
        let server = Server::parse("postgres://me:secret@db:5433/my%20koku", "sink.url").expect("a server");
        assert_eq!(server.location(), "postgresql://db:5433/my koku");
        assert_eq!(server.psql("SELECT 1"), "psql -h db -p 5433 -U me -d 'my koku' -c 'SELECT 1'");
    }
}
