//! Nothing, or next to nothing, is there to read: what the destination holds must not be replaced by it.

use std::fs;
use std::path::Path;

use tokaki_tests::command::Outcome;
use tokaki_tests::destination::{DAILY_SUMMARY, Destination};
use tokaki_tests::table;

use crate::support::job::{Job, content, error};
use crate::support::{sinks, tokaki};

const REPORT_TYPES: [&str; 4] = ["pod_usage", "storage_usage", "node_labels", "namespace_labels"];

/// The file with its columns and without its rows.
fn empty(file: &Path) {
    let rows = table::read(file).expect("Parquet");
    table::write(file, &rows.slice(0, 0)).expect("written");
}

/// A full run, then `damage`, then a run with these settings that must end with `code`: unchanged unless that is 0.
fn after_damage(destination: &Destination<'_>, damage: impl Fn(&Job), settings: &[&str], code: i32) -> Outcome {
    let job = Job::new();
    job.clean_rows(destination);
    let before = content(destination);
    damage(&job);
    let outcome = job.run_on_folder(destination, settings);
    assert_eq!(outcome.code, Some(code), "{}", outcome.stderr);
    if code != 0 {
        assert!(content(destination) == before, "changed although it was refused: {}", outcome.stderr);
    }
    outcome
}

fn empty_all(job: &Job) {
    job.all_files().iter().for_each(|file| empty(file));
}

fn remove_all(job: &Job) {
    job.all_files().iter().for_each(|file| fs::remove_file(file).expect("removed"));
}

#[test]
fn i12_files_without_rows_replace_nothing() {
    for sink in sinks() {
        let destination = Destination::new(&sink).expect("a destination");
        let outcome = after_damage(&destination, empty_all, &[], 11);
        assert!(error(&outcome).contains("--allow-empty"), "{}", outcome.stderr);
        let destination = Destination::new(&sink).expect("a destination");
        after_damage(&destination, empty_all, &["run.allow_empty=true"], 0);
        assert!(content(&destination).is_empty());
    }
}

#[test]
fn i12_rows_of_other_days_replace_nothing() {
    let sinks = sinks();
    let destination = Destination::new(&sinks[0]).expect("a destination");
    let job = Job::new();
    job.clean_rows(&destination);
    let before = content(&destination);
    let outcome = job.run_on_folder(&destination, &["scope.start_date=2025-10-20", "scope.end_date=2025-10-21"]);
    assert_eq!(outcome.code, Some(11), "{}", outcome.stderr);
    assert!(error(&outcome).contains("2025-10-20 to 2025-10-21"), "{}", outcome.stderr);
    assert!(content(&destination) == before);
}

#[test]
fn i12_no_files_replace_nothing() {
    for sink in sinks() {
        let destination = Destination::new(&sink).expect("a destination");
        after_damage(&destination, remove_all, &[], 11);
        let destination = Destination::new(&sink).expect("a destination");
        after_damage(&destination, remove_all, &["run.allow_empty=true"], 0);
        assert_eq!(destination.read(DAILY_SUMMARY, &[]).map(|rows| rows.len()).unwrap_or_default(), 0);
    }
}

#[test]
fn daily_files_that_are_asked_for_and_not_there_replace_nothing() {
    let lose_daily = |job: &Job| {
        let daily = job.all_files().into_iter().filter(|file| file.to_string_lossy().contains("/parquet/daily/"));
        daily.for_each(|file| fs::remove_file(file).expect("removed"));
    };
    for sink in sinks() {
        let destination = Destination::new(&sink).expect("a destination");
        let outcome = after_damage(&destination, lose_daily, &["reader.pods=daily"], 11);
        assert!(error(&outcome).contains("reader.pods = auto"), "{}", outcome.stderr);
        let destination = Destination::new(&sink).expect("a destination");
        let on_purpose = ["reader.pods=daily", "run.allow_empty=true", "run.shrink_limit=1"];
        after_damage(&destination, lose_daily, &on_purpose, 0);
    }
}

#[test]
fn a_plan_tells_what_will_be_left_out() {
    let sinks = sinks();
    let job = Job::new();
    let file = job.files("pod_usage").swap_remove(1);
    fs::write(&file, "no Parquet at all").expect("written");
    let destination = Destination::new(&sinks[0]).expect("a destination");
    let plan = |settings: &[&str]| {
        let mut arguments = vec!["run".to_owned(), "--plan".to_owned(), "--config".to_owned()];
        arguments.push(Job::config().display().to_string());
        arguments.extend(destination.arguments());
        let fixed =
            [format!("reference.path={}", Job::reference().display()), format!("store.url={}", job.folder().display())];
        let settings = settings.iter().map(|setting| (*setting).to_owned());
        arguments.extend(fixed.into_iter().chain(settings).flat_map(|setting| ["--set".to_owned(), setting]));
        tokaki::run(arguments).expect("runs")
    };
    assert_eq!(plan(&[]).code, Some(12));
    let told = plan(&["run.quarantine=true"]);
    assert_eq!(told.code, Some(3), "{}", told.stderr);
    let name = file.file_name().expect("a name").to_string_lossy();
    let (read, left_out) = told.stdout.split_once("\nleft out\n").expect("what is left out");
    assert!(left_out.contains(&*name) && !read.contains(&*name), "{}", told.stdout);
}

#[test]
fn a_day_that_would_shrink_is_refused() {
    let lose_storage = |job: &Job| {
        for file in job.all_files() {
            if file.to_string_lossy().contains("/storage_usage/") {
                empty(&file);
            }
        }
    };
    for sink in sinks() {
        let destination = Destination::new(&sink).expect("a destination");
        let outcome = after_damage(&destination, lose_storage, &[], 11);
        let error = error(&outcome);
        assert!(error.contains("2025-10-01 has") && error.contains("--accept-shrink"), "{error}");
        assert!(error.contains(DAILY_SUMMARY), "{error}");
        let destination = Destination::new(&sink).expect("a destination");
        after_damage(&destination, lose_storage, &["run.shrink_limit=1"], 0);
    }
}

#[test]
fn a_broken_file_is_left_out_if_asked_as_if_it_had_never_been_there() {
    let sinks = sinks();
    for report_type in REPORT_TYPES {
        let job = Job::new();
        let file = job.files(report_type).swap_remove(1);
        let whole = fs::read(&file).expect("a file");
        // The footer is whole: that the middle is not shows when rows have been folded already.
        let mut broken = whole.clone();
        let middle = broken.len() / 3;
        broken[4..middle].fill(0xff);

        let without = Destination::new(&sinks[0]).expect("a destination");
        fs::remove_file(&file).expect("removed");
        job.clean_rows(&without);

        fs::write(&file, &broken).expect("written");
        let refused = Destination::new(&sinks[0]).expect("a destination");
        assert_eq!(job.run_on_folder(&refused, &[]).code, Some(12));

        let destination = Destination::new(&sinks[0]).expect("a destination");
        let outcome = job.run_on_folder(&destination, &["run.quarantine=true"]);
        assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
        assert!(content(&destination) == content(&without), "{report_type}: {}", outcome.stderr);
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(outcome.stdout.contains("left out") && outcome.stdout.contains(&name), "{}", outcome.stdout);
    }
}

#[test]
fn what_is_wrong_elsewhere_is_not_left_out() {
    let sinks = sinks();
    let destination = Destination::new(&sinks[0]).expect("a destination");
    let job = Job::new();
    job.clean_rows(&destination);
    let before = content(&destination);
    let missing = ["run.quarantine=true", "reference.path=no-such-file.json"];
    let outcome = job.run_on_folder(&destination, &missing);
    assert!(matches!(outcome.code, Some(10 | 12)), "{}", outcome.stderr);
    // All of them broken is an input without rows.
    job.all_files().iter().for_each(|file| fs::write(file, "no Parquet at all").expect("written"));
    let outcome = job.run_on_folder(&destination, &["run.quarantine=true"]);
    assert_eq!(outcome.code, Some(11), "{}", outcome.stderr);
    assert!(content(&destination) == before);
}
