//! The process is killed.

use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tokaki_tests::destination::{Destination, Sink};
use tokaki_tests::faults::proxy::Trouble;
use tokaki_tests::faults::{Fault, Rule, rounds};

use super::database::{TERMINATE, WRITING};
use crate::support::job::{self, BUCKET, Job, content};
use crate::support::koku::{Koku, SCHEMA};
use crate::support::tokaki;

/// A running job. It is killed from wherever the moment is known.
type Running = Arc<Mutex<Option<Child>>>;

fn start(job: &Job, destination: &Destination<'_>) -> Child {
    start_with(job, destination, &[&format!("store.url=s3://{BUCKET}")])
}

fn start_with(job: &Job, destination: &Destination<'_>, settings: &[&str]) -> Child {
    let reference = format!("reference.path={}", Job::reference().display());
    let mut command = Command::new(tokaki::command().binary());
    command.args(["run", "--config"]).arg(Job::config()).args(destination.arguments());
    command.args([&*reference].iter().chain(settings).flat_map(|setting| ["--set", setting]));
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

#[test]
fn k1_killed_at_any_byte_of_the_transaction() {
    let (job, koku, fresh) = (Job::new(), Koku::with_foreign_rows(), Koku::with_foreign_rows());
    let proxy = koku.proxy();
    let behind = koku.behind(&proxy);
    let through_proxy = Destination::in_schema(&behind, SCHEMA).expect("a destination");
    // Runs of the two semantics take turns, so that each finds other rows than it writes.
    let semantics = ["semantics=conserving", "semantics=koku"];
    let digests = semantics.map(|setting| {
        assert_eq!(job.run_on_folder(&fresh.destination(), &[setting]).code, Some(0));
        fresh.digest()
    });
    assert_ne!(digests[0], digests[1]);
    let store = format!("store.url={}", job.folder().display());
    let run = |setting: &str| {
        let outcome = job::run(&[], &through_proxy, &[store.clone(), setting.to_owned()]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    };
    let bytes_sent = semantics.map(|setting| {
        proxy.set(Trouble::None);
        run(setting);
        proxy.sent()[WRITING]
    });
    assert_eq!(koku.digest(), digests[1]);

    let mut chance = fastrand::Rng::with_seed(1);
    let (mut kept, mut replaced) = (0, 0);
    for number in 0..rounds("TOKAKI_TEST_KILLS", 16) {
        let turn = (number % 2) as usize;
        let committed = bytes_sent[turn] - TERMINATE;
        // The moments next to the commit first, then any.
        let moment = match number / 2 {
            0 => committed - 1,
            1 => committed,
            _ => chance.usize(..=bytes_sent[turn]),
        };
        proxy.set_for(WRITING, Trouble::HoldAfterSent(moment));
        let mut child = start_with(&job, &through_proxy, &[&store, semantics[turn]]);
        loop {
            let ended = child.try_wait().expect("a child").is_some();
            if proxy.sent().get(WRITING) == Some(&moment) {
                break;
            }
            assert!(!ended, "kill {number}: the run ended before byte {moment}");
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().expect("killed");
        child.wait().expect("ended");
        if moment < committed {
            kept += 1;
            assert_eq!(koku.digest(), digests[1 - turn], "kill {number} at byte {moment}, before the commit");
        } else {
            replaced += 1;
            // The server has the order to commit, and may be slow to carry it out.
            for _ in 0..100 {
                if koku.digest() == digests[turn] {
                    break;
                }
                std::thread::sleep(Duration::from_millis(100));
            }
            assert_eq!(koku.digest(), digests[turn], "kill {number} at byte {moment}, after the commit");
        }
        proxy.set(Trouble::None);
        run(semantics[turn]);
        assert_eq!(koku.digest(), digests[turn], "a plain rerun after kill {number}");
    }
    assert!(kept > 0 && replaced > 0, "{kept} kills came before the commit, {replaced} after it");
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
    for number in 0..rounds("TOKAKI_TEST_KILLS", 40) {
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

#[test]
fn k3_stopped_by_a_signal_while_it_writes() {
    let (job, koku) = (Job::new(), Koku::with_foreign_rows());
    let proxy = koku.proxy();
    let behind = koku.behind(&proxy);
    let through_proxy = Destination::in_schema(&behind, SCHEMA).expect("a destination");
    let store = format!("store.url={}", job.folder().display());
    assert!(start_with(&job, &through_proxy, &[&store]).wait().expect("ended").success());
    let commit_sent = proxy.sent()[WRITING] - TERMINATE;
    assert_eq!(job.run_on_folder(&koku.destination(), &["semantics=conserving"]).code, Some(0));
    let before = koku.digest();
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGINT, 130)] {
        for moment in [0, commit_sent / 2, commit_sent - 1] {
            proxy.set_for(WRITING, Trouble::HoldAfterSent(moment));
            let mut child = start_with(&job, &through_proxy, &[&store]);
            while proxy.sent().get(WRITING) != Some(&moment) {
                std::thread::sleep(Duration::from_millis(1));
            }
            nix::sys::signal::kill(Pid::from_raw(child.id() as i32), signal).expect("signalled");
            assert_eq!(child.wait().expect("ended").code(), Some(code), "{signal} at byte {moment}");
            assert_eq!(koku.digest(), before, "{signal} at byte {moment}");
        }
    }
}

#[test]
fn k4_nobody_listens_to_what_is_told() {
    let job = Job::new();
    let sink = Sink::Sqlite;
    let destination = Destination::new(&sink).expect("a destination");
    let clean = job.clean_rows(&destination);
    for streams in ["<&- >&-", "2>&-", ">&- 2>&-", "> /dev/full", "2> /dev/full"] {
        let destination = Destination::new(&sink).expect("a destination");
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec \"$0\" \"$@\" {streams}")]).arg(tokaki::command().binary());
        command.args(["run", "--config"]).arg(Job::config()).args(destination.arguments());
        command.args(["--set", &format!("reference.path={}", Job::reference().display())]);
        command.args(["--set", &format!("store.url={}", job.folder().display()), "--set", "log.level=debug"]);
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("starts");
        assert_eq!(status.code(), Some(0), "{streams}");
        assert!(content(&destination) == clean, "{streams}");
    }
}
