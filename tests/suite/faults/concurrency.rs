//! Several at once: workers, runs, and Koku beside them.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokaki_tests::destination::DAILY_SUMMARY;
use tokaki_tests::faults::rounds;

use crate::support::job::Job;
use crate::support::koku::Koku;
use crate::support::scramble::scramble;
use crate::support::{in_other_order, tokaki};

/// The summary as the Parquet sink writes it, which is the same bytes for the same rows.
fn summary(store: &Path, settings: &[String]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let reference = format!("reference.path={}", Job::reference().display());
    let store = format!("store.url={}", store.display());
    let config = Job::config().display().to_string();
    let sink = format!("parquet:{}", folder.path().display());
    let mut arguments = ["run", "--quiet", "--config", &config, "--sink", &sink].map(str::to_owned).to_vec();
    let settings = [reference, store].into_iter().chain(settings.iter().cloned());
    arguments.extend(settings.flat_map(|setting| ["--set".to_owned(), setting]));
    let outcome = tokaki::run(&arguments).expect("runs");
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    fs::read(folder.path().join(format!("{DAILY_SUMMARY}.parquet"))).expect("a result")
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 0, ..ProptestConfig::with_cases(rounds("TOKAKI_TEST_INPUTS", 12) as u32) })]

    #[test]
    fn c7_workers_chunks_and_order_never_change_a_byte_of_random_input(
        seed: u64,
        order: u64,
        conserving: bool,
        hourly: bool,
        workers in prop::sample::select(vec![1, 2, 8]),
        chunk_rows in prop::sample::select(vec![1, 7, 8192, 1_000_000]),
    ) {
        let job = Job::new();
        scramble(&job.all_files(), seed);
        let semantics = if conserving { "conserving" } else { "koku" };
        let pods = if hourly { "hourly" } else { "auto" };
        let fixed = vec![format!("semantics={semantics}"), format!("reader.pods={pods}")];
        let expected = summary(&job.folder(), &fixed);
        let other = in_other_order(&job.folder(), order);
        let settings = [fixed, vec![format!("run.workers={workers}"), format!("run.chunk_rows={chunk_rows}")]].concat();
        prop_assert!(expected == summary(other.path(), &settings), "the bytes differ");
    }
}

/// Starts the job into Koku's tables.
fn start(job: &Job, koku: &Koku, semantics: &str) -> Child {
    let mut command = Command::new(tokaki::command().binary());
    command.args(["run", "--quiet", "--config"]).arg(Job::config()).args(koku.destination().arguments());
    command.args(["--semantics", semantics, "--set", &format!("store.url={}", job.folder().display())]);
    command.args(["--set", &format!("reference.path={}", Job::reference().display())]);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts")
}

/// Waits for a run that nothing may disturb.
fn done(run: Child) {
    let output = run.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn c1_two_runs_that_race_for_one_scope_leave_the_rows_of_one_of_them() {
    let (job, koku) = (Job::new(), Koku::with_foreign_rows());
    let alone = ["conserving", "koku"].map(|semantics| {
        let started = Instant::now();
        done(start(&job, &koku, semantics));
        (koku.digest(), started.elapsed())
    });
    let whole_run = alone[1].1;
    let mut chance = fastrand::Rng::with_seed(1);
    for round in 0..rounds("TOKAKI_TEST_RACES", 3) {
        let first = start(&job, &koku, "conserving");
        std::thread::sleep(whole_run.mul_f64(chance.f64() * 0.3));
        let second = start(&job, &koku, "koku");
        done(first);
        done(second);
        let digest = koku.digest();
        assert!(alone.iter().any(|(clean, _)| *clean == digest), "round {round}: the rows of neither run, {digest}");
        // And two of one kind leave its rows once.
        let both = [start(&job, &koku, "koku"), start(&job, &koku, "koku")];
        both.into_iter().for_each(done);
        assert_eq!(koku.digest(), alone[1].0, "round {round}: two runs of one kind");
    }
}

/// One round of Koku's writers, each statement a commit of its own but where it says otherwise: markup under the lock of
/// the cluster in a transaction, then distributed costs under the lock of the provider in a session.
const ROUND: [&str; 7] = [
    "BEGIN; SELECT pg_advisory_xact_lock(hashtext('quickstart'))",
    "UPDATE org1234567.reporting_ocpusagelineitem_daily_summary SET infrastructure_markup_cost = \
        coalesce(infrastructure_markup_cost, 0) + 1 WHERE infrastructure_raw_cost > 0",
    "COMMIT",
    "SELECT pg_advisory_lock(hashtext('3f1c0f6e-7f5a-4d0e-9c58-1b7a3a0c9d11'))",
    "DELETE FROM org1234567.reporting_ocpusagelineitem_daily_summary WHERE data_source = 'Distributed'",
    "INSERT INTO org1234567.reporting_ocpusagelineitem_daily_summary \
        (uuid, report_period_id, data_source, usage_start, usage_end, namespace, distributed_cost) \
        SELECT gen_random_uuid(), 1, 'Distributed', usage_start, usage_start, count(*)::text, \
            sum(pod_usage_cpu_core_hours) \
        FROM org1234567.reporting_ocpusagelineitem_daily_summary WHERE data_source = 'Pod' GROUP BY usage_start",
    "SELECT pg_advisory_unlock(hashtext('3f1c0f6e-7f5a-4d0e-9c58-1b7a3a0c9d11'))",
];
/// What Koku distributes: by day, the rows that it saw and the sum of their hours.
const DISTRIBUTED: &str = "SELECT string_agg(concat_ws(' ', usage_start, namespace, distributed_cost), ', ' \
    ORDER BY usage_start) FROM org1234567.reporting_ocpusagelineitem_daily_summary WHERE data_source = 'Distributed'";

#[test]
fn c4_beside_kokus_own_writer_nothing_is_lost_doubled_or_deadlocked() {
    let (job, koku) = (Job::new(), Koku::with_foreign_rows());
    done(start(&job, &koku, "koku"));
    let rounds = rounds("TOKAKI_TEST_KOKU_ROUNDS", 60);
    let over = AtomicBool::new(false);
    let writer = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut session = PgConnection::connect(koku.url.as_str()).await.expect("a connection");
            let mut expected: Option<String> = None;
            for round in 0..rounds {
                for statement in ROUND {
                    let done = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut session).await;
                    done.unwrap_or_else(|error| panic!("round {round}: {statement}: {error}"));
                    if statement.starts_with("INSERT") {
                        // Under the lock Koku sees all rows of a run, and each once.
                        let seen: String = sqlx::query_scalar(DISTRIBUTED).fetch_one(&mut session).await.expect("rows");
                        assert_eq!(*expected.get_or_insert_with(|| seen.clone()), seen, "round {round}");
                    }
                }
                // Koku is not always at it.
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            expected.expect("a round")
        })
    };
    let (distributed, runs) = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(writer));
            over.store(true, Ordering::Relaxed);
            done
        });
        let mut runs = 0;
        while !over.load(Ordering::Relaxed) {
            done(start(&job, &koku, "koku"));
            runs += 1;
        }
        (writer.join().expect("caught").expect("no deadlock, and the same rows every time"), runs)
    });
    assert!(runs > 1, "{runs} runs beside {rounds} rounds");
    // A run takes Koku's distributed costs with it, as Koku's own summary does, and Koku distributes anew.
    koku.execute(&ROUND.join("; "));
    assert_eq!(koku.ask(DISTRIBUTED), distributed);
    let markup = "SELECT infrastructure_markup_cost::bigint::text FROM \
         org1234567.reporting_ocpusagelineitem_daily_summary WHERE infrastructure_raw_cost > 0";
    assert_eq!(koku.ask(markup), (rounds + 1).to_string(), "an update of Koku's is lost");
    let fresh = Koku::with_foreign_rows();
    done(start(&job, &fresh, "koku"));
    let digests = [&koku, &fresh].map(|koku| {
        koku.execute(
            "DELETE FROM org1234567.reporting_ocpusagelineitem_daily_summary WHERE data_source = 'Distributed'; \
             UPDATE org1234567.reporting_ocpusagelineitem_daily_summary SET infrastructure_markup_cost = NULL",
        );
        koku.digest()
    });
    assert_eq!(digests[0], digests[1], "rows of runs are lost or doubled");
}
