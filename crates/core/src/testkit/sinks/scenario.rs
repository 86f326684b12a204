//! The scenario that every sink must pass.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::Datelike;

use super::table::{Row, batch, pods, scope, volumes};
use super::{begin, replace};
use crate::error::ErrorKind;
use crate::output::Condition;
use crate::sink::{Replacement, RowsOfDay, Sink};

/// A destination that a test can look into.
#[async_trait]
pub trait Bench {
    /// The sink that writes to it.
    fn sink(&self) -> &dyn Sink;
    /// A sink that writes to the same and waits for nobody.
    fn impatient_sink(&self) -> Arc<dyn Sink>;
    /// All rows as `data source|day|namespace|labels|hours|cost`, sorted; `-` for null. Empty if there is no table.
    async fn rows(&self) -> Vec<String>;
    /// What the cost model does: sets the cost of the rows of a namespace.
    async fn set_cost(&self, namespace: &str, cost: f64);
    /// Everything that must not change when a run fails, as bytes.
    async fn bytes(&self) -> Vec<u8>;
}

const PODS: &[Row] =
    &[("2025-09-01", Some("shop"), Some(0.1)), ("2025-09-02", Some("shop"), Some(1234.5)), ("2025-09-02", None, None)];
const VOLUMES: &[Row] = &[("2025-09-01", Some("shop"), Some(2.0)), ("2025-09-02", Some("it's \"new\""), Some(-3.0))];

/// Runs the scenario against an empty destination.
///
/// # Panics
/// If the sink breaks a promise.
pub async fn run(bench: &dyn Bench) {
    let september = scope("2025-09-01", "2025-09-30");
    replacing_twice_is_replacing_once(bench).await;
    only_the_scope_and_the_owner_are_replaced(bench).await;
    rows_with_a_cost_stay(bench).await;
    what_is_not_committed_never_was(bench).await;
    values_that_do_not_fit_are_refused(bench).await;
    rows_that_another_run_holds_are_left_to_it(bench).await;

    let receipt = replace(bench.sink(), &september, &[(pods(), &[]), (volumes(), &[])]).await.expect("no rows");
    assert_eq!(receipt.rows_inserted, 0);
    assert_eq!(bench.rows().await, ["Pod|2025-10-05|shop|{\"app\": \"shop\"}|8|-"], "an empty run still deletes");
}

async fn replacing_twice_is_replacing_once(bench: &dyn Bench) {
    let september = scope("2025-09-01", "2025-09-30");
    let parts = [(pods(), PODS), (volumes(), VOLUMES)];
    let expected = [
        "Pod|2025-09-01|shop|{\"app\": \"shop\"}|0.1|-",
        "Pod|2025-09-02|-|-|-|-",
        "Pod|2025-09-02|shop|{\"app\": \"shop\"}|1234.5|-",
        "Storage|2025-09-01|shop|-|2|-",
        "Storage|2025-09-02|it's \"new\"|-|-3|-",
    ];
    drop(begin(bench.sink(), &september, &parts).await.expect("a first run"));
    assert!(bench.rows().await.is_empty(), "the first run was not committed");

    let first = replace(bench.sink(), &september, &parts).await.expect("a first run");
    assert_eq!((first.rows_deleted, first.rows_inserted), (0, 5));
    assert_eq!(bench.rows().await, expected);
    let bytes = bench.bytes().await;
    let second = begin(bench.sink(), &september, &parts).await.expect("a second run");
    let gone = [("Pod", 1, 1), ("Pod", 2, 2), ("Storage", 1, 1), ("Storage", 2, 1)];
    assert_eq!(removed(second.as_ref()), gone.map(|(source, day, rows)| (source.to_owned(), day, rows)));
    let second = second.commit().await.expect("a second run");
    assert_eq!((second.rows_deleted, second.rows_inserted), (5, 5));
    assert_eq!(bench.rows().await, expected);
    assert_eq!((&first.location, &first.look), (&second.location, &second.look));
    assert!(first.look.contains("usage_daily_summary"), "{}", first.look);
    assert_eq!(bench.bytes().await.len(), bytes.len());
}

async fn only_the_scope_and_the_owner_are_replaced(bench: &dyn Bench) {
    let second = scope("2025-09-02", "2025-09-02");
    let receipt = replace(bench.sink(), &second, &[(pods(), &[("2025-09-02", Some("new"), Some(4.0))])]).await;
    assert_eq!(receipt.expect("a run over one day").rows_deleted, 2);
    let october = scope("2025-10-01", "2025-10-31");
    let receipt = replace(bench.sink(), &october, &[(pods(), &[("2025-10-05", Some("shop"), Some(8.0))])]).await;
    assert_eq!(receipt.expect("a run over another month").rows_deleted, 0);
    let expected = [
        "Pod|2025-09-01|shop|{\"app\": \"shop\"}|0.1|-",
        "Pod|2025-09-02|new|{\"app\": \"new\"}|4|-",
        "Pod|2025-10-05|shop|{\"app\": \"shop\"}|8|-",
        "Storage|2025-09-01|shop|-|2|-",
        "Storage|2025-09-02|it's \"new\"|-|-3|-",
    ];
    assert_eq!(bench.rows().await, expected);
}

async fn rows_with_a_cost_stay(bench: &dyn Bench) {
    let second = scope("2025-09-02", "2025-09-02");
    let again: &[Row] = &[("2025-09-02", Some("new"), Some(4.0))];
    // The new row has the key of the one that stays, and yet an id of its own.
    for (cost, rows, deleted, left) in [(5.0, again, 0, 2), (0.0, &[], 2, 0)] {
        bench.set_cost("new", cost).await;
        let receipt = replace(bench.sink(), &second, &[(pods(), rows)]).await.expect("a run beside costs");
        assert_eq!(receipt.rows_deleted, deleted);
        assert_eq!(bench.rows().await.iter().filter(|row| row.contains("|new|")).count(), left);
    }
}

async fn what_is_not_committed_never_was(bench: &dyn Bench) {
    let (rows, bytes) = (bench.rows().await, bench.bytes().await);
    let replacement = begin(bench.sink(), &scope("2025-09-01", "2025-09-30"), &[(pods(), PODS)]).await;
    drop(replacement.expect("a run that is given up"));
    assert_eq!(bench.rows().await, rows);
    assert!(bench.bytes().await == bytes, "bytes have changed");
}

async fn values_that_do_not_fit_are_refused(bench: &dyn Bench) {
    let (september, rows) = (scope("2025-09-01", "2025-09-30"), bench.rows().await);
    let cases: [(Row, &str, &str); 4] = [
        (("2025-09-01", Some("a namespace of 26 letters!"), None), "namespace", "26 characters"),
        (("2025-09-01", None, Some(f64::INFINITY)), "cpu_hours", "inf"),
        (("2025-09-01", None, Some(f64::NAN)), "cpu_hours", "NaN"),
        (("2025-09-01", None, Some(-1e18)), "cpu_hours", "-1000000000000000000"),
    ];
    for (row, column, part) in cases {
        let refused = begin(bench.sink(), &september, &[(pods(), &[row])]).await.err().expect("a wrong value");
        assert_eq!((refused.kind(), refused.place().column.as_deref()), (ErrorKind::Type, Some(column)), "{refused}");
        assert!(refused.message().contains(part), "{refused}");
    }
    let mut replacement = begin(bench.sink(), &september, &[(pods(), PODS)]).await.expect("good rows");
    let wrong = batch(&pods(), &[cases[0].0]);
    assert!(replacement.append(&pods(), &wrong).await.is_err());
    assert!(replacement.commit().await.is_err(), "a part of the rows must not be committed");
    assert_eq!(bench.rows().await, rows);
}

/// What a replacement takes away: data source, day of the month, rows.
fn removed(replacement: &dyn Replacement) -> Vec<(String, u32, u64)> {
    let data_source = |owned: &[Condition]| match owned.first() {
        Some(Condition::TextEquals("data_source", source)) => source.clone().into_owned(),
        other => panic!("the outputs of the tests begin with their data source, not {other:?}"),
    };
    let of_day = |removed: &RowsOfDay| (data_source(&removed.owned), removed.day.day(), removed.rows);
    let mut days: Vec<_> = replacement.removed().iter().map(of_day).collect();
    days.sort_unstable();
    days
}

async fn rows_that_another_run_holds_are_left_to_it(bench: &dyn Bench) {
    let (september, before) = (scope("2025-09-01", "2025-09-30"), bench.rows().await);
    let holder = begin(bench.sink(), &september, &[(pods(), &[])]).await.expect("a run");
    let second = replace(bench.impatient_sink().as_ref(), &september, &[(pods(), &[])]).await;
    let error = second.expect_err("the first one is not done");
    assert_eq!(error.kind(), ErrorKind::Held, "{error}");
    assert!(error.help_text().is_some_and(|help| help.contains("lock_wait_seconds")), "{error}");
    drop(holder);
    assert_eq!(bench.rows().await, before);
}
