//! Gives rows to the sink as windows are finished, and commits after the last.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::budget::Budget;
use super::event::{Event, Observer, OutputRows, Report};
use super::local::{EmptyInput, Window, Wiring};
use super::parts::{Done, Form, OutputDone, Part, check_budget};
use super::plan::Plan;
use super::shrink::{self, Written};
use super::union::{self, United};
use crate::error::{Error, ErrorKind, Result};
use crate::output::Output;

/// What must hold before rows that are there are replaced.
pub(super) struct Guard<'a> {
    pub(super) budget: &'a Budget,
    pub(super) empty_input: EmptyInput,
    /// As in [`super::RunOptions`].
    pub(super) shrink_limit: f64,
}

/// Gives the rows of each window to the sink, and commits after the last.
pub(super) async fn write(
    plan: &Plan,
    wiring: &Wiring,
    guard: &Guard<'_>,
    observer: &dyn Observer,
    mut from: mpsc::Receiver<Window>,
) -> Result<Report> {
    let mut report = Report::default();
    let mut replacement = None;
    let mut written = Written::default();
    let mut united = United::default();
    while let Some(Window { done, _in_memory }) = from.recv().await {
        report.rows_in += done.rows_in;
        // Begun with the first window, so that a run whose first rows are unusable does not touch the destination.
        let replacement = match &mut replacement {
            Some(begun) => begun,
            none => {
                let outputs = done.written.iter().flat_map(|done| &done.outputs).map(|done| done.output.clone());
                none.insert(wiring.sink.begin(&plan.scope, &outputs.collect::<Vec<_>>()).await?)
            }
        };
        let mut dated = Vec::new();
        for Done { aggregator, findings, outputs } in done.written {
            report.findings.extend(findings);
            for done in outputs {
                if done.is_united() {
                    for part in done.parts {
                        united.add(&aggregator, done.output.clone(), part.into_rows()?)?;
                    }
                } else {
                    count_rows(&mut report, &aggregator, &done.output, done.rows());
                    dated.push(done);
                }
            }
        }
        // Day by day, so that the order of rows does not show where the windows were cut.
        for (output, Part { day, rows, form }) in by_days(dated) {
            match form {
                Form::Rows(rows) => {
                    check_budget(guard.budget, &rows)?;
                    replacement.append(&output, &rows).await?;
                }
                Form::Encoded(bytes) => replacement.append_encoded(&output, bytes).await?,
            }
            written.add(&output, day, rows);
        }
    }
    let Some(mut replacement) = replacement else { return Err(Error::bug("a scope has no window")) };
    if report.rows_in > 0 || guard.empty_input != EmptyInput::Allow {
        guard.check_input(plan, &report)?;
        shrink::check(replacement.removed(), &written, guard.shrink_limit)?;
    }
    // Last, because others wait from here on until the commit.
    for (name, output, rows) in united.into_rows() {
        let stored = replacement.take(&output).await?;
        let rows = union::with_stored(&output, &stored, &rows)?;
        count_rows(&mut report, &name, &output, rows.num_rows() as u64);
        replacement.append(&output, &rows).await?;
    }
    observer.event(&Event::Committing);
    report.receipt = replacement.commit().await?;
    observer.event(&Event::Committed { receipt: &report.receipt });
    Ok(report)
}

impl Guard<'_> {
    fn check_input(&self, plan: &Plan, report: &Report) -> Result<()> {
        if report.rows_in > 0 || self.empty_input != EmptyInput::Refuse {
            return Ok(());
        }
        let message = format!("none of the {} file(s) has a row for {}", plan.files(), plan.scope.days);
        Err(Error::new(ErrorKind::Empty, message)
            .help("look whether the asked days have been uploaded; --allow-empty writes an empty result on purpose"))
    }
}

/// The rows of each day in the order of days, there in the order of outputs.
fn by_days(outputs: Vec<OutputDone>) -> Vec<(Arc<Output>, Part)> {
    let parts = outputs.into_iter().flat_map(|OutputDone { output, parts, .. }| {
        let output = Arc::new(output);
        parts.into_iter().map(move |part| (Arc::clone(&output), part))
    });
    let mut parts: Vec<_> = parts.collect();
    parts.sort_by_key(|(_, part)| part.day);
    parts
}

fn count_rows(report: &mut Report, aggregator: &str, output: &Output, rows: u64) {
    let table = output.destination.as_ref().map_or("", |to| to.table.name);
    match report.outputs.iter_mut().find(|known| known.aggregator == aggregator && known.table == table) {
        Some(known) => known.rows += rows,
        None => report.outputs.push(OutputRows { aggregator: aggregator.to_owned(), table: table.to_owned(), rows }),
    }
}
