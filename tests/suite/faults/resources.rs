//! Resources are scarce, and the machine is set up oddly.

use std::process::{Command, Output};

use tokaki_tests::destination::{Destination, Sink};

use crate::support::job::{self, Job, content};
use crate::support::koku::Koku;
use crate::support::tokaki;

/// Memory of the worker that does this job in Koku (the chart's limit).
const MEBIBYTES: u32 = 256;

/// Runs the job from its bucket; the system refuses more memory than `mebibytes`.
fn run_within(mebibytes: u32, job: &Job, destination: &Destination<'_>, settings: &[&str]) -> Output {
    let mut command = tokaki::within(mebibytes);
    command.args(["run", "--config"]).arg(Job::config());
    command.args(["--set", &format!("reference.path={}", Job::reference().display())]);
    command.args(["--set", "store.url=s3://cost"]).args(settings.iter().flat_map(|setting| ["--set", setting]));
    command.args(destination.arguments()).envs(job.server.variables()).output().expect("starts")
}

#[test]
fn r1_the_job_fits_into_the_memory_of_kokus_worker() {
    let job = Job::new();
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    let clean = job.clean_rows(&destination);
    let large = Job::new();
    large.enlarge("namespace_labels");
    for (job, expected) in [(&job, Some(clean)), (&large, None)] {
        let destination = Destination::new(&Sink::Sqlite).expect("a destination");
        let output = run_within(MEBIBYTES, job, &destination, &[]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        if let Some(expected) = expected {
            assert!(content(&destination) == expected);
        }
    }
}

#[test]
fn r1_i8_who_has_too_little_memory_says_what_is_needed_and_is_not_killed() {
    let job = Job::new();
    job.enlarge("pod_usage");
    let whole = Destination::new(&Sink::Sqlite).expect("a destination");
    let expected = job.clean_rows(&whole);
    let mut ended = Vec::new();
    for mebibytes in [18, 20, 22, 24, 26, 28, 30, 32, 36, 40, 48, 64, 256] {
        for settings in [&[][..], &["run.workers=2", "run.mode=parallel"]] {
            let destination = Destination::new(&Sink::Sqlite).expect("a destination");
            let output = run_within(mebibytes, &job, &destination, settings);
            let said = String::from_utf8_lossy(&output.stderr);
            ended.push((mebibytes, output.status.code()));
            match output.status.code() {
                Some(0) => assert!(content(&destination) == expected, "{mebibytes} MiB: other rows"),
                Some(22) => assert!(said.contains("needs about") && said.contains("memory_budget"), "{said}"),
                code => panic!("{mebibytes} MiB: {code:?} {said}"),
            }
        }
    }
    let of_least = ended.first().and_then(|(_, code)| *code);
    let of_most = ended.last().and_then(|(_, code)| *code);
    assert_eq!((of_least, of_most), (Some(22), Some(0)), "{ended:?}");
}

#[test]
fn r1_a_run_that_begins_anew_in_less_gives_the_same_rows() {
    let job = Job::new();
    job.enlarge("pod_usage");
    let whole = Destination::new(&Sink::Sqlite).expect("a destination");
    let expected = job.clean_rows(&whole);
    let mut anew = 0;
    for mebibytes in (20..80).step_by(4) {
        let destination = Destination::new(&Sink::Sqlite).expect("a destination");
        let budget = format!("run.memory_budget={mebibytes}MiB");
        let outcome = job.run_on_folder(&destination, &[&budget, "run.workers=2", "run.mode=parallel"]);
        if outcome.code == Some(0) {
            assert!(content(&destination) == expected, "{mebibytes} MiB: other rows");
            anew += usize::from(outcome.stderr.contains("begins anew"));
        } else {
            assert_eq!(outcome.code, Some(22), "{}", outcome.stderr);
        }
    }
    assert!(anew > 0, "there is a budget in which a second attempt does it");
}

#[test]
fn r3_a_folder_for_temporary_files_that_is_none() {
    let (job, koku) = (Job::new(), Koku::with_foreign_rows());
    let before = koku.digest();
    let variables = [("TMPDIR".to_owned(), "/nowhere/at/all".to_owned())];
    let outcome = job::run(&variables, &koku.destination(), &[format!("store.url={}", job.folder().display())]);
    assert!(matches!(outcome.code, Some(10 | 20)), "{}", outcome.stderr);
    assert!(job::error(&outcome).contains("/nowhere/at/all"), "{}", outcome.stderr);
    assert_eq!(koku.digest(), before);
}

#[test]
fn r4_few_files_may_be_open() {
    let job = Job::new();
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    let clean = job.clean_rows(&destination);
    let run = |files: u32, settings: &[&str]| {
        let destination = Destination::new(&Sink::Sqlite).expect("a destination");
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -n {files}; exec \"$0\" \"$@\"")]).arg(tokaki::command().binary());
        command.args(["run", "--config"]).arg(Job::config()).args(destination.arguments()).envs(job.server.variables());
        command.args(["--set", &format!("reference.path={}", Job::reference().display())]);
        command.args(["--set", "store.url=s3://cost"]).args(settings.iter().flat_map(|setting| ["--set", setting]));
        let output = command.output().expect("starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.code() == Some(0) {
            assert!(content(&destination) == clean, "{files} files: other rows");
        }
        (output.status.code(), said)
    };
    // With a cache each day and file is folded on its own, and all of them at once if they may.
    let cache = tempfile::tempdir().expect("a folder");
    let cache = format!("cache.url={}", cache.path().display());
    for settings in [&[][..], &["run.workers=64", "run.mode=parallel", "run.window_rows=0", cache.as_str()]] {
        let (code, said) = run(64, settings);
        assert_eq!(code, Some(0), "{said}");
    }
    for files in [6, 20, 63] {
        let (code, said) = run(files, &[]);
        assert_eq!(code, Some(22), "{said}");
        assert!(said.contains(&format!("may have {files} files open, and needs 64")), "{said}");
    }
}

#[test]
fn t4_the_time_zone_of_the_machine_changes_nothing() {
    let job = Job::new();
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    let clean = job.clean_rows(&destination);
    for zone in ["Pacific/Kiritimati", "America/St_Johns", "Nowhere/At_All", ""] {
        let destination = Destination::new(&Sink::Sqlite).expect("a destination");
        let variables = [("TZ".to_owned(), zone.to_owned())];
        let outcome = job::run(&variables, &destination, &[format!("store.url={}", job.folder().display())]);
        assert_eq!(outcome.code, Some(0), "{zone}: {}", outcome.stderr);
        assert!(content(&destination) == clean, "{zone}");
    }
}
