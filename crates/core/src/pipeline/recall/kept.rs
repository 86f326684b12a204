//! Windows and states as entries.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::entry::{self, Key};
use crate::aggregator::{AnyState, Fold};
use crate::error::Result;
use crate::finding::{Amount, Finding};
use crate::output::Output;
use crate::pipeline::parts::{Done, Form, OutputDone, Part, WindowDone};
use crate::pipeline::plan::Aggregators;

/// A window that is kept.
pub(in crate::pipeline) struct Window {
    /// What it came to.
    pub(in crate::pipeline) done: WindowDone,
    /// Names of the states of its files, which are wanted when one file more comes.
    pub(in crate::pipeline) states: Vec<String>,
}

/// Rows of a file in a window, and the states that they were folded into.
type States = (u64, Vec<AnyState>);

#[derive(Serialize, Deserialize)]
struct WindowHead {
    rows_in: u64,
    states: Vec<String>,
    written: Vec<DoneHead>,
}

#[derive(Serialize, Deserialize)]
struct DoneHead {
    aggregator: String,
    findings: Vec<KeptFinding>,
    outputs: Vec<OutputHead>,
}

#[derive(Serialize, Deserialize)]
struct OutputHead {
    position: usize,
    parts: Vec<PartHead>,
}

#[derive(Serialize, Deserialize)]
struct PartHead {
    day: Option<NaiveDate>,
    rows: u64,
    is_encoded: bool,
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
    let head_of_part = |&Part { day, rows, ref form }: &Part| {
        let is_encoded = matches!(form, Form::Encoded(_));
        PartHead { day, rows, is_encoded }
    };
    let head_of_output = |done: &OutputDone| {
        let parts = done.parts.iter().map(head_of_part).collect();
        OutputHead { position: done.position, parts }
    };
    let head = |done: &Done| DoneHead {
        aggregator: done.aggregator.clone(),
        findings: done.findings.iter().map(KeptFinding::from).collect(),
        outputs: done.outputs.iter().map(head_of_output).collect(),
    };
    let Window { done: WindowDone { rows_in, written }, states } = window;
    let head = WindowHead { rows_in: *rows_in, states: states.clone(), written: written.iter().map(head).collect() };
    let parts = written.iter().flat_map(|done| &done.outputs).flat_map(|done| &done.parts);
    let bytes = parts.map(|part| match &part.form {
        Form::Rows(rows) => entry::part_of(rows),
        Form::Encoded(bytes) => Ok(bytes.clone()),
    });
    entry::write(key, &head, &bytes.collect::<Result<Vec<_>>>()?)
}

const FOREIGN: &str = "its columns are not those of its aggregators";

/// What was kept, or what is wrong with it.
pub(in crate::pipeline) fn read_window(
    key: &Key,
    bytes: &Bytes,
    aggregators: &Aggregators,
) -> Result<Window, &'static str> {
    let (head, parts) = entry::read::<WindowHead>(key, bytes)?;
    let mut parts = parts.into_iter();
    let mut written = Vec::new();
    for DoneHead { aggregator, findings, outputs } in head.written {
        let declared = aggregators.get(&aggregator).ok_or(FOREIGN)?.outputs();
        let outputs = outputs.into_iter().map(|head| {
            let output = declared.get(head.position).ok_or(FOREIGN)?.clone();
            let parts = head.parts.into_iter().map(|head| read_part(head, parts.next(), &output));
            Ok(OutputDone { position: head.position, parts: parts.collect::<Result<_, _>>()?, output })
        });
        let outputs = outputs.collect::<Result<_, &'static str>>()?;
        written.push(Done { aggregator, findings: findings.into_iter().map(Finding::from).collect(), outputs });
    }
    Ok(Window { done: WindowDone { rows_in: head.rows_in, written }, states: head.states })
}

fn read_part(head: PartHead, bytes: Option<Bytes>, output: &Output) -> Result<Part, &'static str> {
    let bytes = bytes.ok_or("it has fewer parts than it says")?;
    let form = if head.is_encoded {
        Form::Encoded(bytes)
    } else {
        let rows = entry::rows_of(&bytes)?;
        if rows.schema() != output.schema() {
            return Err(FOREIGN);
        }
        Form::Rows(rows)
    };
    Ok(Part { day: head.day, rows: head.rows, form })
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
        tables.extend(of_state.iter().map(entry::part_of).collect::<Result<Vec<_>>>()?);
    }
    entry::write(key, &head, &tables)
}

/// What was kept, with neutral states for those who were not fed; or what is wrong with it.
pub(in crate::pipeline) fn read_states(
    key: &Key,
    bytes: &Bytes,
    folds: &[Arc<dyn Fold>],
    fed: &[usize],
) -> Result<States, &'static str> {
    let (head, tables) = entry::read::<StatesHead>(key, bytes)?;
    let mut states: Vec<AnyState> = folds.iter().map(|fold| fold.start()).collect();
    let tables = tables.iter().map(|table| entry::rows_of(table)).collect::<Result<Vec<_>, _>>()?;
    let mut rest = &tables[..];
    for (position, count) in fed.iter().zip(head.tables) {
        let (own, behind) = rest.split_at_checked(count).ok_or("it has fewer tables than it says")?;
        states[*position] = folds[*position].decode(own).map_err(|_| "it is no state of its aggregator")?;
        rest = behind;
    }
    Ok((head.rows_in, states))
}
