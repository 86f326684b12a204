//! Line items from a few words, and aggregators run over them, for the tests of this crate.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, NullArray, RecordBatch, StringViewArray, TimestampNanosecondArray,
};
use arrow::datatypes::{Date32Type, Float64Type, Int32Type};
use chrono::NaiveDate;
use tokaki_core::aggregator::Fold;
use tokaki_core::plugin::AggregatorPart;
use tokaki_core::{
    AnyAggregator, Build, Chunk, ColumnKind, CostCategory, DateRange, Finished, Grain, Input, Place, PluginKind,
    ReferenceData, Result, Scope, Section, Semantics, Source, TableName, plugin,
};

/// 2025-10-01T00:00Z in nanoseconds.
const OCTOBER: i64 = 1_759_276_800_000_000_000;
const HOUR: i64 = 3_600_000_000_000;

/// A value of a line item; a column that is not named is null.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell {
    Text(&'static str),
    Number(f64),
}

/// One line item: report type, hour (counted from 2025-10-01), columns.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) report_type: &'static str,
    /// The source, if it is another one than the job's own.
    pub(crate) of: Option<&'static str>,
    pub(crate) grain: Grain,
    pub(crate) hour: i64,
    pub(crate) cells: BTreeMap<&'static str, Cell>,
}

pub(crate) fn line(report_type: &'static str, hour: i64, cells: &[(&'static str, Cell)]) -> Line {
    Line { report_type, of: None, grain: Grain::Hourly, hour, cells: cells.iter().copied().collect() }
}

/// What a test asks for.
#[derive(Clone)]
pub(crate) struct Job {
    pub(crate) semantics: Semantics,
    pub(crate) reference: ReferenceData,
    /// Settings of the aggregator.
    pub(crate) own: Section,
    /// First and last day of October 2025.
    pub(crate) days: [u32; 2],
    /// The source that it is a member for.
    pub(crate) of: Option<String>,
}

impl Job {
    pub(crate) fn new(semantics: Semantics, tag_keys: &[&str], patterns: &[(&str, i32)]) -> Self {
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
        Self { semantics, reference, own: Section::default(), days: [1, 2], of: None }
    }

    /// The days that are asked for.
    pub(crate) fn days(&self) -> DateRange {
        let [first, last] = self.days.map(|day| NaiveDate::from_ymd_opt(2025, 10, day).expect("a date"));
        DateRange::new(first, last).expect("one month")
    }

    pub(crate) fn aggregator(&self, name: &str) -> Result<Arc<dyn AnyAggregator>> {
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

    /// The encoded state of an aggregator that has folded the lines as its first input.
    pub(crate) fn state(&self, name: &str, lines: &[Line]) -> Result<Vec<RecordBatch>> {
        let aggregator = self.aggregator(name)?;
        let (fold, inputs) = (self.prepared(name)?, aggregator.inputs());
        let mut state = fold.start();
        let lines: Vec<&Line> = lines.iter().collect();
        for (id, input) in inputs.iter().enumerate() {
            let report_type = match input.source {
                Source::Hourly(report_type) | Source::Daily(report_type) | Source::DailyOrDerived(report_type) => {
                    report_type
                }
                Source::OutputOf(_) => continue,
            };
            let table = TableName { provider: input.provider, report_type, grain: Grain::Hourly };
            let chunk = chunk(&lines, input, table);
            fold.fold(&mut state, id, &chunk)?;
        }
        fold.encode(&state)
    }

    /// Decodes a state of an aggregator.
    pub(crate) fn decode(&self, name: &str, tables: &[RecordBatch]) -> Result<()> {
        self.prepared(name)?.decode(tables).map(drop)
    }

    /// An aggregator to which nothing is handed over but empty tables.
    fn prepared(&self, name: &str) -> Result<Arc<dyn Fold>> {
        let aggregator = self.aggregator(name)?;
        let inputs = aggregator.inputs();
        let handovers = inputs.iter().filter_map(|input| match input.source {
            Source::OutputOf(other) => Some(self.giver(input).run(other, &[], 1)),
            _ => None,
        });
        let handovers = handovers.collect::<Result<_>>()?;
        aggregator.prepare(handovers, self.days())
    }

    /// Folds the lines in pieces of `piece` lines, each in a state of its own that is encoded and decoded on the way.
    pub(crate) fn run(&self, name: &str, lines: &[Line], piece: usize) -> Result<RecordBatch> {
        self.finished(name, lines, piece).map(|mut finished| finished.outputs.remove(0))
    }

    /// What [`Job::run`] computes, with what was noticed.
    pub(crate) fn finished(&self, name: &str, lines: &[Line], piece: usize) -> Result<Finished> {
        let aggregator = self.aggregator(name)?;
        let inputs = aggregator.inputs();
        let handovers = inputs
            .iter()
            .filter_map(|input| match input.source {
                Source::OutputOf(other) => {
                    let finished = self.giver(input).finished(other, lines, piece);
                    Some(finished.map(|mut finished| finished.outputs.remove(input.output)))
                }
                _ => None,
            })
            .collect::<Result<_>>()?;
        let fold = Arc::clone(&aggregator).prepare(handovers, self.days())?;
        let mut total = fold.start();
        for (id, input) in inputs.iter().enumerate() {
            let source = input.of.as_deref().or(self.of.as_deref());
            let lines: Vec<&Line> = lines.iter().filter(|line| line.of == source).collect();
            let tables: &[(&str, Grain)] = match input.source {
                Source::Hourly(report_type) => &[(report_type, Grain::Hourly)],
                Source::Daily(report_type) => &[(report_type, Grain::Daily)],
                // As `reader.pods = auto` decides.
                Source::DailyOrDerived(report_type) => {
                    let has_daily =
                        lines.iter().any(|line| line.report_type == report_type && line.grain == Grain::Daily);
                    &[(report_type, if has_daily { Grain::Daily } else { Grain::Hourly })]
                }
                Source::OutputOf(_) => &[],
            };
            for (report_type, grain) in tables {
                let of_table: Vec<&Line> = lines
                    .iter()
                    .copied()
                    .filter(|line| line.report_type == *report_type && line.grain == *grain)
                    .collect();
                for piece in of_table.chunks(piece) {
                    let mut state = fold.start();
                    let chunk = chunk(piece, input, input.table_of(report_type, *grain).table);
                    fold.fold(&mut state, id, &chunk)?;
                    fold.merge(&mut total, fold.decode(&fold.encode(&state)?)?)?;
                }
            }
        }
        fold.finish(total)
    }

    /// The job of the source whose output the input takes.
    fn giver(&self, input: &Input) -> Self {
        let Some(of) = &input.of else { return Self { own: Section::default(), ..self.clone() } };
        let cluster = self.reference.bill.as_ref().and_then(|bill| bill.cluster(of)).expect("a cluster on the bill");
        let reference = cluster.reference.as_ref().clone();
        Self { own: Section::default(), of: Some(of.clone()), reference, ..self.clone() }
    }
}

fn chunk(lines: &[&Line], input: &Input, table: TableName) -> Chunk {
    let instants: TimestampNanosecondArray = lines.iter().map(|line| Some(OCTOBER + line.hour * HOUR)).collect();
    let mut all: Vec<(&str, ArrayRef)> = vec![(input.time_column, Arc::new(instants))];
    for column in &input.columns {
        let exists = lines.iter().any(|line| line.cells.contains_key(column.name));
        let array: ArrayRef = match column.kind {
            _ if !exists => Arc::new(NullArray::new(lines.len())),
            ColumnKind::Number => Arc::new(
                lines
                    .iter()
                    .map(|line| match line.cells.get(column.name) {
                        Some(Cell::Number(number)) => Some(*number),
                        _ => None,
                    })
                    .collect::<Float64Array>(),
            ),
            _ => Arc::new(
                lines
                    .iter()
                    .map(|line| match line.cells.get(column.name) {
                        Some(Cell::Text(text)) => Some(*text),
                        _ => None,
                    })
                    .collect::<StringViewArray>(),
            ),
        };
        all.push((column.name, array));
    }
    Chunk {
        batch: RecordBatch::try_from_iter(all).expect("a batch"),
        time_column: input.time_column,
        table,
        place: Place::default(),
    }
}

/// Some columns of every row as text, null as `-`, one row a line.
pub(crate) fn shown(rows: &RecordBatch, columns: &[&str]) -> Vec<String> {
    let cell = |column: &ArrayRef, row: usize| {
        if column.is_null(row) {
            "-".to_owned()
        } else if let Some(texts) = column.as_string_opt::<i32>() {
            texts.value(row).to_owned()
        } else if let Some(numbers) = column.as_primitive_opt::<Float64Type>() {
            numbers.value(row).to_string()
        } else if let Some(days) = column.as_primitive_opt::<Date32Type>() {
            days.value(row).to_string()
        } else {
            column.as_primitive::<Int32Type>().value(row).to_string()
        }
    };
    let column = |name: &&str| rows.column_by_name(name).expect("a column");
    let columns: Vec<_> = columns.iter().map(column).collect();
    (0..rows.num_rows())
        .map(|row| columns.iter().map(|column| cell(column, row)).collect::<Vec<_>>().join(" "))
        .collect()
}
