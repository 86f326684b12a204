//! Sums of measures by kind of row.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::compare::tolerance;
use crate::rows::{Row, Value};

/// One sum, as expected and as found.
#[derive(Debug, Clone, Serialize)]
pub struct Total {
    /// Kind of the rows: `pod`, `storage`, `unallocated`, or `all` in a table without kinds.
    pub kind: String,
    /// Column, or `rows` for their number.
    pub measure: String,
    /// The expected sum.
    pub expected: f64,
    /// The sum over the rows that were written.
    pub actual: f64,
    /// Whether the two are equal, up to what adding up may change.
    pub agrees: bool,
}

/// A sum, and how far another one may be from it.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    value: f64,
    tolerance: f64,
}

/// Totals by hand are written with up to nine decimals.
const HALF_OF_LAST_DECIMAL: f64 = 5e-10;

type Sums = BTreeMap<(String, String), Sum>;

/// All sums. Where `by_hand`, an object of kinds with objects of measures, has one, that one is expected and not the sum
/// over the expected rows.
pub(crate) fn compare(expected: &[Row], actual: &[Row], by_hand: Option<&serde_json::Value>) -> Vec<Total> {
    let mut wanted = sums(expected);
    let found = sums(actual);
    for (kind, measures) in by_hand.and_then(serde_json::Value::as_object).into_iter().flatten() {
        for (measure, value) in measures.as_object().into_iter().flatten() {
            let sum = wanted.entry((kind.clone(), measure.clone())).or_default();
            sum.value = value.as_f64().unwrap_or(f64::NAN);
            sum.tolerance += HALF_OF_LAST_DECIMAL;
        }
    }
    let keys: BTreeSet<_> = wanted.keys().chain(found.keys()).collect();
    let total = |key: &(String, String)| {
        let wanted = wanted.get(key).copied().unwrap_or_default();
        let actual = found.get(key).copied().unwrap_or_default().value;
        let allowed = wanted.tolerance.max(1e-9 * wanted.value.abs());
        Total {
            kind: key.0.clone(),
            measure: key.1.clone(),
            expected: wanted.value,
            actual,
            agrees: (wanted.value - actual).abs() <= allowed,
        }
    };
    keys.into_iter().map(total).collect()
}

/// What kind of row it is.
pub(super) fn kind(row: &Row) -> &'static str {
    match row.get("data_source").and_then(Value::text) {
        None => "all",
        Some("Storage") => "storage",
        Some(_) if row.get("pod_labels") == Some(&Value::Null) => "unallocated",
        Some(_) => "pod",
    }
}

fn sums(rows: &[Row]) -> Sums {
    let mut sums = Sums::new();
    for row in rows {
        let mut add = |measure: &str, value: f64, tolerance: f64| {
            let sum = sums.entry((kind(row).to_owned(), measure.to_owned())).or_default();
            sum.value += value;
            sum.tolerance += tolerance;
        };
        add("rows", 1.0, 0.0);
        for (measure, value) in row {
            if let Some(number) = value.number() {
                add(measure, number, tolerance(row, measure, number));
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn usage(number: f64) -> Row {
        let cells = [
            ("data_source", Value::Text("Pod".into())),
            ("pod_labels", Value::Json("{}".into())),
            ("pod_usage_cpu_core_hours", Value::Number(number)),
        ];
        cells.into_iter().map(|(name, value)| (name.into(), value)).collect()
    }

    #[test]
    fn a_total_by_hand_is_stronger_than_the_expected_rows() {
        let rows = [usage(1.0), usage(2.0)];
        assert!(compare(&rows, &rows, None).iter().all(|total| total.agrees));
        let by_hand = json!({"pod": {"rows": 2, "pod_usage_cpu_core_hours": 4}});
        let totals = compare(&rows, &rows, Some(&by_hand));
        let disagreeing: Vec<_> = totals.iter().filter(|total| !total.agrees).collect();
        assert_eq!(disagreeing.len(), 1);
        assert_eq!((disagreeing[0].expected, disagreeing[0].actual), (4.0, 3.0));
    }

    #[test]
    fn a_kind_that_is_not_expected_is_found() {
        let by_hand = json!({"storage": {"rows": 1}});
        let totals = compare(&[], &[usage(1.0)], Some(&by_hand));
        assert_eq!(totals.iter().filter(|total| !total.agrees).count(), 3);
    }
}
