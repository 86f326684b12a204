//! The finished rows of a window as the sink takes them: cut by day, and encoded where the sink has a form of its own.
//!
//! Rows that are encoded on the workers wait for the sink as a fraction of their size, and the sink only has to put them
//! into their place.

use std::collections::BTreeMap;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Date32Type;
use bytes::Bytes;
use chrono::NaiveDate;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::budget::{Budget, Progress};
use super::plan::Aggregators;
use super::stage::Workshop;
use crate::error::{Error, Result};
use crate::finding::{Finding, Finished};
use crate::output::Output;
use crate::sink::Encoder;

/// What a window came to.
#[derive(Clone)]
pub(super) struct WindowDone {
    /// Rows of its days that were folded.
    pub(super) rows_in: u64,
    /// What its written aggregators came to, in their order.
    pub(super) written: Vec<Done>,
}

/// What an aggregator came to.
#[derive(Clone)]
pub(super) struct Done {
    pub(super) aggregator: String,
    pub(super) findings: Vec<Finding>,
    /// Those that are written.
    pub(super) outputs: Vec<OutputDone>,
}

/// The rows of an output.
#[derive(Clone)]
pub(super) struct OutputDone {
    /// Position among the outputs of its aggregator.
    pub(super) position: usize,
    pub(super) output: Output,
    /// By day. One, whatever rows there are, of an output that is united.
    pub(super) parts: Vec<Part>,
}

/// Rows of a day.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) day: Option<NaiveDate>,
    pub(super) rows: u64,
    pub(super) form: Form,
}

/// How rows are handed over.
#[derive(Clone)]
pub(super) enum Form {
    /// As they are.
    Rows(RecordBatch),
    /// As the sink's encoder gave them.
    Encoded(Bytes),
}

impl OutputDone {
    /// Whether its rows are united with those that are there, and so wait for those of all windows.
    pub(super) fn is_united(&self) -> bool {
        is_united(&self.output)
    }

    /// Rows of all days.
    pub(super) fn rows(&self) -> u64 {
        self.parts.iter().map(|part| part.rows).sum()
    }
}

impl Workshop<'_> {
    /// What the `written` aggregators among `finished` came to, as the sink takes it.
    ///
    /// # Errors
    /// The first in the order of days and outputs, whatever the number of workers.
    pub(super) async fn window_done(
        &self,
        rows_in: u64,
        written: &[String],
        mut finished: BTreeMap<String, Finished>,
    ) -> Result<WindowDone> {
        let finished = written.iter().filter_map(|name| finished.remove(name).map(|it| (name.clone(), it))).collect();
        let aggregators = self.wiring.aggregators.clone();
        let (encoder, budget, beside) = (self.wiring.sink.encoder(), self.budget.clone(), self.beside_each_other());
        self.on_pool(move || {
            let mut written = cut(finished, &aggregators);
            if let Some(encoder) = encoder {
                encode(&mut written, encoder.as_ref(), &budget, beside)?;
            }
            Ok(WindowDone { rows_in, written })
        })
        .await
    }
}

/// The rows that are written, by day.
fn cut(finished: Vec<(String, Finished)>, aggregators: &Aggregators) -> Vec<Done> {
    let done = |(aggregator, finished): (String, Finished)| {
        let outputs = aggregators[&aggregator].outputs().into_iter().zip(finished.outputs).enumerate();
        let outputs = outputs.filter(|(position, _)| !finished.left_alone.contains(position));
        let outputs = outputs.filter(|(_, (output, rows))| is_written(output, rows));
        let outputs = outputs.map(|(position, (output, rows))| {
            let parts = if is_united(&output) { vec![Part::of(None, rows)] } else { by_day(&output, &rows) };
            OutputDone { position, output, parts }
        });
        Done { aggregator, findings: finished.findings, outputs: outputs.collect() }
    };
    finished.into_iter().map(done).collect()
}

fn is_written(output: &Output, rows: &RecordBatch) -> bool {
    output.destination.as_ref().is_some_and(|to| !to.left_alone_if_empty || rows.num_rows() > 0)
}

fn is_united(output: &Output) -> bool {
    output.destination.as_ref().is_some_and(|to| to.union.is_some())
}

/// Neighbours of one day.
fn by_day(output: &Output, rows: &RecordBatch) -> Vec<Part> {
    let day_field = output.destination.as_ref().and_then(|to| to.table.day_field);
    let days =
        day_field.and_then(|name| rows.column_by_name(name)).and_then(|days| days.as_primitive_opt::<Date32Type>());
    let number = |row: usize| days.map(|days| days.value(row));
    let mut parts = Vec::new();
    let mut start = 0;
    for end in 1..=rows.num_rows() {
        if end == rows.num_rows() || number(end) != number(start) {
            let day = number(start).and_then(Date32Type::to_naive_date_opt);
            parts.push(Part::of(day, rows.slice(start, end - start)));
            start = end;
        }
    }
    parts
}

impl Part {
    fn of(day: Option<NaiveDate>, rows: RecordBatch) -> Self {
        Self { day, rows: rows.num_rows() as u64, form: Form::Rows(rows) }
    }

    fn encode(&mut self, output: &Output, encoder: &dyn Encoder, budget: &Budget) -> Result<()> {
        if let Form::Rows(rows) = &self.form {
            check_budget(budget, rows)?;
            if let Some(bytes) = encoder.encode(output, rows)? {
                self.form = Form::Encoded(bytes);
            }
        }
        Ok(())
    }

    /// Rows that are not encoded.
    ///
    /// # Errors
    /// `Bug` for others.
    pub(super) fn into_rows(self) -> Result<RecordBatch> {
        match self.form {
            Form::Rows(rows) => Ok(rows),
            Form::Encoded(_) => Err(Error::bug("rows without a day were encoded")),
        }
    }
}

/// Looks whether there is memory for what comes of `rows` on their way into the destination.
///
/// # Errors
/// `Limit`.
pub(super) fn check_budget(budget: &Budget, rows: &RecordBatch) -> Result<()> {
    budget.check(rows.get_array_memory_size() as u64 / 2, &Progress::of(0))
}

/// Encodes what has a day.
fn encode(written: &mut [Done], encoder: &dyn Encoder, budget: &Budget, beside_each_other: bool) -> Result<()> {
    let outputs = written.iter_mut().flat_map(|done| &mut done.outputs).filter(|done| !done.is_united());
    let parts = outputs.flat_map(|OutputDone { output, parts, .. }| parts.iter_mut().map(|part| (&*output, part)));
    let mut parts: Vec<(&Output, &mut Part)> = parts.collect();
    // In the order in which they are handed over, so that the error that is told is the first in that order.
    parts.sort_by_key(|(_, part)| part.day);
    let encode = |(output, part): (&Output, &mut Part)| part.encode(output, encoder, budget);
    if !beside_each_other {
        return parts.into_iter().try_for_each(encode);
    }
    let done: Vec<Result<()>> = parts.into_par_iter().map(encode).collect();
    done.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Date32Array};

    use super::*;
    use crate::output::{Field, FieldKind, Table};

    static TABLE: Table = Table {
        name: "t",
        fields: &[Field { name: "day", kind: FieldKind::Date, nullable: false }],
        day_field: Some("day"),
        primary_key: &[],
        indexes: &[],
        headline: &[],
    };

    /// Encodes three rows at least, and no day but the first.
    struct Picky;

    impl Encoder for Picky {
        fn form(&self) -> &'static str {
            "picky"
        }

        fn encode(&self, _: &Output, rows: &RecordBatch) -> Result<Option<Bytes>> {
            let day = rows.column(0).as_primitive::<Date32Type>().value(0);
            match rows.num_rows() {
                _ if day > 0 => Err(Error::bug(format!("{} rows of day {day}", rows.num_rows()))),
                0..3 => Ok(None),
                more => Ok(Some(vec![0; more].into())),
            }
        }
    }

    fn done(days_of_outputs: &[&[i32]]) -> Vec<Done> {
        let output = Output::to_table(&TABLE, &["day"], Vec::new());
        let done = |days: &&[i32]| {
            let days: ArrayRef = Arc::new(Date32Array::from(days.to_vec()));
            let rows = RecordBatch::try_new(output.schema(), vec![days]).expect("rows");
            OutputDone { position: 0, output: output.clone(), parts: by_day(&output, &rows) }
        };
        let outputs = days_of_outputs.iter().map(done).collect();
        vec![Done { aggregator: "a".into(), findings: Vec::new(), outputs }]
    }

    fn encoded(days_of_outputs: &[&[i32]], beside_each_other: bool) -> Result<Vec<(u64, bool)>> {
        let mut written = done(days_of_outputs);
        encode(&mut written, &Picky, &Budget::new(None), beside_each_other)?;
        let parts = written.into_iter().flat_map(|done| done.outputs).flat_map(|done| done.parts);
        Ok(parts.map(|part| (part.rows, matches!(part.form, Form::Encoded(_)))).collect())
    }

    #[test]
    fn each_day_of_each_output_is_encoded_or_left_as_it_is() {
        for beside_each_other in [false, true] {
            let parts = encoded(&[&[-1, 0, 0, 0], &[], &[-2, -2, -2, -2, -1]], beside_each_other);
            assert_eq!(parts.expect("good rows"), [(1, false), (3, true), (4, true), (1, false)]);
        }
    }

    #[test]
    fn the_error_that_is_told_is_the_first_in_the_order_of_days_and_outputs() {
        for beside_each_other in [false, true] {
            let error = encoded(&[&[0, 2, 3], &[1, 1, 2], &[1]], beside_each_other).expect_err("wrong days");
            assert!(error.message().contains("2 rows of day 1"), "{error}");
        }
    }
}
