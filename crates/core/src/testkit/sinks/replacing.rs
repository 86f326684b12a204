//! The scenario of sinks that replace rows among others.

use chrono::Datelike;

use super::bench::{
    PODS, PODS_AND_VOLUMES, Replacing, VOLUMES, encoded_rows_are_the_rows, values_that_do_not_fit_are_refused,
    what_is_not_committed_never_was,
};
use super::table::{Row, pods, scope, volumes};
use super::{begin, replace};
use crate::error::ErrorKind;
use crate::output::Condition;
use crate::sink::{Replacement, RowsOfDay};

/// Replaces rows of several scopes in an empty destination, beside rows with a cost and beside another run.
///
/// # Panics
/// If the sink breaks a promise.
pub async fn replaces_its_rows(bench: &dyn Replacing) {
    let september = scope("2025-09-01", "2025-09-30");
    replacing_twice_is_replacing_once(bench).await;
    only_the_scope_and_the_owner_are_replaced(bench).await;
    rows_with_a_cost_stay(bench).await;
    what_is_not_committed_never_was(bench).await;
    values_that_do_not_fit_are_refused(bench).await;
    rows_that_another_run_holds_are_left_to_it(bench).await;
    encoded_rows_are_the_rows(bench).await;

    let receipt = replace(bench.sink(), &september, &[(pods(), &[]), (volumes(), &[])]).await.expect("no rows");
    assert_eq!(receipt.rows_inserted, 0);
    assert_eq!(bench.rows().await, ["Pod|2025-10-05|shop|{\"app\": \"shop\"}|8|-"], "an empty run still deletes");
}

async fn replacing_twice_is_replacing_once(bench: &dyn Replacing) {
    let september = scope("2025-09-01", "2025-09-30");
    let parts = [(pods(), PODS), (volumes(), VOLUMES)];
    drop(begin(bench.sink(), &september, &parts).await.expect("a first run"));
    assert!(bench.rows().await.is_empty(), "the first run was not committed");

    let first = replace(bench.sink(), &september, &parts).await.expect("a first run");
    assert_eq!((first.rows_deleted, first.rows_inserted), (0, 5));
    assert_eq!(bench.rows().await, PODS_AND_VOLUMES);
    let bytes = bench.bytes().await;
    let second = begin(bench.sink(), &september, &parts).await.expect("a second run");
    let gone = [("Pod", 1, 1), ("Pod", 2, 2), ("Storage", 1, 1), ("Storage", 2, 1)];
    assert_eq!(removed(second.as_ref()), gone.map(|(source, day, rows)| (source.to_owned(), day, rows)));
    let second = second.commit().await.expect("a second run");
    assert_eq!((second.rows_deleted, second.rows_inserted), (5, 5));
    assert_eq!(bench.rows().await, PODS_AND_VOLUMES);
    assert_eq!((&first.location, &first.look), (&second.location, &second.look));
    assert!(first.look.contains("usage_daily_summary"), "{}", first.look);
    assert_eq!(bench.bytes().await.len(), bytes.len());
}

async fn only_the_scope_and_the_owner_are_replaced(bench: &dyn Replacing) {
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

async fn rows_with_a_cost_stay(bench: &dyn Replacing) {
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

async fn rows_that_another_run_holds_are_left_to_it(bench: &dyn Replacing) {
    let (september, before) = (scope("2025-09-01", "2025-09-30"), bench.rows().await);
    let holder = begin(bench.sink(), &september, &[(pods(), &[])]).await.expect("a run");
    let second = replace(bench.impatient_sink().as_ref(), &september, &[(pods(), &[])]).await;
    let error = second.expect_err("the first one is not done");
    assert_eq!(error.kind(), ErrorKind::Held, "{error}");
    assert!(error.help_text().is_some_and(|help| help.contains("lock_wait_seconds")), "{error}");
    drop(holder);
    assert_eq!(bench.rows().await, before);
}
