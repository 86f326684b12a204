//! The process is disturbed, and goes on.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow::array::RecordBatch;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokaki_core::pipeline::{DailyTables, EmptyInput, Event, Mode, Observer, RunOptions, Wiring, local};
use tokaki_core::plugin::StorePart;
use tokaki_core::testkit::sinks;
use tokaki_core::{
    Aggregator, AnyAggregator, Build, Chunk, DateRange, ErrorKind, Finished, Input, InputId, Output, PluginKind,
    Result, Scope, Section, Source, plugin,
};
use tokaki_tests::destination::{DAILY_SUMMARY, Destination, Sink};
use tokaki_tests::faults::{Fault, Rule};
use tokaki_tests::table;

use crate::support::job::{BUCKET, Job, content};
use crate::support::tokaki;

fn run_command(job: &Job, destination: &Destination<'_>, store: &str) -> Command {
    let mut command = Command::new(tokaki::command().binary());
    command.args(["run", "--quiet", "--config"]).arg(Job::config()).args(destination.arguments());
    command.args(["--set", &format!("reference.path={}", Job::reference().display())]);
    command.args(["--set", &format!("store.url={store}")]).envs(job.server.variables());
    command
}

/// An aggregator with a bug.
struct Buggy;

impl Aggregator for Buggy {
    type Sides = ();
    type State = ();

    fn inputs(&self) -> Vec<Input> {
        vec![Input::table(Source::Daily("pod_usage"), Vec::new())]
    }

    fn outputs(&self) -> Vec<Output> {
        vec![sinks::pods()]
    }

    fn prepare(&self, _: Vec<RecordBatch>, _: DateRange) -> Result<()> {
        Ok(())
    }

    fn start(&self) {}

    fn fold(&self, (): &(), (): &mut (), _: InputId, _: &Chunk) -> Result<()> {
        panic!("an invariant broke")
    }

    fn finish(&self, (): &(), (): ()) -> Result<Finished> {
        unreachable!("no row was folded")
    }
}

struct Unheard;

impl Observer for Unheard {
    fn event(&self, _: &Event<'_>) {}
}

#[test]
fn k5_a_worker_that_panics_ends_the_run_and_nothing_else() {
    let job = Job::new();
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    job.clean_rows(&destination);
    let before = content(&destination);
    let section = |name: &str, url: &str| {
        let settings = [("url".to_owned(), url.into())];
        Section::new(name, settings.into_iter().collect())
    };
    let find = |kind, name| plugin::find(kind, name, "test").expect("registered").build;
    let part = StorePart { own: Section::default(), store: section("store", &job.folder().display().to_string()) };
    let Build::Catalog(catalog) = find(PluginKind::Catalog, "koku") else { unreachable!("a catalog") };
    let Build::Reader(reader) = find(PluginKind::Reader, "parquet") else { unreachable!("a reader") };
    let Build::Sink(sink) = find(PluginKind::Sink, "sqlite") else { unreachable!("a sink") };
    let buggy: Arc<dyn AnyAggregator> = Arc::new(Buggy);
    let wiring = Wiring {
        catalog: catalog(&part).expect("a catalog"),
        reader: reader(&part).expect("a reader"),
        aggregators: [("buggy".to_owned(), buggy)].into(),
        written: vec!["buggy".to_owned()],
        sink: sink(&section("sink", &destination.arguments()[1])).expect("a sink"),
        memory: None,
        gauge: None,
    };
    let scope = Scope {
        org: "org1234567".to_owned(),
        source_uuid: "3f1c0f6e-7f5a-4d0e-9c58-1b7a3a0c9d11".to_owned(),
        days: sinks::scope("2025-10-01", "2025-10-03").days,
    };
    for (mode, workers) in [(Mode::Serial, 1), (Mode::Parallel, 4)] {
        let options = RunOptions {
            mode,
            workers,
            chunk_rows: 100,
            window_rows: 0,
            bytes_in_flight: 1 << 20,
            fetches_at_once: 8,
            frugal: false,
            daily_tables: DailyTables::Auto,
            empty_input: EmptyInput::Refuse,
            quarantine: true,
            shrink_limit: 1.0,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let error = runtime.block_on(local::run(&scope, &wiring, &options, &Unheard)).expect_err("a bug");
        assert_eq!(error.kind(), ErrorKind::Bug, "{error}");
        assert!(error.message().contains("an invariant broke"), "{error}");
        assert!(content(&destination) == before, "{mode:?}: changed");
    }
    assert_eq!(destination.tables().expect("tables"), [DAILY_SUMMARY], "no table of it was made");
}

#[test]
fn k6_stopped_for_a_while_and_continued() {
    let job = Job::new();
    let expected = job.clean_rows(&Destination::new(&Sink::Sqlite).expect("a destination"));
    for request in [0, 3, 7] {
        let destination = Destination::new(&Sink::Sqlite).expect("a destination");
        let process = Arc::new(Mutex::new(None));
        let stopped = Arc::clone(&process);
        let stop = move || {
            let process = stopped.lock().unwrap_or_else(PoisonError::into_inner);
            let process: Pid = process.expect("the process that asks");
            kill(process, Signal::SIGSTOP).expect("stopped");
            // Nobody waits for this but the process, which is stopped meanwhile.
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_secs(2));
                kill(process, Signal::SIGCONT).expect("continued");
            });
        };
        job.server.set_faults([Rule::always(Fault::before(stop)).after(request).times(1)]);
        // Locked until the process is there, so that a request that comes at once finds it.
        let mut slot = process.lock().unwrap_or_else(PoisonError::into_inner);
        let mut child = run_command(&job, &destination, &format!("s3://{BUCKET}"))
            .env("TOKAKI_STORE__TIMEOUT_SECONDS", "1")
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        *slot = Some(Pid::from_raw(child.id() as i32));
        drop(slot);
        assert_eq!(child.wait().expect("ended").code(), Some(0), "stopped at request {request}");
        assert!(content(&destination) == expected, "stopped at request {request}");
    }
}

#[test]
fn k7_ten_thousand_files_without_rows() {
    let job = Job::new();
    let expected = job.clean_rows(&Destination::new(&Sink::Sqlite).expect("a destination"));
    for report_type in ["pod_usage", "storage_usage"] {
        let file = job.files(report_type).swap_remove(0);
        let first = file.with_file_name("empty-0.parquet");
        let rows = table::read(&file).expect("Parquet").slice(0, 0);
        table::write(&first, &rows).expect("written");
        for number in 1..5_000 {
            fs::hard_link(&first, file.with_file_name(format!("empty-{number}.parquet"))).expect("linked");
        }
    }
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    let limits = "ulimit -n 64 -d 262144; exec \"$0\" \"$@\"";
    let own = run_command(&job, &destination, &job.folder().display().to_string());
    let mut command = Command::new("bash");
    let output = command.args(["-c", limits]).arg(own.get_program()).args(own.get_args()).output().expect("starts");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(content(&destination) == expected);
}
