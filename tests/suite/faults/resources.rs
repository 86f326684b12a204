//! Resources are scarce.

use std::process::{Command, Output};

use tokaki_tests::destination::{Destination, Sink};

use crate::support::job::{Job, content};
use crate::support::tokaki;

/// Memory of the worker that does this job in Koku (the chart's limit).
const MEBIBYTES: u32 = 256;

/// Runs the job from its bucket; the system refuses more memory than `mebibytes`.
fn run_within(mebibytes: u32, job: &Job, destination: &Destination<'_>, settings: &[&str]) -> Output {
    let limited = format!("ulimit -d {}; exec \"$0\" \"$@\"", mebibytes << 10);
    let mut command = Command::new("sh");
    command.args(["-c", &limited]).arg(tokaki::command().binary()).args(["run", "--config"]).arg(Job::config());
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
