//! What breaks while the PostgreSQL sink writes. Ids are those of the list of failures that tokaki is built against.

use std::process::Command;
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tokaki_core::{ErrorKind, Replacement};
use xtask::postgres::Server;

use crate::postgres::PostgresBench;
use crate::replacing::{begin, replace};
use tokaki_core::testkit::sinks::Bench;
use tokaki_core::testkit::sinks::{Row, batch, pods, scope, volumes};

const FIRST: &[Row] = &[("2025-09-01", Some("shop"), Some(1.0)), ("2025-09-01", Some("bank"), Some(2.0))];
const SECOND: &[Row] = &[("2025-09-02", Some("shop"), Some(3.0))];
const VOLUMES: &[Row] = &[("2025-09-02", Some("shop"), Some(4.0))];

const ALL: [&str; 4] = [
    "Pod|2025-09-01|bank|{\"app\": \"bank\"}|2|-",
    "Pod|2025-09-01|shop|{\"app\": \"shop\"}|1|-",
    "Pod|2025-09-02|shop|{\"app\": \"shop\"}|3|-",
    "Storage|2025-09-02|shop|-|4|-",
];

/// Replaces the rows of two days as the runner does, a day after the other; `between` happens before each step.
async fn day_by_day(bench: &PostgresBench, between: impl AsyncFn()) -> tokaki_core::Result<tokaki_core::Receipt> {
    let (days, outputs) = (scope("2025-09-01", "2025-09-02"), [pods(), volumes()]);
    let mut replacement = bench.sink.begin(&days, &outputs).await?;
    for (output, rows) in [(pods(), FIRST), (pods(), SECOND), (volumes(), VOLUMES)] {
        between().await;
        replacement.append(&output, &batch(&output, rows)).await?;
    }
    between().await;
    replacement.commit().await
}

/// A database that holds rows of an earlier run, with other hours.
async fn bench_with_rows() -> PostgresBench {
    let bench = PostgresBench::new();
    day_by_day(&bench, async || ()).await.expect("a first run");
    bench.execute("UPDATE org1234567.usage_daily_summary SET cpu_hours = 99").await;
    bench
}

/// Ends our connections to the database.
async fn terminate(bench: &PostgresBench) {
    let ours = "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity \
         WHERE datname = current_database() AND application_name LIKE 'tokaki/%'";
    bench.texts(ours).await;
}

/// Has `action` happen `times` times when a row of the bank is written, and counts the attempts.
async fn on_insert(bench: &PostgresBench, times: u32, action: &str) {
    let trigger = format!(
        "CREATE SEQUENCE org1234567.attempts;
         CREATE FUNCTION org1234567.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.namespace = 'bank' AND nextval('org1234567.attempts') <= {times} THEN {action}; END IF;
            RETURN NEW; END $$;"
    );
    bench.execute(&trigger).await;
    let create = "CREATE TRIGGER fail BEFORE INSERT ON org1234567.usage_daily_summary \
         FOR EACH ROW EXECUTE FUNCTION org1234567.fail()";
    bench.execute(create).await;
}

async fn attempts(bench: &PostgresBench) -> String {
    bench.texts("SELECT last_value::text FROM org1234567.attempts").await.concat()
}

#[tokio::test]
async fn p3_a_backend_that_is_terminated_between_days_is_replaced() {
    let bench = bench_with_rows().await;
    let receipt = day_by_day(&bench, async || terminate(&bench).await).await.expect("a run that goes on");
    assert_eq!((receipt.rows_deleted, receipt.rows_inserted), (4, 4));
    assert_eq!(bench.rows().await, ALL);
}

#[tokio::test]
async fn p3_a_backend_that_is_terminated_mid_copy_is_replaced() {
    let bench = bench_with_rows().await;
    on_insert(&bench, 2, "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1)").await;
    let receipt = day_by_day(&bench, async || ()).await.expect("a run that goes on");
    assert_eq!((receipt.rows_deleted, receipt.rows_inserted), (4, 4));
    assert_eq!((bench.rows().await, attempts(&bench).await), (ALL.map(String::from).to_vec(), "3".into()));
}

#[tokio::test]
async fn p4_serialization_failures_and_deadlocks_repeat_the_whole_transaction() {
    for state in ["40001", "40P01"] {
        let bench = bench_with_rows().await;
        on_insert(&bench, 2, &format!("RAISE EXCEPTION 'again' USING ERRCODE = '{state}'")).await;
        let receipt = day_by_day(&bench, async || ()).await.expect("a run that is repeated");
        assert_eq!((receipt.rows_deleted, receipt.rows_inserted), (4, 4), "{state}");
        assert_eq!((bench.rows().await, attempts(&bench).await), (ALL.map(String::from).to_vec(), "3".into()));
    }
}

#[tokio::test]
async fn p4_nothing_else_is_repeated() {
    for (state, kind) in [("23514", ErrorKind::Database), ("22003", ErrorKind::Type), ("42501", ErrorKind::Access)] {
        let bench = bench_with_rows().await;
        on_insert(&bench, 9, &format!("RAISE EXCEPTION 'never' USING ERRCODE = '{state}'")).await;
        let rows = bench.rows().await;
        let error = day_by_day(&bench, async || ()).await.expect_err("a lasting fault");
        assert_eq!((error.kind(), attempts(&bench).await.as_str()), (kind, "1"), "{error}");
        assert_eq!(bench.rows().await, rows);
    }
}

#[tokio::test]
async fn p4_the_victim_of_a_real_deadlock_starts_again() {
    let bench = bench_with_rows().await;
    let days = scope("2025-09-01", "2025-09-02");
    let mut other = bench.connect().await;
    let blocker = "SET deadlock_timeout = '1h'; BEGIN; \
         UPDATE org1234567.usage_daily_summary SET cpu_hours = 0 WHERE namespace = 'bank'";
    sqlx::raw_sql(blocker).execute(&mut other).await.expect("a row that is locked");
    let parts = [(pods(), FIRST), (volumes(), VOLUMES)];
    let run = replace(bench.sink(), &days, &parts);
    let opposite = async {
        waits_for(&bench, "wait_event_type = 'Lock'").await;
        // We hold this lock and wait for the row; who holds the row waits for the lock.
        let lock = sqlx::query("SELECT pg_advisory_xact_lock(hashtext($1))").bind(&days.source_uuid);
        lock.execute(&mut other).await.expect("the lock, once the victim has let go of it");
        sqlx::raw_sql("COMMIT").execute(&mut other).await.expect("an update");
    };
    let (receipt, ()) = tokio::join!(run, opposite);
    assert_eq!(receipt.expect("a run that is repeated").rows_deleted, 4);
    assert_eq!(bench.rows().await, [ALL[0], ALL[1], ALL[3]]);
}

/// Waits until our connection is in a state.
async fn waits_for(bench: &PostgresBench, state: &str) {
    let query = format!(
        "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() \
         AND application_name LIKE 'tokaki/%' AND {state}"
    );
    while bench.texts(&query).await.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Has commits of this database wait until they last, which the server of the tests leaves out.
async fn wait_for_commits(bench: &PostgresBench) {
    let database = bench.texts("SELECT current_database()::text").await.concat();
    bench.execute(&format!("ALTER DATABASE {database} SET synchronous_commit = on")).await;
}

#[tokio::test]
async fn p2_a_server_that_crashes_and_recovers_is_waited_for() {
    let server = Server::temporary().expect("a PostgreSQL server");
    let bench = PostgresBench::on(&server);
    wait_for_commits(&bench).await;
    let days = scope("2025-09-01", "2025-09-02");
    replace(bench.sink(), &days, &[(pods(), SECOND), (volumes(), VOLUMES)]).await.expect("a first run");
    let replacement = begin(bench.sink(), &days, &[(pods(), FIRST), (volumes(), VOLUMES)]).await.expect("a run");
    // All backends of a server end if one of them is killed, and the server recovers before it takes others.
    let mut bystander = bench.connect().await;
    let mut victim = bench.connect().await;
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut victim).await.expect("a number");
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().expect("kill").success());
    while bystander.ping().await.is_ok() {}
    let receipt = replacement.commit().await.expect("a run that goes on");
    while PgConnection::connect(&bench.url).await.is_err() {}
    assert_eq!((receipt.rows_deleted, receipt.rows_inserted), (2, 3));
    assert_eq!(bench.rows().await, [ALL[0], ALL[1], ALL[3]]);
}

#[tokio::test]
async fn p9_a_commit_that_failed_without_an_answer_is_repeated() {
    let bench = bench_with_rows().await;
    let trigger = "CREATE SEQUENCE org1234567.attempts;
         CREATE FUNCTION org1234567.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('org1234567.attempts') <= 1 THEN
                PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); END IF;
            RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON org1234567.usage_daily_summary
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION org1234567.fail();";
    bench.execute(trigger).await;
    let receipt = day_by_day(&bench, async || ()).await.expect("a run that is repeated");
    assert_eq!((receipt.rows_deleted, receipt.rows_inserted), (4, 4));
    assert_eq!(bench.rows().await, ALL);
}

#[tokio::test]
async fn p13_a_commit_that_waits_for_a_standby_is_waited_for() {
    let server = Server::temporary().expect("a PostgreSQL server");
    let bench = PostgresBench::on(&server);
    bench.create_table().await;
    bench.set_for_all("synchronous_standby_names", "nobody").await;
    let days = scope("2025-09-01", "2025-09-02");
    drop(begin(bench.sink(), &days, &[(pods(), &[])]).await.expect("a partition"));
    wait_for_commits(&bench).await;
    let replacement = begin(bench.sink(), &days, &[(pods(), FIRST), (volumes(), VOLUMES)]).await.expect("a run");
    let standby_is_given_up = async {
        waits_for(&bench, "wait_event = 'SyncRep'").await;
        bench.execute("ALTER SYSTEM RESET synchronous_standby_names").await;
        bench.execute("SELECT pg_reload_conf()").await;
    };
    let (receipt, ()) = tokio::join!(replacement.commit(), standby_is_given_up);
    let receipt = receipt.expect("a commit that was waited for");
    assert_eq!((receipt.rows_deleted, receipt.rows_inserted), (0, 3));
    assert_eq!(bench.rows().await, [ALL[0], ALL[1], ALL[3]]);
}

#[tokio::test]
async fn p9_a_commit_whose_answer_is_lost_is_not_repeated() {
    let server = Server::temporary().expect("a PostgreSQL server");
    let bench = PostgresBench::on(&server);
    bench.create_table().await;
    // Commits of this database wait for a standby that does not exist, after they have happened.
    let replacement: Box<dyn Replacement> = {
        bench.set_for_all("synchronous_standby_names", "nobody").await;
        let days = scope("2025-09-01", "2025-09-02");
        // The partition is created by a transaction of its own, which must not wait yet.
        drop(begin(bench.sink(), &days, &[(pods(), &[])]).await.expect("a partition"));
        wait_for_commits(&bench).await;
        begin(bench.sink(), &days, &[(pods(), FIRST), (volumes(), VOLUMES)]).await.expect("a run")
    };
    let cut = async {
        waits_for(&bench, "wait_event = 'SyncRep'").await;
        terminate(&bench).await;
    };
    let (receipt, ()) = tokio::join!(replacement.commit(), cut);
    // Who repeats it deletes the rows of the first time.
    assert_eq!(receipt.expect("rows that are there").rows_deleted, 0);
    assert_eq!(bench.rows().await, [ALL[0], ALL[1], ALL[3]]);
}
