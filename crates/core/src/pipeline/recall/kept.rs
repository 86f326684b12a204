//! Windows and states as entries.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

use super::entry::{self, Key};
use crate::aggregator::{AnyState, Fold};
use crate::error::Result;
use crate::finding::{Amount, Finding, Finished};
use crate::pipeline::plan::Aggregators;

/// A window that is kept.
pub(in crate::pipeline) struct Window {
    /// Rows of its days that were folded.
    pub(in crate::pipeline) rows_in: u64,
    /// What its written aggregators came to.
    pub(in crate::pipeline) written: Vec<(String, Finished)>,
    /// Names of the states of its files, which are wanted when one file more comes.
    pub(in crate::pipeline) states: Vec<String>,
}

/// Rows of a file in a window, and the states that they were folded into.
type States = (u64, Vec<AnyState>);

#[derive(Serialize, Deserialize)]
struct WindowHead {
    rows_in: u64,
    states: Vec<String>,
    aggregators: Vec<FinishedHead>,
}

#[derive(Serialize, Deserialize)]
struct FinishedHead {
    name: String,
    tables: usize,
    findings: Vec<KeptFinding>,
    left_alone: Vec<usize>,
}

#[derive(Serialize, Deserialize)]
struct KeptFinding {
    what: String,
    subject: String,
    /// Measure, and the bits of its value: a double in JSON may come back as its neighbour.
    amounts: Vec<(String, u64)>,
}

impl From<&Finding> for KeptFinding {
    fn from(finding: &Finding) -> Self {
        let amounts = finding.amounts.iter().map(|amount| (amount.measure.to_string(), amount.value.to_bits()));
        Self { what: finding.what.to_string(), subject: finding.subject.clone(), amounts: amounts.collect() }
    }
}

impl From<KeptFinding> for Finding {
    fn from(kept: KeptFinding) -> Self {
        let amounts = kept.amounts.into_iter();
        let amount = |(measure, bits)| Amount { measure: Cow::Owned(measure), value: f64::from_bits(bits) };
        Self { what: Cow::Owned(kept.what), subject: kept.subject, amounts: amounts.map(amount).collect() }
    }
}

/// The entry of a window.
///
/// # Errors
/// `Bug` only.
pub(in crate::pipeline) fn write_window(key: &Key, window: &Window) -> Result<Vec<u8>> {
    let head = |(name, finished): &(String, Finished)| FinishedHead {
        name: name.clone(),
        tables: finished.outputs.len(),
        findings: finished.findings.iter().map(KeptFinding::from).collect(),
        left_alone: finished.left_alone.clone(),
    };
    let head = WindowHead {
        rows_in: window.rows_in,
        states: window.states.clone(),
        aggregators: window.written.iter().map(head).collect(),
    };
    let tables: Vec<RecordBatch> = window.written.iter().flat_map(|(_, finished)| finished.outputs.clone()).collect();
    entry::write(key, &head, &tables)
}

/// What was kept, or what is wrong with it.
pub(in crate::pipeline) fn read_window(
    key: &Key,
    bytes: &[u8],
    aggregators: &Aggregators,
) -> Result<Window, &'static str> {
    const FOREIGN: &str = "its columns are not those of its aggregators";
    let (head, tables) = entry::read::<WindowHead>(key, bytes)?;
    let mut tables = tables.into_iter();
    let mut written = Vec::new();
    for head in head.aggregators {
        let outputs: Vec<RecordBatch> = tables.by_ref().take(head.tables).collect();
        let declared = aggregators.get(&head.name).ok_or(FOREIGN)?.outputs();
        let as_declared = outputs.len() == declared.len()
            && outputs.iter().zip(&declared).all(|(rows, output)| rows.schema() == output.schema());
        if !as_declared {
            return Err(FOREIGN);
        }
        let findings = head.findings.into_iter().map(Finding::from).collect();
        written.push((head.name, Finished { outputs, findings, left_alone: head.left_alone }));
    }
    Ok(Window { rows_in: head.rows_in, written, states: head.states })
}

#[derive(Serialize, Deserialize)]
struct StatesHead {
    rows_in: u64,
    /// Tables of each aggregator's state.
    tables: Vec<usize>,
}

/// The entry of a file's states: of the aggregators at these positions, since no other was fed.
///
/// # Errors
/// `Bug` only.
pub(in crate::pipeline) fn write_states(
    key: &Key,
    rows_in: u64,
    folds: &[Arc<dyn Fold>],
    fed: &[usize],
    states: &[AnyState],
) -> Result<Vec<u8>> {
    let mut head = StatesHead { rows_in, tables: Vec::new() };
    let mut tables = Vec::new();
    for position in fed {
        let of_state = folds[*position].encode(&states[*position])?;
        head.tables.push(of_state.len());
        tables.extend(of_state);
    }
    entry::write(key, &head, &tables)
}

/// What was kept, with neutral states for those who were not fed; or what is wrong with it.
pub(in crate::pipeline) fn read_states(
    key: &Key,
    bytes: &[u8],
    folds: &[Arc<dyn Fold>],
    fed: &[usize],
) -> Result<States, &'static str> {
    let (head, tables) = entry::read::<StatesHead>(key, bytes)?;
    let mut states: Vec<AnyState> = folds.iter().map(|fold| fold.start()).collect();
    let mut rest = &tables[..];
    for (position, count) in fed.iter().zip(head.tables) {
        let (own, behind) = rest.split_at_checked(count).ok_or("it has fewer tables than it says")?;
        states[*position] = folds[*position].decode(own).map_err(|_| "it is no state of its aggregator")?;
        rest = behind;
    }
    Ok((head.rows_in, states))
}
