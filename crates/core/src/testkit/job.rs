//! An aggregator run over line items, without files, plan and sink.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Float64Array, NullArray, RecordBatch, StringViewArray, TimestampNanosecondArray,
};
use arrow::datatypes::Int32Type;
use chrono::NaiveDate;

use super::line::{Cell, Line};
use crate::aggregator::{AnyAggregator, AnyState, Fold};
use crate::chunk::Chunk;
use crate::error::{Place, Result};
use crate::finding::Finished;
use crate::input::{ColumnKind, Grain, Input, InputId, Source, TableName, WantedColumn};
use crate::plugin::{self, AggregatorPart, Build, PluginKind};
use crate::reference::{CostCategory, ReferenceData};
use crate::rollup::LabelTexts;
use crate::scope::{DateRange, Scope, Semantics};
use crate::section::Section;

/// 2025-10-01T00:00Z in nanoseconds.
const OCTOBER: i64 = 1_759_276_800_000_000_000;
const HOUR: i64 = 3_600_000_000_000;

/// What a test asks for.
#[derive(Debug, Clone)]
pub struct Job {
    /// How joins are counted.
    pub semantics: Semantics,
    /// What the database knows.
    pub reference: ReferenceData,
    /// Settings of the aggregator.
    pub own: Section,
    /// Settings of those that it needs, by name.
    pub others: BTreeMap<String, Section>,
    /// First and last day of October 2025.
    pub days: [u32; 2],
    /// The source that it is a member for.
    pub of: Option<String>,
}

impl Default for Job {
    fn default() -> Self {
        Self::new(Semantics::Koku, &[], &[])
    }
}

/// How line items come to states: nothing of it may show in the result.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    /// Line items of a chunk.
    pub chunk_rows: usize,
    /// States among which chunks are dealt; all are encoded, decoded and merged, the last one first.
    pub workers: usize,
    /// Whether texts arrive as positions in a dictionary instead of one by one.
    pub dictionaries: bool,
}

impl Cut {
    /// Chunks of so many line items, with a state for each.
    pub fn chunks(rows: usize) -> Self {
        Self { chunk_rows: rows, workers: usize::MAX, dictionaries: false }
    }
}

impl Job {
    /// October 1 and 2 with these enabled tag keys, and cost categories by namespace pattern.
    pub fn new(semantics: Semantics, tag_keys: &[&str], patterns: &[(&str, i32)]) -> Self {
        let category = |(pattern, id): &(&str, i32)| CostCategory {
            namespace_pattern: (*pattern).to_owned(),
            cost_category_id: *id,
        };
        let reference = ReferenceData {
            report_period_id: 1,
            enabled_tag_keys: tag_keys.iter().map(|key| (*key).to_owned()).collect(),
            cost_categories: patterns.iter().map(category).collect(),
            ..ReferenceData::default()
        };
        Self { semantics, reference, own: Section::default(), others: BTreeMap::new(), days: [1, 2], of: None }
    }

    /// The days that are asked for.
    pub fn days(&self) -> DateRange {
        let [first, last] = self.days.map(|day| NaiveDate::from_ymd_opt(2025, 10, day).expect("a day of October"));
        DateRange::new(first, last).expect("days of one month")
    }

    /// The registered aggregator of this name.
    ///
    /// # Errors
    /// There is none, or it refuses its settings or the reference data.
    pub fn aggregator(&self, name: &str) -> Result<Arc<dyn AnyAggregator>> {
        let part = AggregatorPart {
            own: self.own.clone(),
            scope: Scope {
                org: "org1".to_owned(),
                source_uuid: self.of.clone().unwrap_or_else(|| "00000000-0000-0000-0000-000000000001".to_owned()),
                days: self.days(),
            },
            semantics: self.semantics,
            reference: Arc::new(self.reference.clone()),
        };
        match plugin::find(PluginKind::Aggregator, name, "test")?.build {
            Build::Aggregator(build) => build(&part),
            _ => unreachable!("an aggregator was found"),
        }
    }

    /// The first output, of chunks of `chunk_rows` lines, each in a state of its own that is encoded and decoded.
    ///
    /// # Errors
    /// Whatever the aggregator or one that it needs finds wrong.
    pub fn run(&self, name: &str, lines: &[Line], chunk_rows: usize) -> Result<RecordBatch> {
        self.finished(name, lines, chunk_rows).map(|mut finished| finished.outputs.remove(0))
    }

    /// What [`Job::run`] computes: all outputs, and what was noticed.
    ///
    /// # Errors
    /// As for [`Job::run`].
    pub fn finished(&self, name: &str, lines: &[Line], chunk_rows: usize) -> Result<Finished> {
        self.window(name, lines, Cut::chunks(chunk_rows), self.days())
    }

    /// What is computed of the days `window`, with `lines` cut as `cut` says.
    ///
    /// # Errors
    /// As for [`Job::run`].
    pub fn window(&self, name: &str, lines: &[Line], cut: Cut, window: DateRange) -> Result<Finished> {
        let (fold, state) = self.folded(name, lines, cut, window)?;
        fold.finish(state)
    }

    /// The encoded state of the aggregator that has folded the lines.
    ///
    /// # Errors
    /// As for [`Job::run`].
    pub fn encoded(&self, name: &str, lines: &[Line]) -> Result<Vec<RecordBatch>> {
        let (fold, state) = self.folded(name, lines, Cut::chunks(lines.len().max(1)), self.days())?;
        fold.encode(&state)
    }

    /// Whether the aggregator can decode `tables`.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check_decodes(&self, name: &str, tables: &[RecordBatch]) -> Result<()> {
        let (fold, _) = self.folded(name, &[], Cut::chunks(1), self.days())?;
        fold.decode(tables).map(drop)
    }

    fn folded(&self, name: &str, lines: &[Line], cut: Cut, window: DateRange) -> Result<(Arc<dyn Fold>, AnyState)> {
        let aggregator = self.aggregator(name)?;
        // A survey sees all days, whoever asks for some of them.
        let window = if aggregator.is_survey() { self.days() } else { window };
        let inputs = aggregator.inputs();
        let handovers = inputs
            .iter()
            .filter_map(|input| match input.source {
                Source::OutputOf(other) => {
                    let finished = self.giver(input, other).window(other, lines, cut, window);
                    Some(finished.map(|mut finished| finished.outputs.remove(input.output)))
                }
                _ => None,
            })
            .collect::<Result<_>>()?;
        let fold = Arc::clone(&aggregator).prepare(handovers, window)?;
        let mut states = States { fold: fold.as_ref(), states: Vec::new(), next: 0 };
        for (id, input) in inputs.iter().enumerate() {
            self.fold(&mut states, id, input, lines, cut, window)?;
        }
        let total = states.merged()?;
        Ok((fold, total))
    }

    /// The aggregator `name` and, transitively, those whose output it takes, each with the job that builds it.
    ///
    /// # Errors
    /// One of them cannot be built.
    pub(super) fn needed(&self, name: &str) -> Result<Vec<(Self, Arc<dyn AnyAggregator>)>> {
        let aggregator = self.aggregator(name)?;
        let inputs = aggregator.inputs();
        let mut needed = vec![(self.clone(), aggregator)];
        for input in &inputs {
            if let Source::OutputOf(other) = input.source {
                needed.extend(self.giver(input, other).needed(other)?);
            }
        }
        Ok(needed)
    }

    fn fold(
        &self,
        states: &mut States<'_>,
        id: InputId,
        input: &Input,
        lines: &[Line],
        cut: Cut,
        window: DateRange,
    ) -> Result<()> {
        let source = input.of.as_deref().or(self.of.as_deref());
        let of_source = || lines.iter().filter(|line| line.of == source);
        let (report_type, grain) = match input.source {
            Source::Hourly(report_type) => (report_type, Grain::Hourly),
            Source::Daily(report_type) => (report_type, Grain::Daily),
            // As `reader.pods = auto` decides.
            Source::DailyOrDerived(report_type) => {
                let is_daily = |line: &Line| line.report_type == report_type && line.grain == Grain::Daily;
                (report_type, if of_source().any(is_daily) { Grain::Daily } else { Grain::Hourly })
            }
            Source::OutputOf(_) => return Ok(()),
        };
        let of_table: Vec<&Line> =
            of_source().filter(|line| line.report_type == report_type && line.grain == grain).collect();
        let columns: BTreeSet<&str> = of_table.iter().flat_map(|line| line.cells.keys().copied()).collect();
        let wanted = |line: &&&Line| input.whole_partition || window.nanoseconds().contains(&instant(line));
        let wanted: Vec<&Line> = of_table.iter().filter(wanted).copied().collect();
        let table = input.table_of(report_type, grain).table;
        for lines in wanted.chunks(cut.chunk_rows) {
            states.take(id, &chunk(lines, input, &columns, table.clone(), cut.dictionaries), cut.workers)?;
        }
        Ok(())
    }

    /// The job of the aggregator `name`, whose output the input takes.
    fn giver(&self, input: &Input, name: &str) -> Self {
        let own = self.others.get(name).cloned().unwrap_or_default();
        let Some(of) = &input.of else { return Self { own, ..self.clone() } };
        let cluster = self.reference.bill.as_ref().and_then(|bill| bill.cluster(of)).expect("a cluster on the bill");
        let reference = cluster.reference.as_ref().clone();
        Self { own, of: Some(of.clone()), reference, ..self.clone() }
    }
}

/// States that chunks are dealt to in turn.
struct States<'a> {
    fold: &'a dyn Fold,
    states: Vec<AnyState>,
    next: usize,
}

impl States<'_> {
    fn take(&mut self, id: InputId, chunk: &Chunk, workers: usize) -> Result<()> {
        let worker = self.next % workers.max(1);
        self.next += 1;
        if worker == self.states.len() {
            self.states.push(self.fold.start());
        }
        self.fold.fold(&mut self.states[worker], id, chunk)
    }

    fn merged(self) -> Result<AnyState> {
        let mut total = self.fold.start();
        for state in self.states.iter().rev() {
            self.fold.merge(&mut total, self.fold.decode(&self.fold.encode(state)?)?)?;
        }
        Ok(total)
    }
}

/// When the line item's hour begins, nanoseconds since 1970 UTC.
pub(super) fn instant(line: &Line) -> i64 {
    OCTOBER + line.hour * HOUR
}

fn chunk(lines: &[&Line], input: &Input, columns: &BTreeSet<&str>, table: TableName, dictionaries: bool) -> Chunk {
    let column = |column: &WantedColumn| (column.name, array(lines, column, columns, dictionaries));
    let instants: ArrayRef =
        Arc::new(lines.iter().map(|line| Some(instant(line))).collect::<TimestampNanosecondArray>());
    let all = std::iter::once((input.time_column, instants)).chain(input.columns.iter().map(column));
    let batch = RecordBatch::try_from_iter(all).expect("columns of one length");
    let mut label_texts = LabelTexts::default();
    Chunk {
        batch: label_texts.number_all(batch, &input.columns).expect("labels are texts"),
        time_column: input.time_column,
        table,
        place: Place::default(),
        label_texts: Arc::new(label_texts),
    }
}

/// The line items as a table with their time, `interval_start`, and these columns, typed as readers have to: for a file
/// that a reader shall read.
pub fn batch(lines: &[Line], columns: &[WantedColumn]) -> RecordBatch {
    let lines: Vec<&Line> = lines.iter().collect();
    let names = columns.iter().map(|column| column.name).collect();
    let instants: ArrayRef =
        Arc::new(lines.iter().map(|line| Some(instant(line))).collect::<TimestampNanosecondArray>());
    let columns = columns.iter().map(|column| (column.name, array(&lines, column, &names, false)));
    RecordBatch::try_from_iter(std::iter::once(("interval_start", instants)).chain(columns))
        .expect("columns of one length")
}

/// A column of the line items; all null and of no type if it is not among `existing`.
fn array(lines: &[&Line], column: &WantedColumn, existing: &BTreeSet<&str>, dictionaries: bool) -> ArrayRef {
    if !existing.contains(column.name) {
        return Arc::new(NullArray::new(lines.len()));
    }
    match column.kind {
        ColumnKind::Number => Arc::new(lines.iter().map(|line| number(line, column)).collect::<Float64Array>()),
        ColumnKind::Instant => {
            let instant = |line: &&Line| number(line, column).map(|hour| OCTOBER + hour as i64 * HOUR);
            Arc::new(lines.iter().map(instant).collect::<TimestampNanosecondArray>())
        }
        ColumnKind::Text | ColumnKind::Labels => {
            let texts = lines.iter().map(|line| line.text(column.name));
            if dictionaries {
                Arc::new(texts.collect::<DictionaryArray<Int32Type>>())
            } else {
                Arc::new(texts.collect::<StringViewArray>())
            }
        }
    }
}

fn number(line: &Line, column: &WantedColumn) -> Option<f64> {
    match *line.cells.get(column.name)? {
        Cell::Number(number) => Some(number),
        Cell::Text(text) => {
            Some(text.parse().unwrap_or_else(|_| panic!("{} is a column of numbers, found {text:?}", column.name)))
        }
    }
}
