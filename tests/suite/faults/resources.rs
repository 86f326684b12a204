//! Resources are scarce.

use std::process::Command;

use tokaki_tests::destination::{Destination, Sink};

use crate::support::job::{Job, content};
use crate::support::tokaki;

/// Memory of the worker that does this job in Koku (the chart's limit).
const MEBIBYTES: u32 = 256;

#[test]
fn r1_the_job_fits_into_the_memory_of_kokus_worker() {
    let job = Job::new();
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    let clean = job.clean_rows(&destination);
    let large = Job::new();
    large.enlarge("namespace_labels");
    for (job, expected) in [(&job, Some(clean)), (&large, None)] {
        let destination = Destination::new(&Sink::Sqlite).expect("a destination");
        let limited = format!("ulimit -d {}; exec \"$0\" \"$@\"", MEBIBYTES << 10);
        let mut command = Command::new("sh");
        command.args(["-c", &limited]).arg(tokaki::command().binary()).args(["run", "--config"]).arg(Job::config());
        command.args(["--set", &format!("reference.path={}", Job::reference().display())]);
        command.args(["--set", "store.url=s3://cost"]).args(destination.arguments()).envs(job.server.variables());
        let output = command.output().expect("starts");
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        if let Some(expected) = expected {
            assert!(content(&destination) == expected);
        }
    }
}
