//! The SQLite sink.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, SqlitePool};
use tempfile::TempDir;
use tokaki_core::{ErrorKind, Sink};

use crate::killed;
use crate::replacing::{begin, impatient_sink, replace, sink};
use tokaki_core::testkit::sinks::{Bench, Replacing};
use tokaki_core::testkit::sinks::{pods, scope, volumes};

struct SqliteBench {
    folder: TempDir,
    file: PathBuf,
    sink: Arc<dyn Sink>,
}

impl SqliteBench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("my usage?.db");
        let sink = sink("sqlite", &format!("sqlite:{}", file.display()), true).expect("a sink");
        Self { folder, file, sink }
    }

    async fn open(&self) -> SqlitePool {
        let options = SqliteConnectOptions::new().filename(&self.file).create_if_missing(false);
        SqlitePoolOptions::new().max_connections(1).connect_with(options).await.expect("a database")
    }

    async fn execute(&self, statement: &str) {
        let options = SqliteConnectOptions::new().filename(&self.file).create_if_missing(true);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.expect("a database");
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&pool).await.expect("a statement");
        pool.close().await;
    }

    fn names(&self) -> Vec<String> {
        let entries = self.folder.path().read_dir().expect("a folder");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }
}

#[async_trait]
impl Bench for SqliteBench {
    fn sink(&self) -> &dyn Sink {
        self.sink.as_ref()
    }

    async fn rows(&self) -> Vec<String> {
        if !self.file.exists() {
            return vec![];
        }
        let pool = self.open().await;
        let query = "SELECT concat_ws('|', data_source, usage_start, coalesce(namespace, '-'), \
             coalesce(pod_labels, '-'), iif(cpu_hours IS NULL, '-', format('%g', cpu_hours)), \
             iif(infrastructure_raw_cost IS NULL, '-', format('%g', infrastructure_raw_cost))) \
             FROM usage_daily_summary ORDER BY 1";
        let rows = sqlx::query_scalar(query).fetch_all(&pool).await.expect("rows");
        pool.close().await;
        rows
    }

    async fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.file).expect("a file")
    }
}

#[async_trait]
impl Replacing for SqliteBench {
    fn impatient_sink(&self) -> Arc<dyn Sink> {
        impatient_sink("sqlite", &format!("sqlite:{}", self.file.display()))
    }

    async fn set_cost(&self, namespace: &str, cost: f64) {
        let update = format!("UPDATE usage_daily_summary SET infrastructure_raw_cost = {cost} WHERE namespace = ");
        self.execute(&format!("{update}'{namespace}'")).await;
    }
}

tokaki_core::testkit::fixture!(Replacing, "sqlite", || Box::new(SqliteBench::new()));

#[tokio::test]
async fn a_killed_run_changes_nothing() {
    let bench = SqliteBench::new();
    killed::leaves_everything_as_it_was(&bench, "sqlite", &format!("sqlite:{}", bench.file.display())).await;
}

#[tokio::test]
async fn nothing_is_left_but_the_file() {
    let bench = SqliteBench::new();
    for _ in 0..2 {
        replace(bench.sink(), &scope("2025-09-01", "2025-09-01"), &[(pods(), &[])]).await.expect("a run");
    }
    assert_eq!(bench.names(), ["my usage?.db"]);
}

#[tokio::test]
async fn a_first_run_that_fails_leaves_no_file() {
    let bench = SqliteBench::new();
    let day = scope("2025-09-01", "2025-09-01");
    bench.sink.check(&day, &[pods()]).await.expect("a writable folder");
    assert!(bench.names().is_empty());
    drop(begin(bench.sink(), &day, &[(pods(), &[("2025-09-01", None, None)])]).await.expect("a run"));
    assert!(bench.names().is_empty(), "{:?}", bench.names());
}

#[tokio::test]
async fn a_file_that_appears_during_the_first_run_is_not_overwritten() {
    let bench = SqliteBench::new();
    let replacement = begin(bench.sink(), &scope("2025-09-01", "2025-09-01"), &[(pods(), &[])]).await.expect("a run");
    std::fs::write(&bench.file, "").expect("a file");
    let error = replacement.commit().await.expect_err("the file is there");
    assert_eq!(error.kind(), ErrorKind::Database);
    assert_eq!(bench.bytes().await, b"");
}

#[tokio::test]
async fn a_table_of_another_shape_is_refused() {
    let day = scope("2025-09-01", "2025-09-01");
    for (columns, column, message) in [
        ("uuid TEXT", "report_period_id", "the table lacks the column, expected INTEGER"),
        ("uuid BLOB", "uuid", "expected a column of type TEXT, found BLOB"),
    ] {
        let bench = SqliteBench::new();
        bench.execute(&format!("CREATE TABLE usage_daily_summary ({columns})")).await;
        let before = bench.bytes().await;
        let error = bench.sink.check(&day, &[pods()]).await.expect_err("another table");
        assert_eq!(error.kind(), ErrorKind::Destination);
        assert_eq!(error.place().table.as_deref(), Some("usage_daily_summary"));
        assert_eq!((error.place().column.as_deref(), error.message()), (Some(column), message));
        assert!(bench.sink.begin(&day, &[pods()]).await.is_err());
        assert_eq!(bench.bytes().await, before);
    }
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let day = scope("2025-09-01", "2025-09-01");
    let bench = SqliteBench::new();
    std::fs::write(&bench.file, "some text that is long enough to be looked at by SQLite ".repeat(40)).expect("a file");
    let error = bench.sink.check(&day, &[pods()]).await.expect_err("a text file");
    assert_eq!(error.kind(), ErrorKind::Destination, "{error}");

    let nowhere = bench.folder.path().join("no/such/folder/usage.db");
    let sink = sink("sqlite", &format!("sqlite:{}", nowhere.display()), true).expect("a sink");
    assert_eq!(sink.check(&day, &[pods()]).await.expect_err("no folder").kind(), ErrorKind::Store);
}

#[tokio::test]
async fn nothing_is_created_unless_asked_for() {
    let day = scope("2025-09-01", "2025-09-01");
    let bench = SqliteBench::new();
    let strict = sink("sqlite", &format!("sqlite:{}", bench.file.display()), false).expect("a sink");
    assert_eq!(strict.check(&day, &[pods()]).await.expect_err("no file").kind(), ErrorKind::Destination);
    bench.execute("CREATE TABLE other (a TEXT)").await;
    let error = strict.begin(&day, &[pods()]).await.err().expect("no table");
    assert_eq!((error.kind(), error.message()), (ErrorKind::Destination, "the table does not exist"));
}

#[tokio::test]
async fn tables_have_plain_types_and_indexes() {
    let bench = SqliteBench::new();
    replace(bench.sink(), &scope("2025-09-01", "2025-09-01"), &[(pods(), &[]), (volumes(), &[])]).await.expect("a run");
    let pool = bench.open().await;
    let types: Vec<String> =
        sqlx::query_scalar("SELECT DISTINCT type FROM pragma_table_info('usage_daily_summary') ORDER BY 1")
            .fetch_all(&pool)
            .await
            .expect("columns");
    assert_eq!(types, ["INTEGER", "REAL", "TEXT"]);
    let indexes: Vec<String> =
        sqlx::query_scalar("SELECT name FROM pragma_index_list('usage_daily_summary') WHERE origin = 'c' ORDER BY 1")
            .fetch_all(&pool)
            .await
            .expect("indexes");
    assert_eq!(indexes, ["usage_daily_summary_namespace", "usage_daily_summary_usage_start"]);
    pool.close().await;
}

#[tokio::test]
async fn many_rows_take_several_statements() {
    let bench = SqliteBench::new();
    let namespaces: Vec<_> = (0..5_000).map(|n| format!("n{n}")).collect();
    let rows: Vec<_> = namespaces.iter().map(|name| ("2025-09-01", Some(name.as_str()), Some(1.0))).collect();
    let receipt = replace(bench.sink(), &scope("2025-09-01", "2025-09-01"), &[(pods(), &rows)]).await.expect("a run");
    assert_eq!(receipt.rows_inserted, 5_000);
    assert_eq!(bench.rows().await.len(), 5_000);
}

#[tokio::test]
async fn relative_paths_start_at_the_working_directory() {
    let name = format!("target-of-a-test-{}.db", std::process::id());
    let sink = sink("sqlite", &format!("sqlite:{name}"), true).expect("a sink");
    let receipt = replace(sink.as_ref(), &scope("2025-09-01", "2025-09-01"), &[(pods(), &[])]).await;
    let existed = std::fs::remove_file(Path::new(&name));
    assert_eq!(
        receipt.expect("a run").look,
        format!("sqlite3 -box {name} 'SELECT usage_start, cpu_hours FROM usage_daily_summary LIMIT 10'")
    );
    existed.expect("the file was in the working directory");
}
