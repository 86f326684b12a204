//! Whether two lists hold the same rows (spec § 10, "Numbers").

mod matching;
mod tolerance;

use std::collections::BTreeMap;
use std::fmt;

use crate::rows::{Row, Value};

pub use tolerance::tolerance;

/// Columns in which two rows have to agree to be taken for two versions of one row.
const PAIRED_BY: [&str; 5] = ["data_source", "usage_start", "namespace", "node", "vm_name"];

/// Columns that tell a reader which row is meant.
const NAMES: [&str; 11] = [
    "data_source",
    "product_code",
    "tags",
    "usage_start",
    "vm_name",
    "namespace",
    "node",
    "persistentvolumeclaim",
    "pvc_name",
    "gpu_uuid",
    "all_labels",
];

/// Findings that [`differences`] shows.
const SHOWN: usize = 4;

/// In what two lists are not the same.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding<'a> {
    /// An expected row without a counterpart.
    Missing(&'a Row),
    /// A row that was not expected.
    Surplus(&'a Row),
    /// Two versions of one row.
    Different {
        /// As expected.
        expected: &'a Row,
        /// As found.
        actual: &'a Row,
        /// The columns in which they differ.
        columns: Vec<&'a str>,
    },
}

/// What is different; nothing if the lists hold the same rows, in whatever order.
pub fn findings<'a>(expected: &'a [Row], actual: &'a [Row]) -> Vec<Finding<'a>> {
    let (missing, surplus) = matching::without_counterpart(expected, actual);
    let mut rest: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in surplus {
        rest.entry(paired_by(row)).or_default().push(row);
    }
    let mut findings = Vec::new();
    for row in missing {
        let candidates = rest.entry(paired_by(row)).or_default();
        let closest = (0..candidates.len()).min_by_key(|&index| unequal(row, candidates[index]).count());
        findings.push(match closest.map(|index| candidates.swap_remove(index)) {
            None => Finding::Missing(row),
            Some(actual) => {
                let columns = unequal(row, actual).collect();
                Finding::Different { expected: row, actual, columns }
            }
        });
    }
    findings.extend(rest.into_values().flatten().map(Finding::Surplus));
    findings
}

/// The first findings in words.
pub fn differences(expected: &[Row], actual: &[Row]) -> Vec<String> {
    let findings = findings(expected, actual);
    let mut messages: Vec<_> = findings.iter().take(SHOWN).map(Finding::to_string).collect();
    if findings.len() > SHOWN {
        messages.push(format!("and {} rows more", findings.len() - SHOWN));
    }
    messages
}

/// The cells that tell a reader which row is meant.
pub fn named(row: &Row) -> String {
    let cells = NAMES.iter().filter_map(|name| row.get(*name).map(|value| format!("{name} {value}")));
    cells.collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Finding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(row) => write!(f, "missing: {}", named(row)),
            Self::Surplus(row) => write!(f, "not expected: {}", named(row)),
            Self::Different { expected, actual, columns } => {
                write!(f, "different: {}", named(expected))?;
                columns.iter().try_for_each(|column| {
                    let found = actual.get(*column).unwrap_or(&Value::Null);
                    write!(f, "\n        {column}: expected {}, found {found}", expected[*column])
                })
            }
        }
    }
}

fn paired_by(row: &Row) -> String {
    format!("{:?}", PAIRED_BY.map(|name| row.get(name)))
}

/// The columns in which two rows are not equal.
fn unequal<'a>(expected: &'a Row, actual: &'a Row) -> impl Iterator<Item = &'a str> {
    expected
        .iter()
        .filter(|(column, value)| match (value, actual.get(*column)) {
            (Value::Number(expected_number), Some(Value::Number(number))) => {
                // Written so that a NaN is not equal to anything.
                let close = (expected_number - number).abs() <= tolerance(expected, column, *expected_number);
                !close
            }
            (value, other) => Some(*value) != other,
        })
        .map(|(column, _)| &**column)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn row(cells: &[(&str, Value)]) -> Row {
        cells.iter().map(|(name, value)| ((*name).into(), value.clone())).collect()
    }

    pub(super) fn usage(number: f64) -> Row {
        row(&[("namespace", Value::Text("shop".into())), ("pod_usage_cpu_core_hours", Value::Number(number))])
    }

    #[test]
    fn order_and_rounding_do_not_matter_and_everything_else_does() {
        assert!(findings(&[usage(1.0), usage(2.0)], &[usage(2.0), usage(1.0 + 5e-10)]).is_empty());
        assert_eq!(findings(&[usage(1.0)], &[usage(1.0 + 5e-9)]).len(), 1);
        assert_eq!(findings(&[usage(1.0)], &[usage(1.0), usage(1.0)]).len(), 1);
        assert_eq!(findings(&[usage(1.0), usage(1.0)], &[usage(1.0)]).len(), 1);
        assert_eq!(findings(&[usage(1.0)], &[usage(f64::NAN)]).len(), 1);
        let null = row(&[("namespace", Value::Text("shop".into())), ("pod_usage_cpu_core_hours", Value::Null)]);
        assert_eq!(findings(&[null], &[usage(0.0)]).len(), 1);
    }

    #[test]
    fn a_row_that_is_near_to_two_leaves_the_other_its_only_partner() {
        let (low, middle, high) = (usage(1.0), usage(1.0 + 9e-10), usage(1.0 + 18e-10));
        assert!(findings(&[middle.clone(), low.clone()], &[low, high]).is_empty());
        assert_eq!(findings(&[usage(1.0), usage(1.0)], &[middle, usage(2.0)]).len(), 1);
    }

    #[test]
    fn a_difference_is_measured_against_the_capacity_it_was_taken_from() {
        let unallocated = |usage: f64, labels: Value| {
            row(&[
                ("data_source", Value::Text("Pod".into())),
                ("pod_labels", labels),
                ("node_capacity_cpu_core_hours", Value::Number(96.0)),
                ("pod_usage_cpu_core_hours", Value::Number(usage)),
            ])
        };
        assert!(findings(&[unallocated(0.0, Value::Null)], &[unallocated(9e-8, Value::Null)]).is_empty());
        let labels = Value::Json("{}".into());
        assert_eq!(findings(&[unallocated(0.0, labels.clone())], &[unallocated(9e-8, labels)]).len(), 1);
    }

    #[test]
    fn a_message_names_row_column_and_both_values() {
        let message = findings(&[usage(1.0)], &[usage(2.0)])[0].to_string();
        for part in ["shop", "pod_usage_cpu_core_hours", "expected 1.0", "found 2.0"] {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn rows_of_two_namespaces_are_not_taken_for_one() {
        let bank = row(&[("namespace", Value::Text("bank".into())), ("pod_usage_cpu_core_hours", Value::Number(1.0))]);
        let shop = usage(1.0);
        let findings = findings(std::slice::from_ref(&bank), std::slice::from_ref(&shop));
        assert_eq!(findings, [Finding::Missing(&bank), Finding::Surplus(&shop)]);
    }
}
