//! What operators send: hours as CSV give the rows that the same hours give as Parquet.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use serde_json::Value;
use tokaki_core::Semantics;
use tokaki_tests::cases::{self, Case};
use tokaki_tests::destination::{DAILY_SUMMARY, Destination, Sink};
use tokaki_tests::folder::files_with_ending;
use tokaki_tests::{Result, parallel, table};

use crate::support::job::columns;
use crate::support::line_items::rows;
use crate::support::tokaki;

const REPORTS: [&str; 6] = ["pod_usage", "storage_usage", "node_labels", "namespace_labels", "vm_usage", "gpu_usage"];

/// A case, and its hourly files the way the operator sends them.
struct Sent {
    case: Case,
    org: String,
    source: String,
    csv: tempfile::TempDir,
}

/// The cases whose hours an operator could send. Of CSV nobody can tell null from the empty text, and a label has a colon.
fn sent() -> Vec<Sent> {
    let cases = cases::good().expect("cases");
    let sent: Vec<_> = parallel::map(&cases, |case| send_case(case).expect("a case")).into_iter().flatten().collect();
    assert!(sent.len() >= 10, "only {} of {} cases can be sent", sent.len(), cases.len());
    sent
}

fn send_case(case: &Case) -> Result<Option<Sent>> {
    let reference: Value = serde_json::from_slice(&fs::read(case.path("reference.json"))?)?;
    let [org, source] = ["org", "source_uuid"].map(|key| reference[key].as_str().expect("a text").to_owned());
    let sent = Sent { case: case.clone(), org, source, csv: tempfile::tempdir()? };
    let mut number = 0;
    for report in REPORTS {
        for file in sent.files(&case.path("input"), "", report) {
            if !send(&file, &sent.csv.path().join(format!("{report}-{number}.csv"))) {
                return Ok(None);
            }
            number += 1;
        }
    }
    let has_rows =
        fs::read_dir(sent.csv.path())?.any(|file| file.is_ok_and(|file| file.metadata().is_ok_and(|it| it.len() > 0)));
    Ok(has_rows.then_some(sent))
}

impl Sent {
    fn files(&self, root: &Path, daily: &str, report: &str) -> Vec<PathBuf> {
        let Self { org, source, .. } = self;
        files_with_ending(&root.join(format!("data/parquet/{daily}{org}/OCP/{report}/source={source}")), "parquet")
    }

    fn csv(&self) -> String {
        self.csv.path().display().to_string()
    }
}

/// Whatever Koku's code made of these hours, hourly and daily, comes out again when they are sent as CSV.
#[test]
fn hours_sent_again_become_the_days_that_koku_made_of_them() {
    /// Hourly files of one day only, daily ones of several.
    const UNFIT: &str = "hourly-for-one-day-only";
    let sent: Vec<_> = sent().into_iter().filter(|sent| sent.case.name() != UNFIT).collect();
    let differences = parallel::map(&sent, |sent| convert_and_compare(sent).expect("a conversion"));
    assert!(differences.iter().all(String::is_empty), "{}", differences.concat());
}

fn convert_and_compare(sent: &Sent) -> Result<String> {
    let output = tempfile::tempdir()?;
    let (csv, out) = (sent.csv(), output.path().display().to_string());
    let arguments = ["convert", "--input", &csv, "--output", &out, "--org", &sent.org, "--source", &sent.source];
    tokaki::run(arguments)?.require_success()?;
    let mut differences = String::new();
    for (daily, report) in REPORTS.into_iter().flat_map(|report| [("", report), ("daily/", report)]) {
        let theirs = sent.files(&sent.case.path("input"), daily, report);
        let columns: Vec<_> = theirs.first().map_or_else(Vec::new, |file| {
            let schema = table::schema(file).expect("is Parquet");
            schema.fields().iter().map(|field| field.name().clone()).collect()
        });
        // What has no daily files has none to compare with.
        if theirs.is_empty() {
            continue;
        }
        let (ours, theirs) = (rows(&sent.files(output.path(), daily, report), &columns), rows(&theirs, &columns));
        if ours != theirs {
            let first = ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs);
            let (name, ours, theirs) = (sent.case.name(), ours.len(), theirs.len());
            differences += &format!("{name}: {ours} and {theirs} rows of {daily}{report}: {first:?}\n");
        }
    }
    Ok(differences)
}

/// The readers differ, the rows do not: neither in a value nor in an id.
#[test]
fn a_run_on_csv_gives_the_rows_of_a_run_on_parquet() {
    let sent = sent();
    let differences = parallel::map(&sent, |sent| run_and_compare(sent).expect("two runs"));
    assert!(differences.iter().all(String::is_empty), "{}", differences.concat());
}

fn run_and_compare(sent: &Sent) -> Result<String> {
    let mut differences = String::new();
    let csv = format!("store.url={}", sent.csv());
    let on_parquet = ["--set", "reader.pods=hourly"].map(str::to_owned);
    let on_csv = ["--set", "reader.type=csv", "--set", "catalog.type=operator", "--set", &csv].map(str::to_owned);
    for semantics in [Semantics::Koku, Semantics::Conserving] {
        let [ours, theirs] = [&on_csv[..], &on_parquet[..]].map(|further| {
            let destination = Destination::new(&Sink::Sqlite)?;
            tokaki::command().run_case_with(further, &sent.case, semantics, &destination)?.require_success()?;
            let mut rows = destination.read(DAILY_SUMMARY, &columns())?;
            rows.sort_by_cached_key(|row| format!("{row:?}"));
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(rows)
        });
        let (ours, theirs) = (ours?, theirs?);
        if ours != theirs {
            let first = ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs);
            differences += &format!("{} {semantics}: {first:?}\n", sent.case.name());
        }
    }
    Ok(differences)
}

/// Rows, and the ids in them, of an archive are those of its files.
#[test]
fn a_run_on_an_archive_gives_the_rows_of_its_files() {
    let sent = sent().swap_remove(0);
    let upload = sent.csv.path().join("upload.tar.gz");
    let names: Vec<_> =
        fs::read_dir(sent.csv.path()).expect("a folder").map(|entry| entry.expect("an entry").file_name()).collect();
    let names: Vec<_> = names.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    let manifest = serde_json::json!({ "uuid": "4e009161-4f40-42c8-877c-3e59f6baea3d", "files": names });
    fs::write(sent.csv.path().join("manifest.json"), manifest.to_string()).expect("written");
    let mut tar = std::process::Command::new("tar");
    tar.arg("-czf").arg(&upload).arg("-C").arg(sent.csv.path()).args(&names).arg("manifest.json");
    assert!(tar.status().expect("tar is there").success());
    for name in names.iter().map(String::as_str).chain(["manifest.json"]) {
        fs::remove_file(sent.csv.path().join(name)).expect("removed");
    }
    assert_eq!(run_and_compare(&sent).expect("two runs"), "");
}

/// Writes hourly rows the way the operator sends them, if that is possible.
fn send(parquet: &Path, csv: &Path) -> bool {
    let batch = table::read(parquet).expect("is Parquet");
    if !is_sendable(&batch) {
        return false;
    }
    let mut out = csv::Writer::from_path(csv).expect("created");
    let is_sent = |name: &str| !name.contains("_effective_");
    let fields = batch.schema_ref().fields().iter().filter(|field| is_sent(field.name()));
    let names: Vec<_> = fields.map(|field| field.name().as_str()).collect();
    if batch.num_rows() > 0 {
        out.write_record(&names).expect("written");
    }
    for row in 0..batch.num_rows() {
        let cell = |name: &&str| {
            let column = batch.column_by_name(name).expect("a column");
            let column = cast(column, &DataType::Utf8).expect("has a text");
            let text = if column.is_null(row) { "" } else { column.as_string::<i32>().value(row) };
            if name.ends_with("_labels") { operator_labels(text) } else { text.to_owned() }
        };
        out.write_record(names.iter().map(cell)).expect("written");
    }
    out.flush().expect("written");
    true
}

/// Whether CSV of the operator has a way to say all this.
fn is_sendable(batch: &RecordBatch) -> bool {
    let schema = batch.schema();
    schema.fields().iter().zip(batch.columns()).all(|(field, column)| {
        if !field.name().ends_with("_labels") {
            return column.null_count() == 0;
        }
        let Ok(texts) = cast(column, &DataType::Utf8) else { return false };
        let plain = |text: &str| !text.contains([':', '|', ',']) && !text.contains("label_");
        texts.null_count() == 0
            && texts.as_string::<i32>().iter().flatten().all(|text| {
                let labels: BTreeMap<String, Value> = serde_json::from_str(text).unwrap_or_default();
                labels.iter().all(|(key, value)| plain(key) && value.as_str().is_some_and(plain))
            })
    })
}

fn operator_labels(json: &str) -> String {
    let labels: serde_json::Map<String, Value> = serde_json::from_str(json).unwrap_or_default();
    let labels = labels.iter().map(|(key, value)| format!("label_{key}:{}", value.as_str().expect("a text")));
    labels.collect::<Vec<_>>().join("|")
}
