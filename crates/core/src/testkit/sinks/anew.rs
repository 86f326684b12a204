//! The scenario of sinks that write anew: what they hold is the result of one run.

use super::bench::{
    Bench, PODS, PODS_AND_VOLUMES, VOLUMES, encoded_rows_are_the_rows, values_that_do_not_fit_are_refused,
    what_is_not_committed_never_was,
};
use super::table::{Row, pods, scope, volumes};
use super::{begin, replace};
use crate::error::ErrorKind;

/// Writes several results to an empty destination, one after the other and two at once.
///
/// # Panics
/// If the sink breaks a promise.
pub async fn writes_anew(bench: &dyn Bench) {
    writing_twice_is_writing_once(bench).await;
    what_is_not_committed_never_was(bench).await;
    values_that_do_not_fit_are_refused(bench).await;
    the_rows_are_those_of_the_last_run(bench).await;
    of_two_at_once_one_is_there_whole(bench).await;
    encoded_rows_are_the_rows(bench).await;

    let none = replace(bench.sink(), &scope("2025-09-01", "2025-09-30"), &[(pods(), &[]), (volumes(), &[])]).await;
    assert_eq!(none.expect("no rows").rows_inserted, 0);
    assert!(bench.rows().await.is_empty(), "a run without rows leaves none");
}

async fn writing_twice_is_writing_once(bench: &dyn Bench) {
    let september = scope("2025-09-01", "2025-09-30");
    let parts = [(pods(), PODS), (volumes(), VOLUMES)];
    drop(begin(bench.sink(), &september, &parts).await.expect("a first run"));
    assert!(bench.rows().await.is_empty(), "the first run was not committed");

    let first = replace(bench.sink(), &september, &parts).await.expect("a first run");
    assert_eq!(bench.rows().await, PODS_AND_VOLUMES);
    let bytes = bench.bytes().await;
    let second = begin(bench.sink(), &september, &parts).await.expect("a second run");
    assert!(second.removed().is_empty(), "nobody looks into what is written over");
    let second = second.commit().await.expect("a second run");
    assert_eq!((second.rows_deleted, second.rows_inserted), (0, 5));
    assert_eq!(second, first);
    assert!(bench.bytes().await == bytes, "the same rows give other bytes");
}

/// Days of other runs do not stay: this is what tells such a sink from one that replaces rows.
async fn the_rows_are_those_of_the_last_run(bench: &dyn Bench) {
    let october: &[Row] = &[("2025-10-05", Some("shop"), Some(8.0))];
    replace(bench.sink(), &scope("2025-10-01", "2025-10-31"), &[(pods(), october)]).await.expect("another month");
    assert_eq!(bench.rows().await, ["Pod|2025-10-05|shop|{\"app\": \"shop\"}|8|-"]);
}

async fn of_two_at_once_one_is_there_whole(bench: &dyn Bench) {
    let september = scope("2025-09-01", "2025-09-30");
    let first = begin(bench.sink(), &september, &[(pods(), PODS)]).await.expect("a run");
    match begin(bench.sink(), &september, &[(volumes(), VOLUMES)]).await {
        Ok(second) => {
            second.commit().await.expect("a run beside another");
            assert_eq!(bench.rows().await.len(), VOLUMES.len(), "the one that is there is not whole");
        }
        Err(error) => assert_eq!(error.kind(), ErrorKind::Held, "{error}"),
    }
    first.commit().await.expect("a run beside another");
    assert_eq!(bench.rows().await.len(), PODS.len(), "the last one to commit is not there whole");
}
