//! Bytes of a file are missing or others.

use std::fs;

use tokaki_tests::destination::{Destination, Sink};
use tokaki_tests::faults::{mutate, rounds};
use tokaki_tests::parallel;

use super::{Bench, check_refused};
use crate::support::job::Job;
use crate::support::tokaki;

#[test]
fn i1_a_file_cut_at_every_boundary() {
    let bench = Bench::new();
    for report_type in ["pod_usage", "storage_usage", "node_labels"] {
        let file = bench.job.files(report_type).swap_remove(1);
        let whole = fs::read(&file).expect("a file");
        for length in mutate::boundaries(&whole) {
            let outcome = bench.run_damaged(&file, |file| fs::write(file, &whole[..length]).expect("written"));
            check_refused(&outcome, &file);
        }
    }
}

#[test]
fn i1_no_magic_word_and_a_footer_longer_than_the_file() {
    let bench = Bench::new();
    let file = bench.job.files("pod_usage").swap_remove(0);
    let whole = fs::read(&file).expect("a file");
    let end = whole.len();
    for (at, bytes) in
        [(end - 4, *b"PAR2"), (end - 8, [0xff; 4]), (end - 8, [0xff, 0xff, 0xff, 0x7f]), (end - 8, [0; 4])]
    {
        let mut damaged = whole.clone();
        damaged[at..at + 4].copy_from_slice(&bytes);
        let outcome = bench.run_damaged(&file, |file| fs::write(file, damaged).expect("written"));
        check_refused(&outcome, &file);
    }
}

/// Memory of a run on damaged files. Whoever believes a size in a damaged header asks for more.
const MEBIBYTES: u32 = 256;

#[test]
fn i2_any_damage_is_an_error_or_no_damage() {
    let job = Job::new();
    let seeds: Vec<u64> = (0..rounds("TOKAKI_TEST_MUTATIONS", 200)).collect();
    let complaints = parallel::map(&seeds, |&seed| {
        // A folder of its own: the others run at the same time.
        let own = tempfile::tempdir().expect("a folder");
        crate::support::copy(&job.folder(), own.path());
        let mut chance = fastrand::Rng::with_seed(seed);
        let file = chance.choice(job.all_files()).expect("a file");
        let file = own.path().join(file.strip_prefix(job.folder()).expect("in the folder"));
        let mut damaged = fs::read(&file).expect("a file");
        let mut kinds = Vec::new();
        // Damage on top of damage gets past the first check.
        for _ in 0..chance.usize(1..=3) {
            if damaged.len() > 64 {
                let (more, kind) = mutate::parquet(&damaged, chance.u64(..));
                damaged = more;
                kinds.push(kind);
            }
        }
        fs::write(&file, damaged).expect("written");
        let destination = Destination::new(&Sink::Sqlite).expect("a destination");
        let mut command = tokaki::within(MEBIBYTES);
        command.args(["run", "--quiet", "--config"]).arg(Job::config()).args(destination.arguments());
        command.args(["--set", &format!("reference.path={}", Job::reference().display())]);
        command.args(["--set", &format!("store.url={}", own.path().display())]);
        let output = command.output().expect("starts");
        let told = String::from_utf8_lossy(&output.stderr);
        let errors = told.lines().filter(|line| line.starts_with("error:")).count();
        let names_file = told.contains(&*file.file_name().expect("a name").to_string_lossy());
        match output.status.code() {
            Some(0) => String::new(),
            Some(12) if errors == 1 && names_file && !told.contains("panicked") => String::new(),
            code => format!("seed {seed}, {kinds:?} in {}: {code:?} {told}\n", file.display()),
        }
    });
    assert!(complaints.iter().all(String::is_empty), "{}", complaints.concat());
}
