//! Usage that Koku counts more than once (spec § 9), found and added up so that a user sees what parity costs.

use std::collections::BTreeMap;

use tokaki_core::rollup::ExactSum;
use tokaki_core::{Amount, Finding, Result};

/// Why something is counted again. The order is that of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A claim has several places on a day, or a place twice because it was bound again.
    Places,
    /// A node has several label sets on a day.
    NodeLabels,
    /// A namespace has several label sets on a day.
    NamespaceLabels,
    /// Several category patterns match a namespace.
    Patterns,
}

impl Cause {
    fn what(self) -> &'static str {
        match self {
            Self::Places => "counted more than once: places of a claim",
            Self::NodeLabels => "counted more than once: label sets of a node",
            Self::NamespaceLabels => "counted more than once: label sets of a namespace",
            Self::Patterns => "counted more than once: category patterns of a namespace",
        }
    }
}

/// Amounts counted again, by cause and subject. `S` sums each.
#[derive(Debug, Clone)]
pub struct Repeats<const S: usize>(BTreeMap<(Cause, String), Sums<S>>);

impl<const S: usize> Default for Repeats<S> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

/// What a group's sums come to, null as zero.
pub type Sums<const S: usize> = [ExactSum; S];

impl<const S: usize> Repeats<S> {
    /// Notes that `sums` were counted `extra` times too often.
    ///
    /// # Errors
    /// `Type` if a sum overflows.
    pub fn add(&mut self, cause: Cause, subject: impl FnOnce() -> String, sums: &Sums<S>, extra: u32) -> Result<()> {
        if extra == 0 || sums.iter().all(|sum| sum.0 == 0) {
            return Ok(());
        }
        let total = self.0.entry((cause, subject())).or_insert([ExactSum(0); S]);
        for (total, sum) in total.iter_mut().zip(sums) {
            total.add(sum.times(extra)?.0)?;
        }
        Ok(())
    }

    /// A finding for each cause and subject. `measures` names the columns of the sums, `in_unit` converts the sum at a
    /// position to the unit of its column.
    pub fn findings(self, measures: [&'static str; S], in_unit: impl Fn(usize, ExactSum) -> f64) -> Vec<Finding> {
        let finding = |((cause, subject), sums): ((Cause, String), Sums<S>)| {
            let counted = sums.into_iter().enumerate().filter(|(_, sum)| sum.0 != 0);
            let amounts =
                counted.map(|(index, sum)| Amount { measure: measures[index].into(), value: in_unit(index, sum) });
            Finding { what: cause.what().into(), subject, amounts: amounts.collect() }
        };
        self.0.into_iter().map(finding).collect()
    }
}

/// `2025-10-01 node n1`.
pub fn subject(day: i32, kind: &str, name: Option<&str>) -> String {
    let day = chrono::NaiveDate::from_epoch_days(day).map_or_else(|| day.to_string(), |day| day.to_string());
    format!("{day} {kind} {}", name.unwrap_or("(null)"))
}
