//! Gives rows to the sink as windows are finished, and commits after the last.

use std::collections::BTreeMap;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Date32Type;
use chrono::NaiveDate;
use tokio::sync::mpsc;

use super::budget::{Budget, Progress};
use super::event::{Event, Observer, OutputRows, Report};
use super::local::{EmptyInput, Window, Wiring};
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

/// Rows of an output and a day.
struct DayRows<'a> {
    output: &'a Output,
    day: Option<NaiveDate>,
    rows: RecordBatch,
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
    while let Some(Window { mut done, _in_memory }) = from.recv().await {
        report.rows_in += done.rows_in;
        let mut rows_of: Vec<(&String, Output, RecordBatch)> = Vec::new();
        for name in &plan.written {
            let Some(finished) = done.finished.remove(name) else { continue };
            report.findings.extend(finished.findings);
            let outputs = wiring.aggregators[name].outputs().into_iter().zip(finished.outputs).enumerate();
            let outputs = outputs.filter(|(position, _)| !finished.left_alone.contains(position)).map(|(_, it)| it);
            rows_of.extend(outputs.filter(|(output, rows)| is_written(output, rows)).map(|(o, rows)| (name, o, rows)));
        }
        // Begun with the first window, so that a run whose first rows are unusable does not touch the destination.
        if replacement.is_none() {
            let outputs: Vec<Output> = rows_of.iter().map(|(_, output, _)| output.clone()).collect();
            replacement = Some(wiring.sink.begin(&plan.scope, &outputs).await?);
        }
        let (undated, rows_of): (Vec<_>, Vec<_>) = rows_of.into_iter().partition(|(_, output, _)| is_united(output));
        for (name, output, rows) in undated {
            united.add(name, output, rows)?;
        }
        for (name, output, rows) in &rows_of {
            count_rows(&mut report, name, output, rows.num_rows() as u64);
        }
        // Day by day, so that the order of rows does not show where the windows were cut.
        for DayRows { output, day, rows } in by_days(&rows_of) {
            if let Some(replacement) = &mut replacement {
                guard.budget.check(rows.get_array_memory_size() as u64 / 2, &Progress::of(0))?;
                replacement.append(output, &rows).await?;
                written.add(output, day, rows.num_rows() as u64);
            }
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
fn by_days<'a>(rows_of: &'a [(&String, Output, RecordBatch)]) -> Vec<DayRows<'a>> {
    let mut slices: BTreeMap<(Option<NaiveDate>, usize, usize), DayRows<'a>> = BTreeMap::new();
    for (position, (_, output, rows)) in rows_of.iter().enumerate() {
        let day_field = output.destination.as_ref().and_then(|to| to.table.day_field);
        let days =
            day_field.and_then(|name| rows.column_by_name(name)).and_then(|days| days.as_primitive_opt::<Date32Type>());
        let number = |row: usize| days.map(|days| days.value(row));
        let mut start = 0;
        for end in 1..=rows.num_rows() {
            if end == rows.num_rows() || number(end) != number(start) {
                let day = number(start).and_then(Date32Type::to_naive_date_opt);
                let rows = rows.slice(start, end - start);
                slices.insert((day, position, start), DayRows { output, day, rows });
                start = end;
            }
        }
    }
    slices.into_values().collect()
}

fn is_written(output: &Output, rows: &RecordBatch) -> bool {
    output.destination.as_ref().is_some_and(|to| !to.left_alone_if_empty || rows.num_rows() > 0)
}

fn is_united(output: &Output) -> bool {
    output.destination.as_ref().is_some_and(|to| to.union.is_some())
}

fn count_rows(report: &mut Report, aggregator: &str, output: &Output, rows: u64) {
    let table = output.destination.as_ref().map_or("", |to| to.table.name);
    match report.outputs.iter_mut().find(|known| known.aggregator == aggregator && known.table == table) {
        Some(known) => known.rows += rows,
        None => report.outputs.push(OutputRows { aggregator: aggregator.to_owned(), table: table.to_owned(), rows }),
    }
}
