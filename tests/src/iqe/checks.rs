//! The checks of one table: from what is different to which check has failed.

use std::collections::BTreeMap;

use serde_json::json;

use super::outputs::{Output, ROW_KEYS};
use super::report::{Check, Difference};
use super::totals::{self, Total, kind};
use crate::compare::{Finding, findings, named};
use crate::rows::{Row, Value};

/// Ids and subjects of the checks that [`of_table`] makes, in its order.
pub(super) fn ids(output: &Output) -> Vec<(String, &'static str)> {
    let of_columns = [&ROW_KEYS].into_iter().chain(output.columns).chain([&output.other_columns]);
    [("row-count", "number of rows of each kind")]
        .into_iter()
        .chain(of_columns.map(|check| (check.id, check.about)))
        .chain([("totals", "sum of each measure by kind of row")])
        .map(|(id, about)| (format!("{}{id}", output.prefix), about))
        .collect()
}

/// The checks of a table, and its totals. `totals_by_hand` are those of `expected/summary.json`.
pub(super) fn of_table(
    output: &Output,
    expected: &[Row],
    actual: &[Row],
    totals_by_hand: Option<&serde_json::Value>,
) -> (Vec<Check>, Vec<Total>) {
    let totals = totals::compare(expected, actual, totals_by_hand);
    let mut failed: BTreeMap<&str, Vec<Difference>> = BTreeMap::new();
    failed.insert("row-count", count(output, expected, actual));
    for finding in findings(expected, actual) {
        match finding {
            Finding::Missing(row) => {
                failed.entry(ROW_KEYS.id).or_default().push(presence(output, row, "present", "absent"));
            }
            Finding::Surplus(row) => {
                failed.entry(ROW_KEYS.id).or_default().push(presence(output, row, "absent", "present"));
            }
            Finding::Different { expected, actual, columns } => {
                for column in columns {
                    failed.entry(check_of(output, column)).or_default().push(Difference {
                        table: output.table.to_owned(),
                        row: named(expected),
                        column: Some(column.to_owned()),
                        expected: as_json(expected.get(column)),
                        actual: as_json(actual.get(column)),
                    });
                }
            }
        }
    }
    let disagreeing = totals.iter().filter(|total| !total.agrees).map(|total| Difference {
        table: output.table.to_owned(),
        row: format!("all {} rows", total.kind),
        column: Some(total.measure.clone()),
        expected: json!(total.expected),
        actual: json!(total.actual),
    });
    failed.insert("totals", disagreeing.collect());
    let checks = ids(output)
        .into_iter()
        .map(|(id, about)| {
            let differences = failed.remove(&id[output.prefix.len()..]).unwrap_or_default();
            Check::of_differences(id, about, differences)
        })
        .collect();
    (checks, totals)
}

fn count(output: &Output, expected: &[Row], actual: &[Row]) -> Vec<Difference> {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    expected.iter().for_each(|row| counts.entry(kind(row)).or_default().0 += 1);
    actual.iter().for_each(|row| counts.entry(kind(row)).or_default().1 += 1);
    counts
        .into_iter()
        .filter(|(_, (expected, actual))| expected != actual)
        .map(|(kind, (expected, actual))| Difference {
            table: output.table.to_owned(),
            row: format!("all {kind} rows"),
            column: None,
            expected: json!(expected),
            actual: json!(actual),
        })
        .collect()
}

fn presence(output: &Output, row: &Row, expected: &str, actual: &str) -> Difference {
    Difference {
        table: output.table.to_owned(),
        row: named(row),
        column: None,
        expected: json!(expected),
        actual: json!(actual),
    }
}

fn check_of(output: &Output, column: &str) -> &'static str {
    let checks = [&ROW_KEYS].into_iter().chain(output.columns);
    checks.into_iter().find(|check| check.columns.contains(&column)).unwrap_or(&output.other_columns).id
}

fn as_json(value: Option<&Value>) -> serde_json::Value {
    match value {
        None | Some(Value::Null) => json!(null),
        Some(Value::Integer(integer)) => json!(integer),
        Some(Value::Number(number)) => json!(number),
        Some(Value::Text(text) | Value::Date(text) | Value::Json(text)) => json!(text),
    }
}

#[cfg(test)]
mod tests {
    use super::super::outputs::OUTPUTS;
    use super::*;
    use crate::cases::{Case, KOKU};
    use crate::rows::files;

    #[test]
    fn ids_never_change() {
        let ids: Vec<_> = ids(&OUTPUTS[0]).into_iter().map(|(id, _)| id).collect();
        let expected = [
            "row-count",
            "row-keys",
            "cpu",
            "memory",
            "node-capacity",
            "cluster-capacity",
            "storage",
            "labels",
            "cost-category",
            "constants",
            "totals",
        ];
        assert_eq!(ids, expected);
    }

    #[test]
    fn every_column_has_the_check_that_it_belongs_to() {
        let file = Case::of_repository("label-precedence").path(KOKU);
        let columns = files::columns(&file).expect("columns");
        let mut rest: Vec<&str> = columns
            .iter()
            .map(|column| &*column.name)
            .filter(|column| check_of(&OUTPUTS[0], column) == OUTPUTS[0].other_columns.id)
            .collect();
        rest.sort_unstable();
        let constants = [
            "cluster_alias",
            "cluster_id",
            "infrastructure_usage_cost",
            "report_period_id",
            "resource_id",
            "source_uuid",
        ];
        assert_eq!(rest, constants);
    }
}
