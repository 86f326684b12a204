//! A server that says nothing: at work, or out of reach.
//!
//! A way that is gone without a word, such as behind a firewall that forgot a connection, looks like a server that works
//! or waits for a lock, and a run would wait for ever. So after some silence a second connection asks what the server is
//! doing for the first one.

use std::time::Duration;

use sqlx::{Connection, PgConnection};
use url::Url;

use super::fault::Fault;
use super::server::{APPLICATION_NAME, Server};

/// Silence after which the server is asked, where the url says nothing.
const PATIENCE: Duration = Duration::from_secs(30);
/// The parameter of the url, which is libpq's own: milliseconds, of which 0 are the default.
const PARAMETER: &str = "tcp_user_timeout";

/// Begins a transaction in which each statement sees what others committed before it, whatever the database's default
/// is.
pub(super) const TO_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
/// Begins a transaction that changes nothing.
pub(super) const TO_LOOK: &str = "BEGIN READ ONLY";

/// The server's process for a transaction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backend(i32);

/// The silence that the url asks for, and the url without it: the driver does not know it.
pub(super) fn take_patience(url: &mut Url) -> Result<Duration, String> {
    let Some((_, text)) = url.query_pairs().find(|(key, _)| key == PARAMETER) else { return Ok(PATIENCE) };
    let milliseconds = text.parse().map_err(|_| format!("{PARAMETER} is no number of milliseconds"))?;
    let others: Vec<(String, String)> =
        url.query_pairs().into_owned().filter(|(key, _)| key.as_str() != PARAMETER).collect();
    url.set_query(None);
    if !others.is_empty() {
        url.query_pairs_mut().extend_pairs(others);
    }
    Ok(if milliseconds == 0 { PATIENCE } else { Duration::from_millis(milliseconds) })
}

impl Server {
    /// Begins a transaction by `begin`.
    pub(super) async fn begin(&self, connection: &mut PgConnection, begin: &'static str) -> Result<Backend, Fault> {
        let begin = async {
            sqlx::raw_sql(begin).execute(&mut *connection).await?;
            sqlx::query_scalar("SELECT pg_backend_pid()").persistent(false).fetch_one(connection).await
        };
        self.soon(async { begin.await.map(Backend).map_err(|error| self.fault(&error)) }).await
    }

    /// What comes of work that waits for nobody else.
    pub(super) async fn soon<T, E>(&self, work: impl Future<Output = Result<T, E>>) -> Result<T, Fault>
    where
        Fault: From<E>,
    {
        Ok(tokio::time::timeout(self.patience, work).await.map_err(|_| self.silent())??)
    }

    /// What comes of work in the transaction of `backend`, however long it takes, as long as the server is at it.
    pub(super) async fn heard<T>(
        &self,
        backend: Backend,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let mut work = std::pin::pin!(work);
        loop {
            if let Ok(done) = tokio::time::timeout(self.patience, &mut work).await {
                return done;
            }
            if !self.is_at_work(backend).await? {
                return Err(self.silent());
            }
        }
    }

    /// Whether the server does something for us or waits for somebody else. If it waits for us while we wait for it, its
    /// transaction is ended, because its locks would be held for hours.
    async fn is_at_work(&self, Backend(process): Backend) -> Result<bool, Fault> {
        let mut connection = self.connect().await?;
        let ask = async {
            // Between two statements it waits for us for a moment every time; in a copy we wait for each piece.
            let waits_for_us = "SELECT wait_event IS NOT DISTINCT FROM 'ClientRead' \
                 AND (state = 'active' OR state_change < clock_timestamp() - $3 * interval '1 second') \
                 FROM pg_stat_activity WHERE pid = $1 AND application_name = $2 AND usename = current_user";
            let query = sqlx::query_scalar(waits_for_us).bind(process).bind(APPLICATION_NAME);
            let query = query.bind(self.patience.as_secs_f64()).persistent(false);
            let waits_for_us: Option<bool> = query.fetch_optional(&mut connection).await?;
            if waits_for_us == Some(true) {
                let end = sqlx::query("SELECT pg_terminate_backend($1)").bind(process).persistent(false);
                end.execute(&mut connection).await?;
            }
            connection.close().await?;
            Ok(waits_for_us == Some(false))
        };
        self.soon(async { ask.await.map_err(|error| self.fault(&error)) }).await
    }

    fn silent(&self) -> Fault {
        Fault::Passing(self.unreachable(&format!("no answer within {} s", self.patience.as_secs_f64())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_taken_out_of_the_url() {
        for (query, milliseconds, left) in [
            ("", 30_000, ""),
            ("?sslmode=require", 30_000, "?sslmode=require"),
            ("?tcp_user_timeout=250", 250, ""),
            ("?sslmode=require&tcp_user_timeout=0&host=%2Frun", 30_000, "?sslmode=require&host=%2Frun"),
        ] {
            let mut url = Url::parse(&format!("postgresql://me@db/koku{query}")).expect("a url");
            assert_eq!(take_patience(&mut url), Ok(Duration::from_millis(milliseconds)), "{query}");
            assert_eq!(url.as_str(), format!("postgresql://me@db/koku{left}"));
        }
        let mut url = Url::parse("postgresql://me@db/koku?tcp_user_timeout=soon").expect("a url");
        assert!(take_patience(&mut url).is_err());
    }
}
