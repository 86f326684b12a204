//! What an aggregator noticed while it computed, told with its amount.

use std::borrow::Cow;

use arrow::array::RecordBatch;
use serde::Serialize;

/// Something that a user should know of a result, for instance usage that was counted more than once.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What was noticed, for instance `counted more than once: label sets of a node`.
    pub what: Cow<'static, str>,
    /// What it is about: the day, and which node, namespace, claim or pattern.
    pub subject: String,
    /// How much, by measure.
    pub amounts: Vec<Amount>,
}

/// A quantity of a measure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Amount {
    /// The output column.
    pub measure: Cow<'static, str>,
    /// In the unit of the column.
    pub value: f64,
}

/// By what and subject: an order that does not show where the days were cut. Amounts of one subject are added up.
pub fn merged(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|left, right| (&left.what, &left.subject).cmp(&(&right.what, &right.subject)));
    let mut merged: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings {
        match merged.last_mut() {
            Some(last) if (&last.what, &last.subject) == (&finding.what, &finding.subject) => last.add(finding.amounts),
            _ => merged.push(finding),
        }
    }
    merged
}

impl Finding {
    fn add(&mut self, amounts: Vec<Amount>) {
        for amount in amounts {
            match self.amounts.iter_mut().find(|known| known.measure == amount.measure) {
                Some(known) => known.value += amount.value,
                None => self.amounts.push(amount),
            }
        }
    }
}

/// What [`crate::Aggregator::finish`] yields.
#[derive(Debug, Clone, Default)]
pub struct Finished {
    /// Rows of each output.
    pub outputs: Vec<RecordBatch>,
    /// What was noticed, in an order that depends on the rows alone.
    pub findings: Vec<Finding>,
    /// Positions of outputs that turned out to be none of this run's: they have no rows, and those in the destination
    /// stay. The same in every window of a run.
    pub left_alone: Vec<usize>,
}

impl From<Vec<RecordBatch>> for Finished {
    /// Rows of which nothing is to be said.
    fn from(outputs: Vec<RecordBatch>) -> Self {
        Self { outputs, ..Self::default() }
    }
}
