//! The PostgreSQL sink, against a real server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokaki_core::{ErrorKind, Sink};
use xtask::postgres::Server;

use crate::killed;
use crate::replacing::{begin, impatient_sink, replace, sink};
use tokaki_core::testkit::sinks::{Bench, Replacing};
use tokaki_core::testkit::sinks::{batch, pods, scope, volumes};

/// A database of its own.
pub(crate) struct PostgresBench {
    pub(crate) url: String,
    pub(crate) sink: Arc<dyn Sink>,
}

impl PostgresBench {
    /// A database on the server that all tests share.
    pub(crate) fn new() -> Self {
        Self::on(Server::shared().expect("a PostgreSQL server"))
    }

    /// A database on `server`.
    pub(crate) fn on(server: &Server) -> Self {
        let url = server.create_database().expect("a database");
        let sink = sink("postgres", &url, true).expect("a sink");
        Self { url, sink }
    }

    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.expect("a connection")
    }

    pub(crate) async fn execute(&self, statements: &str) {
        let mut connection = self.connect().await;
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await.expect("a statement");
    }

    pub(crate) async fn texts(&self, query: &str) -> Vec<String> {
        let mut connection = self.connect().await;
        sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&mut connection).await.expect("texts")
    }

    /// Changes a setting of the whole server and waits until it holds; for a server of one's own.
    pub(crate) async fn set_for_all(&self, setting: &str, value: &str) {
        self.execute(&format!("ALTER SYSTEM SET {setting} = {value}")).await;
        self.execute("SELECT pg_reload_conf()").await;
        while self.texts(&format!("SHOW {setting}")).await != [value] {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The table as `create_missing` makes it, without any row or partition.
    pub(crate) async fn create_table(&self) {
        replace(self.sink(), &scope("2025-08-01", "2025-08-01"), &[(pods(), &[])]).await.expect("a run");
        self.execute("DROP TABLE org1234567.usage_daily_summary_2025_08").await;
    }

    pub(crate) async fn partitions(&self) -> Vec<String> {
        let query = "SELECT c.relname || ' ' || pg_get_expr(c.relpartbound, c.oid) FROM pg_class c \
             WHERE c.relispartition AND c.relkind = 'r' ORDER BY 1";
        self.texts(query).await
    }
}

#[tokio::test]
async fn a_list_is_an_array_of_the_columns_own_type() {
    let bench = PostgresBench::new();
    let september = scope("2025-09-01", "2025-09-30");
    let rows = [("2025-09-01", Some("shop"), Some(1.0)), ("2025-09-02", None, None)];
    replace(bench.sink(), &september, &[(pods(), &rows)]).await.expect("a run");
    let lists =
        bench.texts("SELECT coalesce(nodes::text, '-') FROM org1234567.usage_daily_summary ORDER BY usage_start");
    assert_eq!(lists.await, ["{shop,NULL}", "-"]);

    bench.execute("ALTER TABLE org1234567.usage_daily_summary ALTER nodes TYPE text[]").await;
    let refused = replace(bench.sink(), &september, &[(pods(), &rows)]).await.expect_err("another type");
    assert_eq!((refused.kind(), refused.place().column.as_deref()), (ErrorKind::Destination, Some("nodes")));
}

#[async_trait]
impl Bench for PostgresBench {
    fn sink(&self) -> &dyn Sink {
        self.sink.as_ref()
    }

    async fn rows(&self) -> Vec<String> {
        if self.texts("SELECT nspname::text FROM pg_namespace WHERE nspname = 'org1234567'").await.is_empty() {
            return vec![];
        }
        let query = "SELECT concat_ws('|', data_source, usage_start, coalesce(namespace, '-'), \
             coalesce(pod_labels::text, '-'), coalesce(trim_scale(cpu_hours)::text, '-'), \
             coalesce(trim_scale(infrastructure_raw_cost)::text, '-')) COLLATE \"C\" \
             FROM org1234567.usage_daily_summary ORDER BY 1";
        self.texts(query).await
    }

    async fn bytes(&self) -> Vec<u8> {
        self.texts("SELECT t::text FROM org1234567.usage_daily_summary t ORDER BY 1").await.concat().into_bytes()
    }
}

#[async_trait]
impl Replacing for PostgresBench {
    fn impatient_sink(&self) -> Arc<dyn Sink> {
        impatient_sink("postgres", &self.url)
    }

    async fn set_cost(&self, namespace: &str, cost: f64) {
        let update = "UPDATE org1234567.usage_daily_summary SET infrastructure_raw_cost =";
        self.execute(&format!("{update} {cost} WHERE namespace = '{namespace}'")).await;
    }
}

tokaki_core::testkit::fixture!(Replacing, "postgres", || Box::new(PostgresBench::new()));

#[tokio::test]
async fn a_killed_run_changes_nothing() {
    let bench = PostgresBench::new();
    killed::leaves_everything_as_it_was(&bench, "postgres", &bench.url).await;
}

#[tokio::test]
async fn each_month_has_a_partition() {
    let bench = PostgresBench::new();
    for day in ["2025-09-30", "2025-10-01"] {
        replace(bench.sink(), &scope(day, day), &[(pods(), &[])]).await.expect("a run");
    }
    let expected = [
        "2025_09 FOR VALUES FROM ('2025-09-01') TO ('2025-10-01')",
        "2025_10 FOR VALUES FROM ('2025-10-01') TO ('2025-11-01')",
    ];
    assert_eq!(bench.partitions().await, expected.map(|bound| format!("usage_daily_summary_{bound}")));
}

#[tokio::test]
async fn a_created_table_is_as_koku_defines_it() {
    let bench = PostgresBench::new();
    bench.create_table().await;
    let columns = bench.texts(
        "SELECT attname || ' ' || format_type(atttypid, atttypmod) \
         || CASE WHEN attnotnull THEN ' not null' ELSE '' END \
         FROM pg_attribute WHERE attrelid = 'org1234567.usage_daily_summary'::regclass AND attnum > 0 ORDER BY attnum",
    );
    let expected = [
        "uuid uuid not null",
        "report_period_id integer",
        "data_source character varying(64)",
        "usage_start date not null",
        "namespace character varying(20)",
        "pod_labels jsonb",
        "nodes character varying(20)[]",
        "cpu_hours numeric(33,15)",
        "infrastructure_raw_cost numeric(33,15)",
        "source_uuid uuid",
    ];
    assert_eq!(columns.await, expected);
    let indexes = "SELECT regexp_replace(indexdef, '^.* USING ', '') FROM pg_indexes \
         WHERE schemaname = 'org1234567' AND tablename = 'usage_daily_summary' ORDER BY 1";
    let expected = [
        "btree (namespace varchar_pattern_ops)",
        "btree (usage_start)",
        "btree (usage_start, uuid)",
        "gin (pod_labels)",
    ];
    assert_eq!(bench.texts(indexes).await, expected);
}

#[tokio::test]
async fn numbers_arrive_exactly() {
    let bench = PostgresBench::new();
    let values = [0.1, 1e-15, 123_456.789, 999_999_999_999_999_872.0, -1e17, -0.0];
    let rows = values.map(|value| ("2025-09-01", None, Some(value)));
    replace(bench.sink(), &scope("2025-09-01", "2025-09-01"), &[(pods(), &rows)]).await.expect("a run");
    let numbers = bench.texts("SELECT cpu_hours::text FROM org1234567.usage_daily_summary ORDER BY cpu_hours").await;
    let expected = [
        "-100000000000000000.000000000000000",
        "0.000000000000000",
        "0.000000000000001",
        "0.100000000000000",
        "123456.789000000004307",
        "999999999999999872.000000000000000",
    ];
    assert_eq!(numbers, expected);
}

/// Doubles of all sizes that fit, and the neighbours of whole numbers, where rounding carries.
fn doubles() -> impl Strategy<Value = f64> {
    let any = any::<u64>().prop_map(f64::from_bits).prop_filter("fits", |value| value.abs() < 1e18);
    let usual = (-1e6..1e6_f64, 0..60_i32).prop_map(|(value, shift)| value * 2_f64.powi(-shift));
    let whole = (0..1_000_000_u32, 0..6_i32).prop_map(|(whole, power)| f64::from(whole) * 10_f64.powi(2 * power));
    prop_oneof![any, usual, whole.prop_map(f64::next_down)]
}

#[tokio::test]
async fn numbers_arrive_as_postgresql_rounds_their_exact_decimals() {
    let bench = PostgresBench::new();
    let mut runner = TestRunner::default();
    let values: Vec<f64> = (0..3_000).map(|_| doubles().new_tree(&mut runner).expect("a double").current()).collect();
    let namespaces: Vec<_> = (0..values.len()).map(|index| format!("{index:05}")).collect();
    let rows: Vec<_> =
        namespaces.iter().zip(&values).map(|(name, value)| ("2025-09-01", Some(name.as_str()), Some(*value))).collect();
    replace(bench.sink(), &scope("2025-09-01", "2025-09-01"), &[(pods(), &rows)]).await.expect("a run");
    let stored = bench.texts("SELECT cpu_hours::text FROM org1234567.usage_daily_summary ORDER BY namespace").await;
    // With 1,100 digits a double's decimal text is exact.
    let exact: Vec<_> = values.iter().map(|value| format!("{value:.1100}")).collect();
    let mut connection = bench.connect().await;
    let query = "SELECT (text::numeric::numeric(33,15))::text FROM unnest($1::text[]) WITH ORDINALITY AS t (text, nth) \
         ORDER BY nth";
    let parsed: Vec<String> =
        sqlx::query_scalar(query).bind(&exact).fetch_all(&mut connection).await.expect("what the server parses");
    for ((value, stored), parsed) in values.iter().zip(&stored).zip(&parsed) {
        assert_eq!(stored, parsed, "{value:e}");
    }
    assert_eq!(stored.len(), values.len());
}

#[tokio::test]
async fn a_missing_month_is_created_in_an_existing_table() {
    let bench = PostgresBench::new();
    bench.create_table().await;
    bench.execute("CREATE TABLE org1234567.rest PARTITION OF org1234567.usage_daily_summary DEFAULT").await;
    let day = scope("2025-12-31", "2025-12-31");
    let parts: [(_, &[_]); 1] = [(pods(), &[("2025-12-31", Some("shop"), None)])];
    let created = "usage_daily_summary_2025_12 FOR VALUES FROM ('2025-12-01') TO ('2026-01-01')";
    let run = begin(bench.sink(), &day, &parts).await.expect("a run");
    // It is there at once: while it is created, nobody could read the table.
    assert_eq!(bench.partitions().await, ["rest DEFAULT", created]);
    assert!(bench.rows().await.is_empty());
    run.commit().await.expect("rows");
    assert_eq!(bench.rows().await.len(), 1);
}

#[tokio::test]
async fn a_wider_partition_is_used() {
    let bench = PostgresBench::new();
    bench.create_table().await;
    let wide = "CREATE TABLE org1234567.all_2025 PARTITION OF org1234567.usage_daily_summary \
         FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')";
    bench.execute(wide).await;
    replace(bench.sink(), &scope("2025-09-01", "2025-09-01"), &[(pods(), &[])]).await.expect("a run");
    assert_eq!(bench.partitions().await, ["all_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')"]);
}

/// Koku's table of partitions, with what its trigger does.
const TRACKING: &str = "
    CREATE TABLE org1234567.partitioned_tables (id bigserial PRIMARY KEY, schema_name text NOT NULL,
        table_name text NOT NULL, partition_of_table_name text NOT NULL, partition_type text NOT NULL,
        partition_col text NOT NULL, partition_parameters jsonb NOT NULL, active boolean NOT NULL,
        UNIQUE (schema_name, table_name));
    CREATE FUNCTION org1234567.make() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        EXECUTE format('CREATE TABLE %I.%I PARTITION OF %I.%I FOR VALUES FROM (%L) TO (%L)',
            NEW.schema_name, NEW.table_name, NEW.schema_name, NEW.partition_of_table_name,
            NEW.partition_parameters->>'from', NEW.partition_parameters->>'to');
        RETURN NULL; END $$;
    CREATE TRIGGER make AFTER INSERT ON org1234567.partitioned_tables
        FOR EACH ROW EXECUTE FUNCTION org1234567.make();";

#[tokio::test]
async fn kokus_trigger_creates_the_partition_where_it_exists() {
    let bench = PostgresBench::new();
    bench.create_table().await;
    bench.execute(TRACKING).await;
    let september = scope("2025-09-01", "2025-09-30");
    replace(bench.sink(), &september, &[(pods(), &[("2025-09-30", None, None)])]).await.expect("a run");
    let created = "usage_daily_summary_2025_09 FOR VALUES FROM ('2025-09-01') TO ('2025-10-01')";
    assert_eq!(bench.partitions().await, [created]);
    let query = "SELECT concat_ws(' ', partition_of_table_name, table_name, partition_type, partition_col, \
         partition_parameters, active) FROM org1234567.partitioned_tables";
    let expected = "usage_daily_summary usage_daily_summary_2025_09 range usage_start \
         {\"to\": \"2025-10-01\", \"from\": \"2025-09-01\", \"default\": false} t";
    assert_eq!(bench.texts(query).await, [expected]);

    bench.execute("DROP TABLE org1234567.usage_daily_summary_2025_09").await;
    replace(bench.sink(), &september, &[(pods(), &[])]).await.expect("a run where only the row is left");
    assert_eq!(bench.partitions().await, [created]);
}

#[tokio::test]
async fn nothing_is_created_unless_asked_for() {
    let bench = PostgresBench::new();
    let strict = sink("postgres", &bench.url, false).expect("a sink");
    let day = scope("2025-09-01", "2025-09-01");
    let missing = async |message: &str| {
        for error in [strict.check(&day, &[pods()]).await.err(), strict.begin(&day, &[pods()]).await.err()] {
            let error = error.expect("something is missing");
            assert_eq!((error.kind(), error.message()), (ErrorKind::Destination, message));
            assert!(error.help_text().is_some_and(|help| help.contains("sink.create_missing")));
        }
    };
    missing("the schema does not exist").await;
    bench.execute("CREATE SCHEMA org1234567").await;
    missing("the table does not exist").await;
    bench.create_table().await;
    missing("the table has no partition usage_daily_summary_2025_09").await;
    replace(bench.sink(), &day, &[(pods(), &[])]).await.expect("a run");
    replace(strict.as_ref(), &day, &[(pods(), &[("2025-09-01", None, None)])]).await.expect("all is there");
}

#[tokio::test]
async fn a_table_of_another_shape_is_refused() {
    let bench = PostgresBench::new();
    bench.create_table().await;
    let day = scope("2025-09-01", "2025-09-01");
    for (change, column, message) in [
        ("TYPE float8", "cpu_hours", "expected a column of type numeric(33,15), found double precision"),
        ("TYPE json", "pod_labels", "expected a column of type jsonb, found json"),
        ("TYPE bigint", "report_period_id", "expected a column of type integer, found bigint"),
    ] {
        let alter = "ALTER TABLE org1234567.usage_daily_summary ALTER";
        bench
            .execute(&format!(
                "DROP INDEX IF EXISTS org1234567.usage_daily_summary_pod_labels_idx; {alter} {column} {change}"
            ))
            .await;
        for error in [bench.sink.check(&day, &[pods()]).await.err(), bench.sink.begin(&day, &[pods()]).await.err()] {
            let error = error.expect("another type");
            assert_eq!((error.kind(), error.message()), (ErrorKind::Destination, message));
            let place = (error.place().table.as_deref(), error.place().column.as_deref());
            assert_eq!(place, (Some("usage_daily_summary"), Some(column)));
        }
        bench.execute("DROP TABLE org1234567.usage_daily_summary").await;
        bench.create_table().await;
    }
    bench.execute("ALTER TABLE org1234567.usage_daily_summary DROP namespace").await;
    let error = bench.sink.check(&day, &[pods()]).await.expect_err("a missing column");
    assert_eq!(error.message(), "the table lacks the column, expected character varying(20)");
}

#[tokio::test]
async fn what_only_the_server_refuses_names_the_column_and_changes_nothing() {
    let bench = PostgresBench::new();
    bench.create_table().await;
    bench.execute("ALTER TABLE org1234567.usage_daily_summary ALTER namespace TYPE varchar(3)").await;
    let day = scope("2025-09-01", "2025-09-01");
    let rows = [("2025-09-01", Some("abc"), None), ("2025-09-01", Some("abcd"), None)];
    let error = begin(bench.sink(), &day, &[(pods(), &rows)]).await.err().expect("a text of four characters");
    assert_eq!(error.kind(), ErrorKind::Type, "{error}");
    let place = (error.place().table.as_deref(), error.place().column.as_deref());
    assert_eq!(place, (Some("usage_daily_summary"), Some("namespace")));
    assert!(error.message().contains("character varying(3)") && error.message().contains("22001"), "{error}");
    assert!(bench.rows().await.is_empty());
}

#[tokio::test]
async fn the_server_sees_who_writes_and_two_runs_take_turns() {
    let bench = PostgresBench::new();
    let day = scope("2025-09-01", "2025-09-01");
    let parts: [(_, &[_]); 2] = [(pods(), &[("2025-09-01", Some("shop"), None)]), (volumes(), &[])];
    let first = begin(bench.sink(), &day, &parts).await.expect("a first run");
    let query = "SELECT application_name FROM pg_stat_activity \
         WHERE datname = current_database() AND application_name <> ''";
    let names = bench.texts(query).await;
    assert_eq!(names, [concat!("tokaki/", env!("CARGO_PKG_VERSION"))]);

    let second = replace(bench.sink(), &day, &parts);
    let (first, second) = tokio::join!(first.commit(), second);
    assert_eq!(first.expect("the first run").rows_deleted, 0);
    assert_eq!(second.expect("the second run").rows_deleted, 1);
    assert_eq!(bench.rows().await.len(), 1);
}

#[tokio::test]
async fn ids_of_rows_that_stay_are_avoided_in_every_append() {
    let bench = PostgresBench::new();
    let days = scope("2025-09-01", "2025-09-03");
    let rows: [&[_]; 3] = [
        &[("2025-09-01", Some("shop"), Some(1.0))],
        &[("2025-09-02", Some("shop"), Some(1.0))],
        &[("2025-09-03", Some("shop"), Some(1.0))],
    ];
    let day_by_day = async || {
        let mut replacement = bench.sink.begin(&days, &[pods()]).await.expect("a run");
        for rows in rows {
            replacement.append(&pods(), &batch(&pods(), rows)).await.expect("a day");
        }
        replacement.commit().await.expect("all days")
    };
    assert_eq!(day_by_day().await.rows_inserted, 3);
    bench.set_cost("shop", 5.0).await;
    for (deleted, left) in [(0, 6), (3, 6)] {
        assert_eq!(day_by_day().await.rows_deleted, deleted);
        assert_eq!(bench.rows().await.len(), left);
    }
}

#[tokio::test]
async fn many_rows_take_several_batches() {
    let bench = PostgresBench::new();
    let namespaces: Vec<_> = (0..20_000).map(|n| format!("n{n}")).collect();
    let rows: Vec<_> = namespaces.iter().map(|name| ("2025-09-01", Some(name.as_str()), Some(1.5))).collect();
    let receipt = replace(bench.sink(), &scope("2025-09-01", "2025-09-01"), &[(pods(), &rows)]).await.expect("a run");
    assert_eq!(receipt.rows_inserted, 20_000);
    assert_eq!(bench.texts("SELECT sum(cpu_hours)::float8::text FROM org1234567.usage_daily_summary").await, ["30000"]);
}

#[tokio::test]
async fn a_server_that_refuses_is_reported_at_once_and_without_the_password() {
    let started = Instant::now();
    let sink = sink("postgres", "postgresql://me:secret@127.0.0.1:1/koku", true).expect("a sink");
    let error = sink.check(&scope("2025-09-01", "2025-09-01"), &[pods()]).await.expect_err("nobody listens there");
    assert_eq!(error.kind(), ErrorKind::Database);
    assert!(error.message().contains("127.0.0.1:1"), "{error}");
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn missing_databases_and_rights_are_told_apart() {
    let bench = PostgresBench::new();
    let day = scope("2025-09-01", "2025-09-01");
    let kind = async |url: String| {
        let sink = sink("postgres", &url, true).expect("a sink");
        sink.check(&day, &[pods()]).await.err().map(|error| error.kind())
    };
    let mut url = url::Url::parse(&bench.url).expect("a url");
    url.set_path("no_such_database");
    assert_eq!(kind(url.to_string()).await, Some(ErrorKind::Database));

    bench.create_table().await;
    let stranger = url.path().len().to_string() + &bench.url.len().to_string();
    let stranger = format!("stranger_{stranger}_{}", std::process::id());
    bench
        .execute(&format!(
            "CREATE ROLE {stranger} LOGIN PASSWORD 'secret'; GRANT USAGE ON SCHEMA org1234567 TO {stranger}"
        ))
        .await;
    let mut url = url::Url::parse(&bench.url).expect("a url");
    url.set_username(&stranger).expect("a user");
    url.set_password(Some("secret")).expect("a password");
    assert_eq!(kind(url.to_string()).await, Some(ErrorKind::Access));
    bench.execute(&format!("DROP OWNED BY {stranger}; DROP ROLE {stranger}")).await;
}
