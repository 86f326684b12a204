//! Where a run writes, and how one looks at it afterwards.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;
use xtask::postgres::Server;

use crate::Result;
use crate::rows::{Column, Row, files, sql};

/// The summary table of spec § 10.
pub const DAILY_SUMMARY: &str = "reporting_ocpusagelineitem_daily_summary";

/// PostgreSQL's types for text, integers and numbers.
pub(crate) const POSTGRES_TYPES: [&str; 3] = ["text", "bigint", "double precision"];

/// The sinks there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sink {
    /// A file.
    Sqlite,
    /// A folder of files.
    Parquet,
    /// Schemas of a database.
    Postgres {
        /// Its URL.
        database: String,
    },
}

impl Sink {
    /// A database of one's own in the server of this process.
    ///
    /// # Errors
    /// There is no PostgreSQL; the message says what to do.
    pub fn postgres() -> Result<Self> {
        Ok(Self::Postgres { database: Server::shared()?.create_database()? })
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "sqlite",
            Self::Parquet => "parquet",
            Self::Postgres { .. } => "postgres",
        })
    }
}

/// A place of one's own to write to.
#[derive(Debug)]
pub struct Destination<'a> {
    sink: &'a Sink,
    folder: TempDir,
    /// One for each destination, all in one database: a schema is made faster than a database.
    schema: String,
}

impl<'a> Destination<'a> {
    /// A destination that does not exist yet.
    ///
    /// # Errors
    /// There is no temporary folder.
    pub fn new(sink: &'a Sink) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        Self::in_schema(sink, &format!("tokaki_{}", COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    /// A destination whose schema, if the sink has any, is this one.
    ///
    /// # Errors
    /// There is no temporary folder.
    pub fn in_schema(sink: &'a Sink, schema: &str) -> Result<Self> {
        Ok(Self { sink, folder: tempfile::tempdir()?, schema: schema.to_owned() })
    }

    /// What tells `tokaki run` to write here.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["--sink".to_owned()];
        match self.sink {
            Sink::Sqlite => arguments.push(format!("sqlite:{}", self.sqlite_file().display())),
            Sink::Parquet => arguments.push(format!("parquet:{}", self.folder.path().display())),
            Sink::Postgres { database } => {
                arguments.extend([database.clone(), "--set".to_owned(), format!("sink.schema={}", self.schema)]);
            }
        }
        arguments
    }

    /// Names of the tables that were written, in order.
    ///
    /// # Errors
    /// The destination does not exist or cannot be read.
    pub fn tables(&self) -> Result<Vec<String>> {
        match self.sink {
            Sink::Parquet => {
                let mut tables = Vec::new();
                for entry in fs::read_dir(self.folder.path())? {
                    let name = entry?.file_name().to_string_lossy().into_owned();
                    tables.extend(name.strip_suffix(".parquet").map(str::to_owned));
                }
                tables.sort();
                Ok(tables)
            }
            Sink::Sqlite => wait_for(async {
                let query = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
                Ok(sqlx::query_scalar(query).fetch_all(&mut self.sqlite().await?).await?)
            }),
            Sink::Postgres { database } => wait_for(async {
                let query = "SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace($1) \
                    AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1";
                let mut connection = PgConnection::connect(database).await?;
                Ok(sqlx::query_scalar(query).bind(&self.schema).fetch_all(&mut connection).await?)
            }),
        }
    }

    /// All columns of a table.
    ///
    /// # Errors
    /// The destination does not exist or cannot be read.
    pub fn columns(&self, table: &str) -> Result<Vec<Column>> {
        let declared: Vec<(String, String)> = match self.sink {
            Sink::Parquet => return files::columns(&self.parquet_file(table)),
            Sink::Sqlite => wait_for(async {
                let query = sqlx::query_as("SELECT name, type FROM pragma_table_info(?)").bind(table);
                Ok(query.fetch_all(&mut self.sqlite().await?).await?)
            }),
            Sink::Postgres { database } => wait_for(async {
                let query = "SELECT column_name::text, data_type::text FROM information_schema.columns \
                    WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position";
                let mut connection = PgConnection::connect(database).await?;
                Ok(sqlx::query_as(query).bind(&self.schema).bind(table).fetch_all(&mut connection).await?)
            }),
        }?;
        Ok(declared.iter().map(|(name, declared)| sql::column(name, declared)).collect())
    }

    /// The `columns` of all rows of a table.
    ///
    /// # Errors
    /// The table or a column is missing.
    pub fn read(&self, table: &str, columns: &[Column]) -> Result<Vec<Row>> {
        match self.sink {
            Sink::Parquet => files::read(&self.parquet_file(table), columns),
            Sink::Sqlite => wait_for(async {
                let query = sql::query(table, columns, ["TEXT", "INTEGER", "REAL"]);
                let answer = sqlx::query(AssertSqlSafe(query)).fetch_all(&mut self.sqlite().await?).await?;
                sql::read(&answer, columns)
            }),
            Sink::Postgres { database } => wait_for(async {
                let query = sql::query(&format!("{}.{table}", self.schema), columns, POSTGRES_TYPES);
                let mut connection = PgConnection::connect(database).await?;
                sql::read(&sqlx::query(AssertSqlSafe(query)).fetch_all(&mut connection).await?, columns)
            }),
        }
    }

    /// Copies a table to a Parquet file.
    ///
    /// # Errors
    /// The table cannot be read or the file not be written.
    pub fn export(&self, table: &str, file: &Path) -> Result<()> {
        if *self.sink == Sink::Parquet {
            fs::copy(self.parquet_file(table), file)?;
            return Ok(());
        }
        let columns = self.columns(table)?;
        files::write(file, &columns, &self.read(table, &columns)?)
    }

    fn parquet_file(&self, table: &str) -> PathBuf {
        self.folder.path().join(format!("{table}.parquet"))
    }

    fn sqlite_file(&self) -> PathBuf {
        self.folder.path().join("usage.db")
    }

    async fn sqlite(&self) -> sqlx::Result<SqliteConnection> {
        // Not read-only: after a kill the first to look rolls back.
        SqliteConnectOptions::new().filename(self.sqlite_file()).connect().await
    }
}

/// Carries out what has to wait for a database.
pub(crate) fn wait_for<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
