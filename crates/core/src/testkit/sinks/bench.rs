//! Destinations that a test can look into, and what is asked of each.

use std::sync::Arc;

use async_trait::async_trait;

use super::begin;
use super::table::{Row, batch, pods, scope, volumes};
use crate::error::ErrorKind;
use crate::sink::Sink;

/// An empty destination of a sink.
#[async_trait]
pub trait Bench: Send + Sync {
    /// The sink that writes to it.
    fn sink(&self) -> &dyn Sink;
    /// All rows as `data source|day|namespace|labels|hours|cost`, sorted; `-` for null. Empty if there is no table.
    async fn rows(&self) -> Vec<String>;
    /// Everything that must not change when a run fails, as bytes.
    async fn bytes(&self) -> Vec<u8>;
}

/// The same of a sink that replaces rows among others.
#[async_trait]
pub trait Replacing: Bench {
    /// A sink that writes to the same and waits for nobody.
    fn impatient_sink(&self) -> Arc<dyn Sink>;
    /// What the cost model does: sets the cost of the rows of a namespace.
    async fn set_cost(&self, namespace: &str, cost: f64);
}

pub(super) const PODS: &[Row] =
    &[("2025-09-01", Some("shop"), Some(0.1)), ("2025-09-02", Some("shop"), Some(1234.5)), ("2025-09-02", None, None)];
pub(super) const VOLUMES: &[Row] =
    &[("2025-09-01", Some("shop"), Some(2.0)), ("2025-09-02", Some("it's \"new\""), Some(-3.0))];
/// Both, as a bench shows them.
pub(super) const PODS_AND_VOLUMES: [&str; 5] = [
    "Pod|2025-09-01|shop|{\"app\": \"shop\"}|0.1|-",
    "Pod|2025-09-02|-|-|-|-",
    "Pod|2025-09-02|shop|{\"app\": \"shop\"}|1234.5|-",
    "Storage|2025-09-01|shop|-|2|-",
    "Storage|2025-09-02|it's \"new\"|-|-3|-",
];

pub(super) async fn what_is_not_committed_never_was(bench: &dyn Bench) {
    let (rows, bytes) = (bench.rows().await, bench.bytes().await);
    let replacement = begin(bench.sink(), &scope("2025-09-01", "2025-09-30"), &[(pods(), PODS)]).await;
    drop(replacement.expect("a run that is given up"));
    assert_eq!(bench.rows().await, rows);
    assert!(bench.bytes().await == bytes, "bytes have changed");
}

pub(super) async fn values_that_do_not_fit_are_refused(bench: &dyn Bench) {
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

/// Rows of a day that are many enough for any encoder are there as if they had been appended. Leaves none of them.
pub(super) async fn encoded_rows_are_the_rows(bench: &dyn Bench) {
    const MANY: usize = 20_000;
    let Some(encoder) = bench.sink().encoder() else { return };
    let day = scope("2025-09-20", "2025-09-20");
    let names: Vec<String> = (0..MANY).map(|n| format!("n{n}")).collect();
    let rows: Vec<Row<'_>> = names.iter().map(|name| ("2025-09-20", Some(name.as_str()), Some(0.5))).collect();
    let (rows, outputs) = (batch(&volumes(), &rows), [pods(), volumes()]);
    let encoded = encoder.encode(&volumes(), &rows).expect("good rows").expect("an encoder that encodes many rows");
    assert_eq!(encoder.encode(&volumes(), &rows).expect("good rows"), Some(encoded.clone()), "it is no pure function");

    let mut replacement = bench.sink().begin(&day, &outputs).await.expect("a run");
    replacement.append(&volumes(), &rows).await.expect("rows");
    let plain = replacement.commit().await.expect("a run");
    let plain_rows = bench.rows().await;
    let mut replacement = bench.sink().begin(&day, &outputs).await.expect("a run");
    replacement.append_encoded(&volumes(), encoded).await.expect("encoded rows");
    let receipt = replacement.commit().await.expect("a run");
    assert_eq!((plain.rows_inserted, receipt.rows_inserted), (MANY as u64, MANY as u64));
    assert!(bench.rows().await == plain_rows, "the rows are others than those that were encoded");

    bench.sink().begin(&day, &outputs).await.expect("a run").commit().await.expect("a run without rows");
}
