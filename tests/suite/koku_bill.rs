//! A bill written into Koku's own tables, and what may happen to the connection meanwhile.

use std::fs;

use serde_json::Value as Json;
use tempfile::TempDir;
use tokaki_tests::cases::repository;
use tokaki_tests::command::Outcome;
use tokaki_tests::destination::{Destination, Sink};
use tokaki_tests::faults::proxy::Trouble;

use crate::support::koku::{Koku, SCHEMA};
use crate::support::{copy, tokaki};

/// Tables of a bill.
const TABLES: &str = include_str!("koku_bill.sql");
/// What the case's reference data names.
const OF_THE_CASE: &str = "
    INSERT INTO reporting_awscostentrybill VALUES (7, '2025-10-01', '96317af3-0570-4f8a-ac04-3414f07a6e2d');
    INSERT INTO reporting_awsaccountalias VALUES (11, '900000000001', 'alias-0');
    DELETE FROM reporting_ocpusagereportperiod;
    INSERT INTO reporting_ocpusagereportperiod VALUES
        (1, 'alpha', 'Alpha', '2025-10-01', '2025-11-01', 'c9a4bb51-0902-4c8e-9319-018f40f4ecc4'),
        (2, 'beta', 'Beta', '2025-10-01', '2025-11-01', '74a0c684-2ef6-4001-b39b-4ed464cd57d2');";
/// The tables that a bill is written to.
const WRITTEN: [&str; 15] = [
    "reporting_ocpallcostlineitem_daily_summary_p",
    "reporting_ocpallcostlineitem_project_daily_summary_p",
    "reporting_ocpaws_compute_summary_p",
    "reporting_ocpaws_cost_summary_by_account_p",
    "reporting_ocpaws_cost_summary_by_region_p",
    "reporting_ocpaws_cost_summary_by_service_p",
    "reporting_ocpaws_cost_summary_p",
    "reporting_ocpaws_database_summary_p",
    "reporting_ocpaws_network_summary_p",
    "reporting_ocpaws_storage_summary_p",
    "reporting_ocpawscategory_summary",
    "reporting_ocpawscostlineitem_project_daily_summary_p",
    "reporting_ocpawstags_summary",
    "reporting_ocpawstags_values",
    "reporting_ocpusagelineitem_daily_summary",
];

/// A case of two clusters, and Koku's database.
struct Bench {
    folder: TempDir,
    koku: Koku,
}

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        copy(&repository("scenarios-aws").join("two-clusters-one-account"), folder.path());
        let file = folder.path().join("reference.json");
        let mut reference: Json = serde_json::from_str(&fs::read_to_string(&file).expect("a file")).expect("JSON");
        reference["aws"]["enabled_category_keys"] = serde_json::json!(["Product"]);
        fs::write(&file, reference.to_string()).expect("written");
        let koku = Koku::empty();
        koku.execute(&format!("{TABLES}{OF_THE_CASE}"));
        Self { folder, koku }
    }

    fn run(&self, destination: &Destination<'_>, settings: &[&str]) -> Outcome {
        let mut arguments = ["run", "--case", &self.folder.path().display().to_string()].map(str::to_owned).to_vec();
        arguments.extend(destination.arguments());
        arguments.extend(settings.iter().flat_map(|setting| ["--set".to_owned(), (*setting).to_owned()]));
        tokaki::run(&arguments).expect("runs")
    }

    /// Numbers of rows by table, and a digest of the rows of each, whatever their order.
    fn digests(&self) -> Vec<String> {
        let digest = |table: &str| {
            self.koku.ask(&format!(
                "SELECT '{table} ' || count(*) || ' ' || coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE \"C\")), '') \
                 FROM {SCHEMA}.{table} t"
            ))
        };
        WRITTEN.iter().map(|table| digest(table)).collect()
    }
}

#[test]
fn a_bill_fits_kokus_own_tables_and_twice_is_once() {
    let bench = Bench::new();
    let run = || {
        let outcome = bench.run(&bench.koku.destination(), &[]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        bench.digests()
    };
    let first = run();
    assert_eq!(run(), first);
    // Of every table but those of services that the case does not bill there are as many rows as in a new file.
    let sink = Sink::Sqlite;
    let file = Destination::new(&sink).expect("a destination");
    assert_eq!(bench.run(&file, &[]).code, Some(0));
    for (table, digest) in WRITTEN.iter().zip(&first) {
        let columns = file.columns(table).expect("columns");
        let rows = file.read(table, &columns[..1]).expect("rows").len();
        assert!(digest.starts_with(&format!("{table} {rows} ")), "{digest}, and {rows} in a file");
    }
    let lists = "SELECT string_agg(DISTINCT namespace::text, ' ' ORDER BY namespace::text) \
        FROM org1234567.reporting_ocpallcostlineitem_daily_summary_p";
    assert!(bench.koku.ask(lists).contains("{shop}"), "{}", bench.koku.ask(lists));
}

#[test]
fn a_connection_that_breaks_around_the_commit_loses_nothing_of_what_was_united() {
    let bench = Bench::new();
    let proxy = bench.koku.proxy();
    // A patient run: one that asks a slow server what it does has other connections each time.
    let behind = Sink::Postgres { database: bench.koku.url_through(&proxy).into() };
    let destination = Destination::in_schema(&behind, SCHEMA).expect("a destination");
    assert_eq!(bench.run(&destination, &[]).code, Some(0));
    let clean = bench.digests();
    proxy.set(Trouble::None);
    assert_eq!(bench.run(&destination, &[]).code, Some(0));
    // The connection that writes is the one that sends most.
    let (writing, sent) = proxy.sent().into_iter().enumerate().max_by_key(|(_, sent)| *sent).expect("connections");
    for missing in [10, 400, 4_000] {
        proxy.set_for(writing, Trouble::CutAfterSent(sent - missing));
        let outcome = bench.run(&destination, &[]);
        proxy.set(Trouble::None);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("the transaction is repeated"), "{missing}: {}", outcome.stderr);
        assert_eq!(bench.digests(), clean);
    }
}

#[test]
fn a_bill_waits_for_whoever_writes_rows_of_one_of_its_clusters() {
    let bench = Bench::new();
    for key in ["beta", "74a0c684-2ef6-4001-b39b-4ed464cd57d2"] {
        let lock = format!("BEGIN; SELECT pg_advisory_xact_lock(hashtext('{key}')); SELECT pg_sleep(3); COMMIT");
        let outcome = std::thread::scope(|scope| {
            scope.spawn(|| bench.koku.execute(&lock));
            while bench.koku.ask("SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory'") == "0" {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            bench.run(&bench.koku.destination(), &["sink.lock_wait_seconds=1"])
        });
        assert_eq!(outcome.code, Some(13), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(key), "{}", outcome.stderr);
    }
}
