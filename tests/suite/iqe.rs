//! The validation that QE runs: what it leaves, what it says, and the code that it ends with.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value as Json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tokaki_core::Semantics;
use tokaki_tests::cases::{Case, KOKU, SUMMARY, repository};
use tokaki_tests::destination::{DAILY_SUMMARY, Destination, Sink};
use tokaki_tests::rows::{Value, files};

use crate::support::{copy, qe, tokaki};

/// A scenario with a row of each kind.
const CASE: &str = "one-volume";

/// Runs `iqe` with `arguments`; the reports and rows go to `out`.
fn iqe(out: &Path, arguments: &[&str]) -> Output {
    let out = out.to_str().expect("UTF-8");
    qe(&[&["iqe", "--out", out], arguments].concat())
}

fn report(out: &Path) -> Json {
    serde_json::from_str(&fs::read_to_string(out.join("report.json")).expect("a report")).expect("JSON")
}

/// The outcome of a check of the first scenario.
fn outcome(out: &Path, check: &str) -> String {
    let report = report(out);
    let checks = report["scenarios"][0]["checks"].as_array().expect("checks").clone();
    let found = checks.iter().find(|found| found["id"] == check);
    found.unwrap_or_else(|| panic!("no check {check}"))["outcome"].as_str().expect("a text").to_owned()
}

/// A folder of scenarios with a copy of the one.
fn copied() -> (TempDir, Case) {
    let cases = TempDir::new().expect("a folder");
    let case = Case { folder: cases.path().join(CASE) };
    copy(&Case::of_repository(CASE).folder, &case.folder);
    (cases, case)
}

/// The scenario suite compares the daily summary; this compares every table, GPU and VM rows too.
#[test]
fn every_scenario_has_every_row_of_every_table() {
    let ours = repository("scenarios").display().to_string();
    let further = std::env::var("TOKAKI_CASES").ok();
    for cases in std::iter::once(ours).chain(further) {
        let out = TempDir::new().expect("a folder");
        let output = iqe(out.path(), &["--cases", &cases, "--sink", "parquet", "--semantics", "both"]);
        let markdown = fs::read_to_string(out.path().join("report.md")).expect("a report");
        assert_eq!(output.status.code(), Some(0), "{cases}:\n{markdown}");
        assert!(fs::read_to_string(out.path().join("junit.xml")).expect("a report").contains(r#"name="vm-"#));
    }
}

#[test]
fn a_scenario_that_agrees_leaves_its_rows_in_every_sink() {
    let case = Case::of_repository(CASE);
    let columns = files::columns(&case.path(KOKU)).expect("columns");
    let expected = files::read(&case.path(KOKU), &columns).expect("rows");
    for sink in ["sqlite", "parquet", "postgres"] {
        let out = TempDir::new().expect("a folder");
        let output = iqe(out.path(), &["--filter", CASE, "--sink", sink, "--semantics", "both"]);
        assert_eq!(output.status.code(), Some(0), "{sink}: {}", String::from_utf8_lossy(&output.stderr));
        for folder in [CASE.to_owned(), format!("{CASE}/conserving")] {
            let actual = files::read(&out.path().join(folder).join("actual.parquet"), &columns).expect("rows");
            assert_eq!(actual.len(), expected.len());
        }
        let report = report(out.path());
        assert_eq!(report["version"], 1);
        assert_eq!(report["sink"], sink);
        assert_eq!(report["counts"]["scenarios"], 2);
        assert_eq!(report["counts"]["passed"], report["counts"]["checks"]);
        let junit = fs::read_to_string(out.path().join("junit.xml")).expect("a report");
        assert!(junit.contains(r#"<testcase name="row-count" classname="one-volume (conserving)"/>"#), "{junit}");
        let markdown = fs::read_to_string(out.path().join("report.md")).expect("a report");
        assert!(markdown.contains("Everything is as expected."), "{markdown}");
    }
}

#[test]
fn all_reports_name_row_column_and_both_values() {
    let (cases, case) = copied();
    let columns = files::columns(&case.path(KOKU)).expect("columns");
    let mut rows = files::read(&case.path(KOKU), &columns).expect("rows");
    let row = rows.iter_mut().find(|row| row["data_source"] == Value::Text("Storage".into())).expect("a Storage row");
    let cell = row.get_mut("volume_request_storage_gigabyte_months").expect("a cell");
    assert_eq!(*cell, Value::Number(2.0));
    *cell = Value::Number(2.5);
    files::write(&case.path(KOKU), &columns, &rows).expect("written");

    let out = TempDir::new().expect("a folder");
    let output = iqe(out.path(), &["--cases", cases.path().to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("not as expected: one-volume: storage"));
    for name in ["report.md", "junit.xml", "report.json"] {
        let text = fs::read_to_string(out.path().join(name)).expect("a report");
        for part in ["namespace", "shop", "volume_request_storage_gigabyte_months", "2.5", "2.0"] {
            assert!(text.contains(part), "{name} lacks {part}:\n{text}");
        }
    }
    assert_eq!(outcome(out.path(), "storage"), "failed");
    for check in ["run", "row-count", "row-keys", "cpu", "labels", "totals", "repeat"] {
        assert_eq!(outcome(out.path(), check), "passed", "{check}");
    }
}

#[test]
fn totals_by_hand_are_checked() {
    let (cases, case) = copied();
    let summary = fs::read_to_string(case.path(SUMMARY)).expect("totals");
    fs::write(case.path(SUMMARY), summary.replace("\"rows\": 1", "\"rows\": 9")).expect("written");
    let out = TempDir::new().expect("a folder");
    let output = iqe(out.path(), &["--cases", cases.path().to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(outcome(out.path(), "totals"), "failed");
    assert_eq!(outcome(out.path(), "row-count"), "passed");
}

#[test]
fn a_run_that_fails_is_a_finding() {
    let (cases, case) = copied();
    fs::write(case.path("reference.json"), "{").expect("written");
    let out = TempDir::new().expect("a folder");
    let output = iqe(out.path(), &["--cases", cases.path().to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(outcome(out.path(), "run"), "failed");
    assert_eq!(outcome(out.path(), "cpu"), "skipped");
    let markdown = fs::read_to_string(out.path().join("report.md")).expect("a report");
    assert!(markdown.contains("exit code 12"), "{markdown}");
}

#[test]
fn a_filter_chooses_scenarios() {
    let out = TempDir::new().expect("a folder");
    let output = iqe(out.path(), &["--filter", "three-names", "--filter", "februar"]);
    assert_eq!(output.status.code(), Some(0));
    let names: Vec<_> = report(out.path())["scenarios"]
        .as_array()
        .expect("scenarios")
        .iter()
        .map(|scenario| scenario["name"].as_str().expect("a text").to_owned())
        .collect();
    assert_eq!(names, ["february", "three-namespaces"]);
    assert_eq!(iqe(out.path(), &["--filter", "no such scenario"]).status.code(), Some(1));
}

#[test]
fn wrong_usage_is_told_apart() {
    let out = TempDir::new().expect("a folder");
    for wrong in [&["--sink", "oracle"][..], &["--against", "postgresql://host/db"], &["--month", "10"]] {
        assert_eq!(iqe(out.path(), wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn a_run_is_compared_with_an_existing_table() {
    let sink = Sink::postgres().expect("a database");
    let Sink::Postgres { database } = &sink else { unreachable!() };
    let case = Case::of_repository(CASE);
    let destination = Destination::new(&sink).expect("a destination");
    let outcome = tokaki::run_case(&case, Semantics::Koku, &destination).expect("runs");
    outcome.require_success().expect("a filled table");
    let arguments = destination.arguments();
    let schema = arguments.last().and_then(|argument| argument.strip_prefix("sink.schema=")).expect("a schema");
    let reference: Json =
        serde_json::from_str(&fs::read_to_string(case.path("reference.json")).expect("a file")).expect("JSON");
    let source = reference["source_uuid"].as_str().expect("a text");

    // None of these is tokaki's own row of that source and month.
    let table = format!("{schema}.{DAILY_SUMMARY}");
    let copy_of_all = |changes: [&str; 4]| {
        let [id, source, cost, rate] = changes;
        format!(
            "INSERT INTO {table} (uuid, usage_start, usage_end, source_uuid, data_source, pod_labels, \
             infrastructure_raw_cost, cost_model_rate_type) \
             SELECT {id}, usage_start, usage_end, {source}, data_source, pod_labels, {cost}, {rate} FROM {table} \
             WHERE cost_model_rate_type IS NULL AND infrastructure_raw_cost IS NULL AND source_uuid = '{}'",
            reference["source_uuid"].as_str().unwrap_or_default()
        )
    };
    let foreign = [
        copy_of_all(["gen_random_uuid()", "source_uuid", "7", "NULL"]),
        copy_of_all(["gen_random_uuid()", "source_uuid", "NULL", "'Supplementary'"]),
        copy_of_all(["gen_random_uuid()", "gen_random_uuid()", "NULL", "NULL"]),
    ];
    execute(database, &foreign.join("; "));

    let out = TempDir::new().expect("a folder");
    let site = out.path().join("site.toml");
    fs::write(&site, site_configuration(&case)).expect("written");
    let site = site.display().to_string();
    let arguments = [
        ["--against", database.as_str()],
        ["--schema", schema],
        ["--source", source],
        ["--year", "2025"],
        ["--month", "10"],
        ["--config", &site],
    ];
    let output = iqe(out.path(), &arguments.concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(out.path().join("against/koku/existing.parquet").exists());

    execute(database, &format!("UPDATE {table} SET pod_usage_cpu_core_hours = 11 WHERE pod_usage_cpu_core_hours = 12"));
    let output = iqe(out.path(), &arguments.concat());
    assert_eq!(output.status.code(), Some(4));
    let markdown = fs::read_to_string(out.path().join("report.md")).expect("a report");
    assert!(markdown.contains("| pod_usage_cpu_core_hours | 11.0 | 12.0 |"), "{markdown}");
}

/// A configuration such as sites have; its sink must not be touched.
fn site_configuration(case: &Case) -> String {
    format!(
        r#"
[scope]
org = "org1234567"

[store]
url = "{}"

[reference]
type = "file"
path = "{}"

[sink]
url = "postgresql://nobody@127.0.0.1:1/none"
schema = "org1234567"
create_missing = false
"#,
        case.path("input").display(),
        case.path("reference.json").display()
    )
}

fn execute(database: &str, statements: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut connection = PgConnection::connect(database).await.expect("a connection");
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut connection).await.expect("executed");
    });
}
