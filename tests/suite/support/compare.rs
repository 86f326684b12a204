//! Whether two lists hold the same rows (spec § 10, "Numbers").

use std::collections::BTreeMap;

use super::table::{Row, Value};

/// Measures that are differences in an unallocated row, by unit: the column that the tolerance looks at, and theirs.
const DIFFERENCES: [(&str, [&str; 3]); 2] = [
    (
        "node_capacity_cpu_core_hours",
        ["pod_usage_cpu_core_hours", "pod_request_cpu_core_hours", "pod_effective_usage_cpu_core_hours"],
    ),
    (
        "node_capacity_memory_gigabyte_hours",
        [
            "pod_usage_memory_gigabyte_hours",
            "pod_request_memory_gigabyte_hours",
            "pod_effective_usage_memory_gigabyte_hours",
        ],
    ),
];

/// Messages that are shown of one comparison.
const SHOWN: usize = 4;

/// Columns that tell a reader which row is meant.
const NAMES: [&str; 6] = ["data_source", "usage_start", "namespace", "node", "persistentvolumeclaim", "all_labels"];

/// What is different, in words; nothing if the lists hold the same rows, in whatever order.
pub(crate) fn differences(expected: &[Row], actual: &[Row]) -> Vec<String> {
    let mut groups: BTreeMap<String, (Vec<&Row>, Vec<&Row>)> = BTreeMap::new();
    for row in expected {
        groups.entry(group(row)).or_default().0.push(row);
    }
    for row in actual {
        groups.entry(group(row)).or_default().1.push(row);
    }
    let (mut missing, mut surplus) = (Vec::new(), Vec::new());
    for (expected, actual) in groups.values() {
        let (unmatched_expected, unmatched_actual) = match_up(expected, actual);
        missing.extend(unmatched_expected);
        surplus.extend(unmatched_actual);
    }
    describe(missing, surplus)
}

/// Everything of a row that has to be equal exactly: all but the measures, and which measures are null.
fn group(row: &Row) -> String {
    let mut group = String::new();
    for value in row.values() {
        match value {
            Value::Number(_) => group.push('#'),
            exact => group.push_str(&format!("{exact:?}")),
        }
        group.push('|');
    }
    group
}

/// The rows that have no partner when as many as possible have one (augmenting paths). Pairing off in any order would
/// not do: of rows that look alike, one may be near enough to several.
fn match_up<'a>(expected: &[&'a Row], actual: &[&'a Row]) -> (Vec<&'a Row>, Vec<&'a Row>) {
    fn find_partner(row: usize, near: &[Vec<usize>], partner: &mut [Option<usize>], seen: &mut [bool]) -> bool {
        near[row].iter().any(|&candidate| {
            if std::mem::replace(&mut seen[candidate], true) {
                return false;
            }
            let is_free = partner[candidate].is_none_or(|rival| find_partner(rival, near, partner, seen));
            if is_free {
                partner[candidate] = Some(row);
            }
            is_free
        })
    }
    let near: Vec<Vec<usize>> = expected
        .iter()
        .map(|row| (0..actual.len()).filter(|&index| unequal(row, actual[index]).next().is_none()).collect())
        .collect();
    let mut partner = vec![None; actual.len()];
    let missing = (0..expected.len())
        .filter(|&row| !find_partner(row, &near, &mut partner, &mut vec![false; actual.len()]))
        .map(|row| expected[row])
        .collect();
    let surplus = actual.iter().zip(&partner).filter(|(_, partner)| partner.is_none()).map(|(row, _)| *row).collect();
    (missing, surplus)
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
        .map(|(column, _)| column.as_str())
}

fn tolerance(row: &Row, column: &str, expected: f64) -> f64 {
    let is_unallocated =
        row.get("data_source") == Some(&Value::Text("Pod".into())) && row.get("pod_labels") == Some(&Value::Null);
    let capacity = DIFFERENCES
        .iter()
        .find(|(_, measures)| is_unallocated && measures.contains(&column))
        .and_then(|(capacity, _)| row.get(*capacity));
    let scale = match capacity {
        Some(Value::Number(capacity)) => expected.abs().max(capacity.abs()),
        _ => expected.abs(),
    };
    (1e-9 * scale).max(1e-15)
}

fn describe(missing: Vec<&Row>, mut surplus: Vec<&Row>) -> Vec<String> {
    let total = missing.len().max(surplus.len());
    let mut messages = Vec::new();
    for row in missing {
        let closest = (0..surplus.len()).min_by_key(|&index| unequal(row, surplus[index]).count());
        messages.push(match closest.map(|index| surplus.swap_remove(index)) {
            None => format!("missing: {}", named(row)),
            Some(other) => {
                let columns = unequal(row, other).map(|column| {
                    let found = other.get(column).unwrap_or(&Value::Null);
                    format!("\n        {column}: expected {}, found {found}", row[column])
                });
                format!("different: {}{}", named(row), columns.collect::<String>())
            }
        });
    }
    messages.extend(surplus.into_iter().map(|row| format!("not expected: {}", named(row))));
    messages.truncate(SHOWN);
    if total > SHOWN {
        messages.push(format!("and {} rows more", total - SHOWN));
    }
    messages
}

fn named(row: &Row) -> String {
    let cells = NAMES.iter().filter_map(|name| row.get(*name).map(|value| format!("{name} {value}")));
    cells.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[(&str, Value)]) -> Row {
        cells.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    fn usage(number: f64) -> Row {
        row(&[("namespace", Value::Text("shop".into())), ("pod_usage_cpu_core_hours", Value::Number(number))])
    }

    #[test]
    fn order_and_rounding_do_not_matter_and_everything_else_does() {
        assert!(differences(&[usage(1.0), usage(2.0)], &[usage(2.0), usage(1.0 + 5e-10)]).is_empty());
        assert_eq!(differences(&[usage(1.0)], &[usage(1.0 + 5e-9)]).len(), 1);
        assert_eq!(differences(&[usage(1.0)], &[usage(1.0), usage(1.0)]).len(), 1);
        assert_eq!(differences(&[usage(1.0), usage(1.0)], &[usage(1.0)]).len(), 1);
        assert_eq!(differences(&[usage(1.0)], &[usage(f64::NAN)]).len(), 1);
        let null = row(&[("namespace", Value::Text("shop".into())), ("pod_usage_cpu_core_hours", Value::Null)]);
        assert_eq!(differences(&[null], &[usage(0.0)]).len(), 1);
    }

    #[test]
    fn a_row_that_is_near_to_two_leaves_the_other_its_only_partner() {
        let (low, middle, high) = (usage(1.0), usage(1.0 + 9e-10), usage(1.0 + 18e-10));
        assert!(differences(&[middle.clone(), low.clone()], &[low, high]).is_empty());
        assert_eq!(differences(&[usage(1.0), usage(1.0)], &[middle, usage(2.0)]).len(), 1);
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
        assert!(differences(&[unallocated(0.0, Value::Null)], &[unallocated(9e-8, Value::Null)]).is_empty());
        let labels = Value::Json("{}".into());
        assert_eq!(differences(&[unallocated(0.0, labels.clone())], &[unallocated(9e-8, labels)]).len(), 1);
    }

    #[test]
    fn a_message_names_row_column_and_both_values() {
        let message = differences(&[usage(1.0)], &[usage(2.0)]).concat();
        for part in ["shop", "pod_usage_cpu_core_hours", "expected 1.0", "found 2.0"] {
            assert!(message.contains(part), "{message}");
        }
    }
}
