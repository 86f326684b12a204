//! Where a run writes, and how a test looks at it afterwards.

use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tempfile::TempDir;
use xtask::postgres::Server;

use super::Result;
use super::table::{self, Column, Row};

/// The summary table of spec § 10.
const TABLE: &str = "reporting_ocpusagelineitem_daily_summary";

/// The sinks there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sink {
    Sqlite,
    Parquet,
    Postgres,
}

impl fmt::Display for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "sqlite",
            Self::Parquet => "parquet",
            Self::Postgres => "postgres",
        })
    }
}

/// A place of one's own to write to.
#[derive(Debug)]
pub(crate) struct Destination {
    sink: Sink,
    folder: TempDir,
    /// One for each destination, all in one database: a schema is made faster than a database.
    schema: String,
}

impl Destination {
    /// A destination that does not exist yet.
    pub(crate) fn new(sink: Sink) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let schema = format!("suite_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        Ok(Self { sink, folder: tempfile::tempdir()?, schema })
    }

    /// What tells `tokaki run` to write here.
    pub(crate) fn arguments(&self) -> Result<Vec<String>> {
        let mut arguments = vec!["--sink".to_owned()];
        match self.sink {
            Sink::Sqlite => arguments.push(format!("sqlite:{}", self.sqlite_file().display())),
            Sink::Parquet => arguments.push(format!("parquet:{}", self.folder.path().display())),
            Sink::Postgres => {
                arguments.extend([database()?.to_owned(), "--set".to_owned(), format!("sink.schema={}", self.schema)]);
            }
        }
        Ok(arguments)
    }

    /// The `columns` of all rows of the summary table.
    pub(crate) fn read(&self, columns: &[Column]) -> Result<Vec<Row>> {
        match self.sink {
            Sink::Parquet => table::of_parquet(&self.folder.path().join(format!("{TABLE}.parquet")), columns),
            Sink::Sqlite => wait_for(async {
                let query = table::query(TABLE, columns, ["TEXT", "INTEGER", "REAL"]);
                // Not read-only: after a kill the first to look rolls back.
                let options = SqliteConnectOptions::new().filename(self.sqlite_file());
                let mut connection = options.connect().await?;
                table::of_sql(&sqlx::query(AssertSqlSafe(query)).fetch_all(&mut connection).await?, columns)
            }),
            Sink::Postgres => wait_for(async {
                let name = format!("{}.{TABLE}", self.schema);
                let query = table::query(&name, columns, ["text", "bigint", "double precision"]);
                let mut connection = PgConnection::connect(database()?).await?;
                table::of_sql(&sqlx::query(AssertSqlSafe(query)).fetch_all(&mut connection).await?, columns)
            }),
        }
    }

    fn sqlite_file(&self) -> PathBuf {
        self.folder.path().join("usage.db")
    }
}

/// The one database of this process.
fn database() -> Result<&'static str> {
    static DATABASE: OnceLock<std::result::Result<String, String>> = OnceLock::new();
    let database = DATABASE.get_or_init(|| Server::shared()?.create_database());
    Ok(database.as_ref().map_err(String::clone)?)
}

fn wait_for<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
