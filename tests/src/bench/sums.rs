//! Whether the result holds what the input does: sums that somebody else has read, and the scope's own rows only.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use xtask::chore;

use super::report::Check;
use crate::Result;
use crate::cases::{Case, repository};
use crate::rows::{Row, Value};

/// How far two sums of the same numbers may be apart, relatively: they were added in different orders.
const TOLERANCE: f64 = 1e-9;

const GIB: f64 = (1_u64 << 30) as f64;

/// What pyarrow finds in the hourly pod rows that are in scope and have a node.
#[derive(Debug, Deserialize)]
pub(super) struct InputSums {
    rows: u64,
    /// By column, in seconds.
    sums: BTreeMap<String, f64>,
}

/// The part of `reference.json` that every row repeats.
#[derive(Debug, Deserialize)]
struct Scope {
    source_uuid: String,
    start_date: String,
    end_date: String,
}

impl InputSums {
    /// Reads the input with pyarrow.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn read(case: &Case, python: &Path) -> Result<Self> {
        let words = [python, &repository("bench/input_sums.py"), &case.folder].map(|path| path.display().to_string());
        let answer = chore::output(&words[0], &[&words[1], "--case", &words[2]]);
        let answer = answer.ok_or_else(|| format!("`{}` failed", words.join(" ")))?;
        Ok(serde_json::from_str(&answer)?)
    }
}

/// Collects what a day's rows add up to.
#[derive(Debug, Default)]
pub(super) struct Totals {
    rows: u64,
    foreign: u64,
    sums: BTreeMap<String, f64>,
}

impl Totals {
    /// Adds rows of the daily summary.
    ///
    /// # Errors
    /// The case's scope cannot be read.
    pub(super) fn add(&mut self, case: &Case, rows: &[Row]) -> Result<()> {
        let scope: Scope = serde_json::from_str(&fs::read_to_string(case.path("reference.json"))?)?;
        for row in rows {
            let text = |column: &str| row.get(column).and_then(Value::text).unwrap_or_default();
            let day = text("usage_start");
            let in_scope = scope.start_date.as_str() <= day && day <= scope.end_date.as_str();
            self.rows += 1;
            self.foreign += u64::from(!in_scope || text("source_uuid") != scope.source_uuid);
            // Unallocated rows are what is left, and have no pod labels.
            if text("data_source") == "Pod" && row.get("pod_labels") != Some(&Value::Null) {
                for (column, value) in row.iter().filter(|(column, _)| column.starts_with("pod_")) {
                    if let Some(number) = value.number() {
                        *self.sums.entry(column.to_string()).or_default() += number;
                    }
                }
            }
        }
        Ok(())
    }

    /// Compares them with the input's.
    pub(super) fn checks(&self, input: &InputSums) -> Vec<Check> {
        let apart = input.sums.iter().map(|(column, seconds)| {
            let (output, unit) = output_column(column);
            let (expected, found) = (seconds / unit, self.sums.get(&output).copied().unwrap_or(f64::NAN));
            (output, expected, found)
        });
        let wrong: Vec<String> = apart
            .filter(|(_, expected, found)| {
                // Written so that a NaN is not equal to anything.
                let close = (expected - found).abs() <= TOLERANCE * expected.abs();
                !close
            })
            .map(|(column, expected, found)| format!("{column} is {found}, the input has {expected}"))
            .collect();
        let sums = format!(
            "{} sums over {} pod rows with a node, read by pyarrow, agree within {TOLERANCE:e}",
            input.sums.len(),
            input.rows
        );
        let scope = format!("all {} rows are of the source and the days asked for", self.rows);
        vec![
            Check::new("sums of the input", wrong.is_empty() && input.rows > 0, &sums, &wrong.join("; ")),
            Check::new("scope", self.foreign == 0, &scope, &format!("{} rows are not", self.foreign)),
        ]
    }
}

/// The output column of an input column, and how many of the input's unit make one of the output's.
fn output_column(column: &str) -> (String, f64) {
    match column.strip_suffix("_memory_byte_seconds") {
        Some(measure) => (format!("{measure}_memory_gigabyte_hours"), 3600.0 * GIB),
        None => (column.replace("_seconds", "_hours"), 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_becomes_the_one_it_is_summed_into() {
        assert_eq!(output_column("pod_usage_cpu_core_seconds"), ("pod_usage_cpu_core_hours".to_owned(), 3600.0));
        assert_eq!(output_column("pod_limit_memory_byte_seconds").0, "pod_limit_memory_gigabyte_hours");
    }

    #[test]
    fn a_sum_that_is_not_the_inputs_fails() {
        let input = InputSums { rows: 2, sums: BTreeMap::from([("pod_usage_cpu_core_seconds".to_owned(), 7200.0)]) };
        let passed = |hours: f64| {
            let sums = BTreeMap::from([("pod_usage_cpu_core_hours".to_owned(), hours)]);
            Totals { rows: 1, foreign: 0, sums }.checks(&input).iter().all(|check| check.passed)
        };
        assert!(passed(2.0) && passed(2.0 + 1e-9));
        assert!(!passed(2.0 + 1e-8) && !passed(f64::NAN));
        assert!(!Totals::default().checks(&input)[0].passed);
    }
}
