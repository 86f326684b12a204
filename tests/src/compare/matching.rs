//! Which rows have a counterpart.

use std::collections::BTreeMap;

use super::unequal;
use crate::rows::{Row, Value};

/// The rows of both lists that have no counterpart in the other one.
pub(super) fn without_counterpart<'a>(expected: &'a [Row], actual: &'a [Row]) -> (Vec<&'a Row>, Vec<&'a Row>) {
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
    (missing, surplus)
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
