//! The process is killed.

use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokaki_tests::destination::{Destination, Sink};
use tokaki_tests::faults::{Fault, Rule};

use crate::support::job::{BUCKET, Job, content};
use crate::support::tokaki;

/// A running job. It is killed from wherever the moment is known.
type Running = Arc<Mutex<Option<Child>>>;

fn start(job: &Job, destination: &Destination<'_>) -> Child {
    let settings = [format!("store.url=s3://{BUCKET}"), format!("reference.path={}", Job::reference().display())];
    let mut command = Command::new(tokaki::command().binary());
    command.args(["run", "--config"]).arg(Job::config()).args(destination.arguments());
    command.args(settings.iter().flat_map(|setting| ["--set", setting]));
    command.envs(job.server.variables()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("starts")
}

fn kill(running: &Running) {
    if let Some(child) = running.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        // It may have ended by itself.
        child.kill().ok();
    }
}

fn wait(running: &Running) {
    // Not under the lock: whoever kills needs it.
    loop {
        let ended = match running.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(child) => child.try_wait().expect("a child").is_some(),
            None => true,
        };
        if ended {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn k1_killed_at_every_request_of_the_store() {
    let job = Job::new();
    let sink = Sink::Sqlite;
    let destination = Destination::new(&sink).expect("a destination");
    let clean = job.clean_rows(&destination);
    job.server.take_requests();
    assert_eq!(job.run(&destination, &[]).code, Some(0));
    let requests = job.server.take_requests().len();
    assert_eq!(job.run_on_folder(&destination, &["semantics=conserving"]).code, Some(0));
    let before = content(&destination);
    assert_ne!(before, clean);
    for request in 0..requests {
        let running = Running::default();
        let victim = Arc::clone(&running);
        job.server.set_faults([Rule::always(Fault::before(move || kill(&victim))).after(request).times(1)]);
        // Locked until the child is there, so that a request that comes at once finds it.
        let mut slot = running.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = Some(start(&job, &destination));
        drop(slot);
        wait(&running);
        assert!(content(&destination) == before, "killed at request {request}");
    }
    job.server.set_faults([]);
    assert_eq!(job.run(&destination, &[]).code, Some(0), "a plain rerun");
    assert!(content(&destination) == clean);
}

/// Kills of one run of the suite; `TOKAKI_TEST_KILLS` asks for more.
fn kills() -> u32 {
    std::env::var("TOKAKI_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(40)
}

#[test]
fn k2_killed_at_random_moments() {
    let job = Job::new();
    let sink = Sink::postgres().expect("a database");
    let destination = Destination::new(&sink).expect("a destination");
    let clean = job.clean_rows(&destination);
    let conserving = || {
        assert_eq!(job.run_on_folder(&destination, &["semantics=conserving"]).code, Some(0));
        content(&destination)
    };
    let before = conserving();
    let started = Instant::now();
    start(&job, &destination).wait().expect("a run");
    let whole_run = started.elapsed();
    assert!(content(&destination) == clean);
    conserving();

    let mut chance = fastrand::Rng::with_seed(2);
    let (mut kept, mut replaced) = (0, 0);
    for number in 0..kills() {
        let mut child = start(&job, &destination);
        std::thread::sleep(whole_run.mul_f64(chance.f64() * 1.3));
        child.kill().expect("killed");
        child.wait().expect("ended");
        // The server may still be at the transaction whose client is gone; whoever looks sees one state or the other.
        let after = content(&destination);
        assert!(after == before || after == clean, "kill {number}: neither the old rows nor the new ones");
        if after == clean {
            replaced += 1;
            conserving();
        } else {
            kept += 1;
        }
    }
    assert!(kept > 0 && replaced > 0, "{kept} kills came before the commit, {replaced} after it");
    assert_eq!(job.run(&destination, &[]).code, Some(0), "a plain rerun");
    assert!(content(&destination) == clean);
}
