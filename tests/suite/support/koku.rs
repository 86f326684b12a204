//! Koku's own database: its tables as its migrations leave them, and rows that are not tokaki's to touch.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokaki_tests::destination::{Destination, Sink};
use tokaki_tests::faults::proxy::Proxy;
use tokio::runtime::Runtime;
use url::Url;

/// The daily summary with all that hangs on it.
const TABLES: &str = include_str!("../koku.sql");
/// What the sample's reference data names.
const OF_THE_SAMPLE: &str = "
    INSERT INTO reporting_ocpusagereportperiod VALUES
        (1, 'quickstart', 'Quickstart', '2025-10-01', '2025-11-01', '3f1c0f6e-7f5a-4d0e-9c58-1b7a3a0c9d11');
    INSERT INTO reporting_ocp_cost_category VALUES (1, 'Platform', '{openshift-%,kube-%}', 'OCP', true);";
/// A pod with a cost of its cloud, and usage and a distributed cost of another day: each stays, whoever runs.
const FOREIGN: &str = "
    INSERT INTO reporting_ocpusagelineitem_daily_summary
        (uuid, report_period_id, data_source, usage_start, usage_end, namespace, distributed_cost, infrastructure_raw_cost)
    VALUES
        ('00000000-0000-4000-8000-000000000001', 1, 'Distributed', '2025-10-09', '2025-10-09', 'shop', 5, NULL),
        ('00000000-0000-4000-8000-000000000002', 1, 'Pod', '2025-10-02', '2025-10-02', 'shop', NULL, 7),
        ('00000000-0000-4000-8000-000000000003', 1, 'Pod', '2025-10-09', '2025-10-09', 'shop', NULL, NULL);";
/// Schema of the tables, which is the sample's organisation.
pub(crate) const SCHEMA: &str = "org1234567";

/// A database of Koku's.
pub(crate) struct Koku {
    pub(crate) sink: Sink,
    pub(crate) url: Url,
    runtime: Runtime,
}

impl Koku {
    /// Koku's tables without any row of the summary.
    pub(crate) fn empty() -> Self {
        let sink = Sink::postgres().expect("a database");
        let Sink::Postgres { database } = &sink else { unreachable!("it was just made") };
        let url = Url::parse(database).expect("a url");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let koku = Self { sink, url, runtime };
        koku.execute(&format!("{TABLES}{OF_THE_SAMPLE}"));
        koku
    }

    /// Koku's tables with rows that are not tokaki's.
    pub(crate) fn with_foreign_rows() -> Self {
        let koku = Self::empty();
        koku.execute(&format!("SET search_path = {SCHEMA}; {FOREIGN}"));
        koku
    }

    /// Where a run finds the tables.
    pub(crate) fn destination(&self) -> Destination<'_> {
        Destination::in_schema(&self.sink, SCHEMA).expect("a destination")
    }

    /// A proxy in front of the server.
    pub(crate) fn proxy(&self) -> Proxy {
        let address = format!("{}:{}", self.url.host_str().expect("a host"), self.url.port().expect("a port"));
        Proxy::start(&address).expect("a proxy")
    }

    /// Where the database is seen through `proxy`.
    pub(crate) fn url_through(&self, proxy: &Proxy) -> Url {
        let mut url = self.url.clone();
        url.set_port(Some(proxy.address().port())).expect("a port");
        url
    }

    /// The database as it is seen through `proxy` by whoever loses patience soon.
    pub(crate) fn behind(&self, proxy: &Proxy) -> Sink {
        let mut url = self.url_through(proxy);
        // A silent server is asked why after a moment.
        url.query_pairs_mut().append_pair("tcp_user_timeout", "500");
        Sink::Postgres { database: url.into() }
    }

    /// Carries out statements.
    pub(crate) fn execute(&self, statements: &str) {
        execute(self.url.as_str(), statements);
    }

    /// The one text that `query` asks for.
    pub(crate) fn ask(&self, query: &str) -> String {
        self.runtime.block_on(async {
            let mut connection = PgConnection::connect(self.url.as_str()).await.expect("a connection");
            sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut connection).await.expect("a text")
        })
    }

    /// A digest of every column of every row of the summary, once no transaction of a run is left that could change it.
    pub(crate) fn digest(&self) -> String {
        let ours = "SELECT count(*)::text FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name LIKE 'tokaki/%'";
        while self.ask(ours) != "0" {
            std::thread::sleep(Duration::from_millis(2));
        }
        self.ask(&format!(
            "SELECT count(*) || ' ' || md5(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE \"C\")) \
             FROM {SCHEMA}.reporting_ocpusagelineitem_daily_summary t"
        ))
    }
}

/// Carries out statements in a database.
pub(crate) fn execute(database: &str, statements: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut connection = PgConnection::connect(database).await.expect("a connection");
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await.expect("executed");
    });
}
