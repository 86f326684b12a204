//! The database fails, or the way to it.

use std::time::Duration;

use tokaki_tests::command::Outcome;
use tokaki_tests::destination::{Destination, Sink};
use tokaki_tests::faults::proxy::{Proxy, Trouble};
use tokaki_tests::faults::{Fault, Operation, Rule, rounds};

use crate::support::job::{Job, content, error};
use crate::support::koku::{Koku, SCHEMA};

/// The connection that writes; the one before it looks whether the tables are as they should be.
pub(super) const WRITING: usize = 1;
/// What follows a commit on the wire: the end of the connection.
pub(super) const TERMINATE: usize = 5;
/// What PostgreSQL says to a commit: that it is done, and that it is ready for more.
const COMMITTED: usize = 18;

/// The job, Koku's database with rows of another run, and a proxy in between.
struct Bench {
    job: Job,
    koku: Koku,
    proxy: Proxy,
    behind: Sink,
    /// Of a run that nothing disturbs.
    clean: String,
    /// Of the other run.
    before: String,
    /// Bytes of the writing connection of such a run, to the server and from it.
    sent: usize,
    received: usize,
}

impl Bench {
    fn new() -> Self {
        let koku = Koku::with_foreign_rows();
        let proxy = koku.proxy();
        let behind = koku.behind(&proxy);
        let mut bench = Self {
            job: Job::new(),
            koku,
            proxy,
            behind,
            clean: String::new(),
            before: String::new(),
            sent: 0,
            received: 0,
        };
        bench.before = bench.other_rows();
        assert_eq!(bench.run().code, Some(0));
        (bench.sent, bench.received) = (bench.proxy.sent()[WRITING], bench.proxy.received()[WRITING]);
        bench.clean = bench.koku.digest();
        assert_ne!(bench.before, bench.clean);
        bench
    }

    /// Has the database hold rows of the other run.
    fn other_rows(&self) -> String {
        let outcome = self.job.run_on_folder(&self.koku.destination(), &["semantics=conserving"]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        self.koku.digest()
    }

    fn run(&self) -> Outcome {
        let destination = Destination::in_schema(&self.behind, SCHEMA).expect("a destination");
        self.job.run_on_folder(&destination, &["sink.create_missing=false"])
    }

    /// A run through this trouble, over the rows of another run. Whatever comes of it, the database holds those or all
    /// the new ones, and a plain run afterwards makes it good.
    fn run_through(&self, what: &str, set: impl FnOnce(&Proxy)) -> Outcome {
        assert_eq!(self.other_rows(), self.before);
        set(&self.proxy);
        let outcome = self.run();
        self.proxy.set(Trouble::None);
        let expected = if outcome.code == Some(0) { &self.clean } else { &self.before };
        assert_eq!(self.koku.digest(), *expected, "{what}: {}", outcome.stderr);
        let rerun = self.run();
        assert_eq!(rerun.code, Some(0), "a plain rerun: {}", rerun.stderr);
        assert_eq!(self.koku.digest(), self.clean, "a plain rerun after {what}");
        outcome
    }

    /// The run goes on over one fault of the writing connection, and tells that once.
    fn survives(&self, trouble: Trouble) {
        let outcome = self.run_through(&format!("{trouble:?}"), |proxy| proxy.set_for(WRITING, trouble));
        assert_eq!(outcome.code, Some(0), "{trouble:?}: {}", outcome.stderr);
        assert_eq!(outcome.stderr.matches("the transaction is repeated").count(), 1, "{trouble:?}: {}", outcome.stderr);
    }
}

#[test]
fn p3_the_connection_breaks_at_any_byte_in_either_direction() {
    let bench = Bench::new();
    let mut chance = fastrand::Rng::with_seed(3);
    for _ in 0..rounds("TOKAKI_TEST_CUTS", 4) {
        bench.survives(Trouble::CutAfterSent(chance.usize(..bench.sent - TERMINATE)));
        bench.survives(Trouble::CutAfterReceived(chance.usize(..bench.received - COMMITTED)));
    }
}

#[test]
fn p9_the_connection_breaks_around_the_commit() {
    let bench = Bench::new();
    let commit_sent = bench.sent - TERMINATE;
    // Not yet sent, sent but for a byte, and sent, while the answer is lost.
    for sent in [commit_sent - 12, commit_sent - 1, commit_sent] {
        bench.survives(Trouble::CutAfterSent(sent));
    }
    // The answer is lost, or a part of it.
    for missing in [COMMITTED, COMMITTED - 1, 1] {
        bench.survives(Trouble::CutAfterReceived(bench.received - missing));
    }
}

#[test]
fn p3_what_breaks_every_time_is_given_up_with_one_error() {
    let bench = Bench::new();
    // Shorter than a commit, longer than the look at the tables.
    let trouble = Trouble::CutAfterSent(bench.sent - TERMINATE - 1);
    let outcome = bench.run_through("every commit is cut", |proxy| proxy.set(trouble));
    assert_eq!(outcome.code, Some(21), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.matches("the transaction is repeated").count(), 6, "{}", outcome.stderr);
    let error = error(&outcome);
    assert!(error.starts_with("error: database: PostgreSQL at 127.0.0.1:"), "{error}");
    assert!(error.contains("cannot be used") && !error.contains("panicked"), "{error}");
}

#[test]
fn p1_nobody_answers_before_anything_is_read() {
    let bench = Bench::new();
    for trouble in [Trouble::CutAfterReceived(0), Trouble::CutAfterSent(0), Trouble::CutAfterReceived(100)] {
        let outcome = bench.run_through(&format!("{trouble:?}"), |proxy| proxy.set(trouble));
        assert_eq!(outcome.code, Some(21), "{trouble:?}: {}", outcome.stderr);
        assert!(error(&outcome).starts_with("error: database:"), "{}", outcome.stderr);
    }
}

#[test]
fn p11_a_way_that_is_gone_without_a_word_is_not_waited_for() {
    let bench = Bench::new();
    let mut chance = fastrand::Rng::with_seed(11);
    let commit_sent = bench.sent - TERMINATE;
    let anywhere = (0..rounds("TOKAKI_TEST_CUTS", 4) / 2).map(|_| chance.usize(200..commit_sent));
    for moment in anywhere.chain([commit_sent - 1, commit_sent]) {
        bench.survives(Trouble::BlackholeAfterSent(moment));
    }
    let trouble = Trouble::BlackholeAfterSent(commit_sent - 1);
    let outcome = bench.run_through("every commit is lost", |proxy| proxy.set(trouble));
    assert_eq!(outcome.code, Some(21), "{}", outcome.stderr);
    assert!(error(&outcome).contains("no answer within 0.5 s"), "{}", outcome.stderr);
    // Before anything is read nothing is tried again.
    let outcome =
        bench.run_through("the look at the tables", |proxy| proxy.set_for(0, Trouble::BlackholeAfterSent(300)));
    assert_eq!(outcome.code, Some(21), "{}", outcome.stderr);
    assert!(error(&outcome).contains("no answer within 0.5 s"), "{}", outcome.stderr);
}

/// Runs the job while a writer of Koku has the cluster for three seconds.
fn run_while_koku_holds_its_lock(bench: &Bench) -> Outcome {
    let lock = "BEGIN; SELECT pg_advisory_xact_lock(hashtext('quickstart')); SELECT pg_sleep(3); COMMIT";
    std::thread::scope(|scope| {
        scope.spawn(|| bench.koku.execute(lock));
        while bench.koku.ask("SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory'") == "0" {
            std::thread::sleep(Duration::from_millis(2));
        }
        bench.run()
    })
}

#[test]
fn p11_whoever_waits_for_a_lock_is_not_silent() {
    let bench = Bench::new();
    let outcome = run_while_koku_holds_its_lock(&bench);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("the transaction is repeated"), "{}", outcome.stderr);
    assert_eq!(bench.koku.digest(), bench.clean);
}

#[test]
fn p11_a_slow_way_changes_nothing() {
    let bench = Bench::new();
    let slow = Trouble::Delay(Duration::from_millis(20));
    let outcome = bench.run_through("a slow way", |proxy| proxy.set(slow));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
}

/// Settings that an administrator may give a database, a setting a line.
fn with_settings(koku: &Koku, settings: &[&str]) {
    let database = koku.ask("SELECT current_database()::text");
    let statements = settings.iter().map(|setting| format!("ALTER DATABASE {database} SET {setting}; "));
    koku.execute(&format!("BEGIN READ WRITE; {}COMMIT", statements.collect::<String>()));
}

#[test]
fn p5_a_lock_that_is_not_had_in_the_time_of_the_administrator() {
    let bench = Bench::new();
    assert_eq!(bench.other_rows(), bench.before);
    with_settings(&bench.koku, &["lock_timeout = '200ms'"]);
    let outcome = run_while_koku_holds_its_lock(&bench);
    assert_eq!(outcome.code, Some(13), "{}", outcome.stderr);
    assert!(error(&outcome).contains("held by process"), "{}", outcome.stderr);
    assert!(error(&outcome).contains("sink.lock_wait_seconds"), "{}", outcome.stderr);
    assert_eq!(bench.koku.digest(), bench.before);
}

#[test]
fn p6_a_server_without_room_changes_nothing() {
    for state in ["53100", "53200", "25006"] {
        let bench = Bench::new();
        assert_eq!(bench.other_rows(), bench.before);
        bench.koku.execute(&format!(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                RAISE EXCEPTION 'no room' USING ERRCODE = '{state}'; END $$;
             CREATE TRIGGER fail BEFORE INSERT ON org1234567.reporting_ocpusagelineitem_daily_summary
                FOR EACH ROW WHEN (NEW.data_source = 'Storage') EXECUTE FUNCTION fail()"
        ));
        let outcome = bench.run();
        assert_eq!(outcome.code, Some(21), "{state}: {}", outcome.stderr);
        assert!(error(&outcome).contains(state), "{}", outcome.stderr);
        assert_eq!(bench.koku.digest(), bench.before, "{state}");
    }
}

#[test]
fn p12_a_transaction_may_wait_for_its_rows_longer_than_others_may() {
    let koku = Koku::with_foreign_rows();
    let job = Job::new();
    assert_eq!(job.run_on_folder(&koku.destination(), &[]).code, Some(0));
    let clean = koku.digest();
    with_settings(&koku, &["idle_in_transaction_session_timeout = '50ms'"]);
    // Day after day leaves, and the transaction waits for the next one, which comes slowly.
    job.server.set_faults([Rule::always(Fault::Delay(Duration::from_millis(100))).on(Operation::Get)]);
    let outcome = job.run(&koku.destination(), &["run.window_rows=0", "run.workers=1", "run.mode=serial"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("the transaction is repeated"), "{}", outcome.stderr);
    assert_eq!(koku.digest(), clean);
}

#[test]
fn p14_settings_of_a_database_change_no_row() {
    let job = Job::new();
    let (plain, odd) = (Koku::with_foreign_rows(), Koku::with_foreign_rows());
    odd.execute(
        "CREATE SCHEMA trap; CREATE TABLE trap.reporting_ocpusagelineitem_daily_summary (uuid int);
         CREATE FUNCTION trap.hashtext(text) RETURNS int LANGUAGE sql AS 'SELECT 1 / 0';",
    );
    with_settings(
        &odd,
        &[
            "search_path = trap, pg_catalog",
            "standard_conforming_strings = off",
            "datestyle = 'German, DMY'",
            "intervalstyle = 'sql_standard'",
            "bytea_output = 'escape'",
            "extra_float_digits = -15",
            "lc_numeric = 'C'",
            "timezone = 'Pacific/Kiritimati'",
            "default_transaction_isolation = 'serializable'",
            "default_transaction_read_only = on",
        ],
    );
    for koku in [&plain, &odd] {
        let outcome = job.run_on_folder(&koku.destination(), &[]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    }
    with_settings(&odd, &["datestyle = 'ISO'", "search_path = public", "extra_float_digits = 1"]);
    let rows = [&plain, &odd].map(|koku| content(&koku.destination()));
    assert!(rows[0] == rows[1], "other rows");
}
