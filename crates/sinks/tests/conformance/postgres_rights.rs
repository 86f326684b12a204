//! What the PostgreSQL sink refuses before anything is read. Ids are those of the list of failures that tokaki is built
//! against.

use tokaki_core::{Error, ErrorKind};
use url::Url;

use crate::postgres::PostgresBench;
use crate::replacing::{replace, sink};
use tokaki_core::testkit::sinks::{pods, scope};

/// A user of a bench's database without any right but those that a test grants; gone with the test.
struct Stranger<'a> {
    bench: &'a PostgresBench,
    name: String,
}

impl<'a> Stranger<'a> {
    async fn new(bench: &'a PostgresBench) -> Self {
        // Users belong to the whole server, names of databases are there but once.
        let database = Url::parse(&bench.url).expect("a url").path().replace("/tokaki_test", "stranger");
        bench.execute(&format!("CREATE ROLE {database} LOGIN PASSWORD 'secret'")).await;
        Self { bench, name: database }
    }

    async fn grant(&self, right: &str) {
        self.bench.execute(&format!("GRANT {right} TO {}", self.name)).await;
    }

    async fn check(&self) -> Result<(), Error> {
        let mut url = Url::parse(&self.bench.url).expect("a url");
        url.set_username(&self.name).expect("a user");
        url.set_password(Some("secret")).expect("a password");
        let sink = sink("postgres", url.as_str(), true).expect("a sink");
        sink.check(&scope("2025-09-01", "2025-09-01"), &[pods()]).await
    }

    async fn refused(&self, message: &str) {
        let error = self.check().await.expect_err("a missing right");
        assert_eq!((error.kind(), error.message()), (ErrorKind::Access, message));
        assert!(error.help_text().is_some(), "{error}");
    }

    async fn drop(self) {
        self.bench.execute(&format!("DROP OWNED BY {0}; DROP ROLE {0}", self.name)).await;
    }
}

#[tokio::test]
async fn p8_rights_to_create_and_to_write_are_looked_at_before_anything_is_read() {
    let bench = PostgresBench::new();
    let stranger = Stranger::new(&bench).await;
    stranger.refused("the user may not create the schema, which does not exist").await;
    bench.execute("CREATE SCHEMA org1234567").await;
    stranger.grant("USAGE ON SCHEMA org1234567").await;
    stranger.refused("the user may not create the table, which does not exist").await;

    bench.create_table().await;
    stranger.grant("SELECT, INSERT ON org1234567.usage_daily_summary").await;
    let error = stranger.check().await.expect_err("no right to delete");
    assert_eq!(error.message(), "the user lacks one of the rights SELECT, INSERT and DELETE");
    stranger.grant("DELETE ON org1234567.usage_daily_summary").await;
    stranger.refused("the user may not create the partition of the month, which does not exist").await;
    replace(bench.sink.as_ref(), &scope("2025-09-01", "2025-09-01"), &[(pods(), &[])]).await.expect("a partition");
    stranger.check().await.expect("all that is needed");

    bench.execute("CREATE TABLE org1234567.reporting_ocpusagereportperiod (cluster_id text, provider_id uuid)").await;
    stranger.refused("the user lacks the right SELECT").await;
    stranger.grant("SELECT ON org1234567.reporting_ocpusagereportperiod").await;
    stranger.check().await.expect("all that is needed");
    stranger.drop().await;
}

#[tokio::test]
async fn p8_a_foreign_column_that_must_be_given_is_found_before_anything_is_read() {
    let bench = PostgresBench::new();
    bench.create_table().await;
    let day = scope("2025-09-01", "2025-09-01");
    let alter = "ALTER TABLE org1234567.usage_daily_summary";
    bench
        .execute(&format!(
            "{alter} ADD filled text NOT NULL DEFAULT 'x', ADD numbered int GENERATED ALWAYS AS (7) STORED"
        ))
        .await;
    bench.sink.check(&day, &[pods()]).await.expect("columns that fill themselves");
    bench.execute(&format!("{alter} ADD demanded text NOT NULL")).await;
    let error = bench.sink.check(&day, &[pods()]).await.expect_err("nobody fills the column");
    assert_eq!((error.kind(), error.place().column.as_deref()), (ErrorKind::Destination, Some("demanded")));
}
