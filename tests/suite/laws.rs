//! Laws of a run: neither its settings nor its accidents change a byte of the result.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use proptest::prelude::*;
use tempfile::TempDir;
use tokaki_core::Semantics::{self, Conserving, Koku};
use tokaki_tests::cases::{self, Case, KOKU};
use tokaki_tests::compare::differences;
use tokaki_tests::destination::{DAILY_SUMMARY, Destination, Sink};
use tokaki_tests::rows::{self, Column, Kind, Row};

use crate::support::{in_other_order, sinks, tokaki};

/// A case whose two semantics differ in every kind of row.
const CASE: &str = "random-10";
/// A case of four days in several files.
const MANY_FILES: &str = "range-inside-data";
const TABLE: &str = "reporting_ocpusagelineitem_daily_summary.parquet";

fn rows_as_parquet(case: &Path, settings: &[String]) -> Vec<u8> {
    let folder = TempDir::new().expect("a folder");
    let mut arguments = vec!["run".to_owned(), "--case".to_owned(), case.display().to_string()];
    arguments.extend(["--sink".to_owned(), format!("parquet:{}", folder.path().display())]);
    arguments.extend(settings.iter().flat_map(|setting| ["--set".to_owned(), setting.clone()]));
    let outcome = tokaki::run(&arguments).expect("runs");
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    fs::read(folder.path().join(TABLE)).expect("a result")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn chunks_windows_workers_and_file_order_never_change_a_byte(
        chunk_rows in prop::sample::select(vec![1, 7, 8192, 0]),
        workers in prop::sample::select(vec![1, 2, 8]),
        seed: u64,
        many_files: bool,
        conserving: bool,
        pods in prop::sample::select(vec!["auto", "hourly"]),
        window_rows in prop::sample::select(vec![0, 1, 100, 65_536]),
        mode in prop::sample::select(vec!["auto", "serial", "parallel"]),
        memory_budget in prop::sample::select(vec!["32MiB", "64MiB", "1GiB"]),
    ) {
        let case = Case::of_repository(if many_files { MANY_FILES } else { CASE }).folder;
        let semantics = if conserving { "conserving" } else { "koku" };
        let fixed = [format!("semantics={semantics}"), format!("reader.pods={pods}")];
        let expected = rows_as_parquet(&case, &fixed);
        let mut settings = fixed.to_vec();
        settings.extend([format!("run.chunk_rows={chunk_rows}"), format!("run.workers={workers}")]);
        settings.extend([format!("run.window_rows={window_rows}"), format!("run.mode={mode}")]);
        settings.push(format!("run.memory_budget={memory_budget}"));
        let other = in_other_order(&case, seed);
        prop_assert!(expected == rows_as_parquet(other.path(), &settings), "the bytes differ");
    }
}

fn columns() -> Vec<Column> {
    let mut columns = rows::files::columns(&Case::of_repository(CASE).path(KOKU)).expect("columns");
    columns.push(Column { name: "uuid".into(), kind: Kind::Text });
    columns
}

fn content(destination: &Destination<'_>) -> Vec<Row> {
    let mut rows = destination.read(DAILY_SUMMARY, &columns()).expect("rows");
    rows.sort_by_key(|row| format!("{row:?}"));
    rows
}

fn run(semantics: Semantics, destination: &Destination<'_>) -> Vec<Row> {
    let outcome = tokaki::run_case(&Case::of_repository(CASE), semantics, destination).expect("runs");
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    content(destination)
}

#[test]
fn twice_is_once() {
    for sink in sinks() {
        let destination = Destination::new(&sink).expect("a destination");
        assert_eq!(run(Koku, &destination), run(Koku, &destination), "{sink}");
    }
}

#[test]
fn other_aggregators_rows_stay_when_one_runs_alone() {
    for sink in sinks() {
        let destination = Destination::new(&sink).expect("a destination");
        let before = run(Koku, &destination);
        for aggregator in ["storage", "pod", "unallocated"] {
            let case = Case::of_repository(CASE).folder.display().to_string();
            let mut arguments = ["run", "--case", &case, "--aggregators", aggregator].map(str::to_owned).to_vec();
            arguments.extend(destination.arguments());
            let outcome = tokaki::run(&arguments).expect("runs");
            assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
            assert_eq!(content(&destination), before, "{sink} after {aggregator} alone");
        }
    }
}

#[test]
fn without_gpus_the_gpu_table_is_left_alone() {
    let folder = TempDir::new().expect("a folder");
    let case = Case::of_repository(CASE).folder.display().to_string();
    let sink = format!("parquet:{}", folder.path().display());
    let arguments = ["run", "--case", &case, "--sink", &sink, "--aggregators", "pod,gpu"];
    let outcome = tokaki::run(arguments).expect("runs");
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(folder.path().join(TABLE).is_file());
    assert!(!folder.path().join("reporting_ocp_gpu_summary_p.parquet").exists());
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_rows_or_the_new_ones() {
    for sink in sinks() {
        let destination = Destination::new(&sink).expect("a destination");
        let new = run(Conserving, &destination);
        let old = run(Koku, &destination);
        assert_ne!(old, new);
        let (mut kept, mut replaced) = (0, 0);
        // Until both were seen, and a while longer.
        for kill in 0..90_u64 {
            if kill >= 30 && kept > 0 && replaced > 0 {
                break;
            }
            // Spread over more than a whole run.
            let delay = Duration::from_millis(if kill < 45 { kill * 5 } else { kill * 20 });
            let case = Case::of_repository(CASE).folder.display().to_string();
            let mut child = Command::new(tokaki::command().binary())
                .args(["run", "--case", &case, "--semantics", "conserving"])
                .args(destination.arguments())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("starts");
            std::thread::sleep(delay);
            child.kill().expect("killed");
            child.wait().expect("ended");
            let after = content(&destination);
            assert!(after == old || after == new, "{sink}: neither old nor new after {delay:?}");
            if after == new {
                replaced += 1;
                run(Koku, &destination);
            } else {
                kept += 1;
            }
        }
        assert!(kept > 0 && replaced > 0, "{sink}: {kept} kills came before the commit, {replaced} after it");
        assert_eq!(run(Conserving, &destination), new, "{sink}: a plain rerun");
    }
}

#[test]
fn every_case_by_days_is_the_case_as_a_whole() {
    for case in cases::good().expect("cases") {
        for semantics in ["koku", "conserving"] {
            let settings = |more: &[&str]| {
                let fixed = format!("semantics={semantics}");
                std::iter::once(fixed).chain(more.iter().map(|more| (*more).to_owned())).collect::<Vec<_>>()
            };
            let whole = rows_as_parquet(&case.folder, &settings(&[]));
            let by_days = rows_as_parquet(&case.folder, &settings(&["run.window_rows=0", "run.mode=parallel"]));
            assert!(whole == by_days, "{} {semantics}: the bytes differ", case.name());
        }
    }
}

#[test]
fn hourly_files_alone_give_what_daily_files_give() {
    // These have hours for less than the days.
    let without_hours = ["hourly-for-one-day-only", "no-hourly-tables"];
    let cases: Vec<PathBuf> = cases::good()
        .expect("cases")
        .into_iter()
        .filter(|case| !without_hours.contains(&case.name().as_ref()))
        .map(|case| case.folder)
        .collect();
    for case in cases {
        let case = Case { folder: case };
        let destination = Destination::new(&Sink::Parquet).expect("a destination");
        let folder = case.folder.display().to_string();
        let mut arguments = ["run", "--case", &folder, "--set", "reader.pods=hourly"].map(str::to_owned).to_vec();
        arguments.extend(destination.arguments());
        let outcome = tokaki::run(&arguments).expect("runs");
        assert_eq!(outcome.code, Some(0), "{}: {}", case.name(), outcome.stderr);
        let columns = rows::files::columns(&case.path(KOKU)).expect("columns");
        let expected = rows::files::read(&case.path(KOKU), &columns).expect("rows");
        let actual = destination.read(DAILY_SUMMARY, &columns).expect("rows");
        let differences = differences(&expected, &actual);
        assert!(differences.is_empty(), "{}: {differences:?}", case.name());
    }
}
