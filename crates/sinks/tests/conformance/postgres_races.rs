//! Several writers at once. Ids are those of the list of failures that tokaki is built against.

use sqlx::AssertSqlSafe;

use crate::postgres::PostgresBench;
use crate::replacing::{begin, replace};
use tokaki_core::testkit::sinks::Bench;
use tokaki_core::testkit::sinks::{Row, pods, scope};

const PROVIDER: &str = "5d6f8e9a-0000-4000-8000-000000000001";
const CLUSTER: &str = "my-cluster";

/// Koku's table of report periods, which knows the cluster of the provider.
async fn create_report_periods(bench: &PostgresBench) {
    let create = "CREATE TABLE org1234567.reporting_ocpusagereportperiod (cluster_id text, provider_id uuid); \
         INSERT INTO org1234567.reporting_ocpusagereportperiod VALUES";
    bench.execute(&format!("{create} ('{CLUSTER}', '{PROVIDER}'), ('{CLUSTER}', '{PROVIDER}')")).await;
}

#[tokio::test]
async fn c1_runs_of_one_scope_leave_the_rows_once() {
    let bench = PostgresBench::new();
    let day = scope("2025-09-01", "2025-09-01");
    for round in 0..10 {
        let hours = f64::from(round);
        let rows: [Row; 2] = [("2025-09-01", Some("shop"), Some(hours)), ("2025-09-01", None, Some(hours))];
        let parts: [(_, &[Row]); 1] = [(pods(), &rows)];
        let (first, second) = tokio::join!(replace(bench.sink(), &day, &parts), replace(bench.sink(), &day, &parts));
        let (first, second) = (first.expect("a run"), second.expect("another run"));
        // Whoever comes second replaces what the first one wrote.
        let deleted = first.rows_deleted + second.rows_deleted;
        assert_eq!(deleted, if round == 0 { 2 } else { 4 });
        assert_eq!(bench.rows().await.len(), 2);
    }
}

#[tokio::test]
async fn c2_runs_over_overlapping_days_leave_the_rows_once() {
    let bench = PostgresBench::new();
    let rows: [Row; 3] = [
        ("2025-09-01", Some("shop"), Some(1.0)),
        ("2025-09-02", Some("shop"), Some(2.0)),
        ("2025-09-03", Some("shop"), Some(3.0)),
    ];
    let (early, late) = (scope("2025-09-01", "2025-09-02"), scope("2025-09-02", "2025-09-03"));
    for _ in 0..10 {
        let early_parts: [(_, &[Row]); 1] = [(pods(), &rows[..2])];
        let late_parts: [(_, &[Row]); 1] = [(pods(), &rows[1..])];
        let (first, second) =
            tokio::join!(replace(bench.sink(), &early, &early_parts), replace(bench.sink(), &late, &late_parts));
        first.expect("a run");
        second.expect("another run");
        assert_eq!(bench.rows().await.len(), 3);
    }
}

#[tokio::test]
async fn c3_sources_that_need_one_partition_create_it_once_and_then_write_side_by_side() {
    let bench = PostgresBench::new();
    let (first, mut second) = (scope("2025-09-01", "2025-09-01"), scope("2025-09-02", "2025-09-02"));
    second.source_uuid = "5d6f8e9a-0000-4000-8000-000000000002".into();
    let first_parts: [(_, &[Row]); 1] = [(pods(), &[("2025-09-01", Some("shop"), Some(1.0))])];
    let second_parts: [(_, &[Row]); 1] = [(pods(), &[("2025-09-02", Some("shop"), Some(2.0))])];
    let begun = tokio::join!(begin(bench.sink(), &first, &first_parts), begin(bench.sink(), &second, &second_parts));
    // Both have begun, so neither waits for the other's commit.
    let (first, second) = (begun.0.expect("a run"), begun.1.expect("a run of another source"));
    second.commit().await.expect("rows");
    first.commit().await.expect("rows");
    assert_eq!(bench.partitions().await.len(), 1);
    assert_eq!(bench.rows().await.len(), 2);
}

#[tokio::test]
async fn c3_a_partition_that_koku_creates_at_the_same_moment_is_used() {
    let bench = PostgresBench::new();
    bench.create_table().await;
    let mut koku = bench.connect().await;
    // Attached, it locks out nobody who only looks, so that we look before it is there and create after.
    let create = "BEGIN; CREATE TABLE org1234567.usage_daily_summary_2025_09 \
         (LIKE org1234567.usage_daily_summary INCLUDING ALL); \
         ALTER TABLE org1234567.usage_daily_summary ATTACH PARTITION org1234567.usage_daily_summary_2025_09 \
         FOR VALUES FROM ('2025-09-01') TO ('2025-10-01')";
    sqlx::raw_sql(create).execute(&mut koku).await.expect("a partition that nobody sees yet");
    let (day, rows) = (scope("2025-09-01", "2025-09-01"), [("2025-09-01", Some("shop"), Some(1.0))]);
    let parts: [(_, &[Row]); 1] = [(pods(), &rows)];
    let commit = async {
        let waiting = "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name LIKE 'tokaki/%' AND wait_event_type = 'Lock'";
        while bench.texts(waiting).await.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        sqlx::raw_sql("COMMIT").execute(&mut koku).await.expect("a partition");
    };
    let (run, ()) = tokio::join!(replace(bench.sink(), &day, &parts), commit);
    run.expect("a run");
    assert_eq!(bench.partitions().await.len(), 1);
    assert_eq!(bench.rows().await.len(), 1);
}

#[tokio::test]
async fn c4_a_run_holds_both_locks_of_kokus_writers() {
    let bench = PostgresBench::new();
    bench.create_table().await;
    create_report_periods(&bench).await;
    let day = scope("2025-09-01", "2025-09-01");
    let free = async || {
        let mut koku = bench.connect().await;
        let mut free: Vec<bool> = Vec::new();
        for key in [CLUSTER, PROVIDER] {
            let query = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtext($1))").bind(key);
            free.push(query.fetch_one(&mut koku).await.expect("an answer"));
        }
        free
    };
    let run = begin(bench.sink(), &day, &[(pods(), &[])]).await.expect("a run");
    assert_eq!(free().await, [false, false]);
    run.commit().await.expect("a run");
    assert_eq!(free().await, [true, true]);
}

/// One session of Koku: markup under the cluster's lock in a transaction, then distributed costs under the provider's in
/// a session, as Koku has it.
async fn koku_writes(bench: &PostgresBench, rounds: u32) {
    let mut koku = bench.connect().await;
    for _ in 0..rounds {
        for statement in [
            &format!("BEGIN; SELECT pg_advisory_xact_lock(hashtext('{CLUSTER}'))"),
            "UPDATE org1234567.usage_daily_summary SET infrastructure_raw_cost = 0 WHERE usage_start = '2025-09-01'",
            "COMMIT",
            &format!("SELECT pg_advisory_lock(hashtext('{PROVIDER}'))"),
            "DELETE FROM org1234567.usage_daily_summary WHERE data_source = 'Distributed'",
            "INSERT INTO org1234567.usage_daily_summary (uuid, report_period_id, data_source, usage_start, cpu_hours) \
             SELECT gen_random_uuid(), 8, 'Distributed', usage_start, sum(cpu_hours) \
             FROM org1234567.usage_daily_summary WHERE data_source = 'Pod' GROUP BY usage_start",
            &format!("SELECT pg_advisory_unlock(hashtext('{PROVIDER}'))"),
        ] {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut koku).await.expect("no deadlock");
        }
    }
}

#[tokio::test]
async fn c4_beside_kokus_writers_nothing_is_lost_doubled_or_deadlocked() {
    let bench = PostgresBench::new();
    let days = scope("2025-09-01", "2025-09-02");
    let rows: [Row; 3] = [
        ("2025-09-01", Some("shop"), Some(1.0)),
        ("2025-09-01", Some("bank"), Some(2.0)),
        ("2025-09-02", Some("shop"), Some(4.0)),
    ];
    let parts: [(_, &[Row]); 1] = [(pods(), &rows)];
    replace(bench.sink(), &days, &parts).await.expect("a first run");
    create_report_periods(&bench).await;
    let ours = async {
        for _ in 0..30 {
            assert_eq!(replace(bench.sink(), &days, &parts).await.expect("a run").rows_deleted, 3);
        }
    };
    tokio::join!(ours, koku_writes(&bench, 60));
    let sums = "SELECT concat_ws('|', data_source, usage_start, count(*), trim_scale(sum(cpu_hours))) \
         FROM org1234567.usage_daily_summary GROUP BY data_source, usage_start ORDER BY 1";
    let expected =
        ["Distributed|2025-09-01|1|3", "Distributed|2025-09-02|1|4", "Pod|2025-09-01|2|3", "Pod|2025-09-02|1|4"];
    assert_eq!(bench.texts(sums).await, expected);
}
