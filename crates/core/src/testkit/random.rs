//! Random line items of whatever an aggregator reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::job::Job;
use super::line::{Cell, Line};
use crate::error::Result;
use crate::input::{ColumnKind, Grain, Input, Source, WantedColumn};
use crate::reference::{Bill, Cluster, Distribution, ReferenceData};

/// The one cluster on the bill of [`reference()`].
pub const CLUSTER: &str = "00000000-0000-0000-0000-00000000c1a5";

/// What the laws let the database know: an enabled tag key, categories that overlap, a bill with one cluster.
pub fn reference() -> ReferenceData {
    let of_cluster = Job::new(Default::default(), &["k"], &[("a%", 1), ("%", 2)]).reference;
    let cluster = Cluster {
        source_uuid: CLUSTER.to_owned(),
        // Whether it runs on the account is for the bill to show.
        mapped: false,
        distribution: Distribution::Cpu,
        reference: Arc::new(of_cluster.clone()),
    };
    let bill = Bill {
        id: 1,
        markup_percent: "10".to_owned(),
        enabled_tag_keys: vec!["k".to_owned()],
        clusters: vec![cluster],
        ..Bill::default()
    };
    ReferenceData { bill: Some(bill), ..of_cluster }
}

/// Texts by column.
type Texts = &'static [(&'static str, &'static [&'static str])];

/// A table that line items are made for.
#[derive(Default)]
struct Wanted {
    columns: BTreeMap<&'static str, ColumnKind>,
    hourly: bool,
    daily: bool,
}

/// Line items of the first two days of October for all tables that the aggregator `name` and those that it needs read.
/// Texts are few, so that they meet; some are null or empty, and now and then a whole column is missing. `texts` are
/// those of columns for which not every text will do.
///
/// # Errors
/// One of the aggregators cannot be built.
pub fn any_lines(job: &Job, name: &str, texts: Texts) -> Result<BoxedStrategy<Vec<Line>>> {
    let mut tables: BTreeMap<(Option<&'static str>, &'static str), Wanted> = BTreeMap::new();
    for (job, aggregator) in job.needed(name)? {
        for input in aggregator.inputs() {
            let (report_type, hourly, daily) = match input.source {
                Source::Hourly(report_type) => (report_type, true, false),
                Source::Daily(report_type) => (report_type, false, true),
                Source::DailyOrDerived(report_type) => (report_type, true, true),
                Source::OutputOf(_) => continue,
            };
            let table = tables.entry((known_source(&job, &input), report_type)).or_default();
            table.columns.extend(input.columns.iter().map(|column: &WantedColumn| (column.name, column.kind)));
            table.hourly |= hourly;
            table.daily |= daily;
        }
    }
    let nothing = Just(Vec::new()).boxed();
    Ok(tables.into_iter().fold(nothing, |before, ((of, report_type), table)| {
        let and = |(before, lines): (Vec<Line>, Vec<Line>)| [before, lines].concat();
        (before, of_table(of, report_type, table, texts)).prop_map(and).boxed()
    }))
}

fn known_source(job: &Job, input: &Input) -> Option<&'static str> {
    let of = input.of.as_deref().or(job.of.as_deref())?;
    assert_eq!(of, CLUSTER, "the reference data of the laws has one cluster");
    Some(CLUSTER)
}

fn of_table(
    of: Option<&'static str>,
    report_type: &'static str,
    table: Wanted,
    texts: Texts,
) -> BoxedStrategy<Vec<Line>> {
    const MOST_LINES: usize = 14;
    // Where both grains will do, the daily one is read as soon as it has a row.
    let with_daily = match (table.hourly, table.daily) {
        (true, true) => prop::bool::weighted(0.25).boxed(),
        (_, daily) => Just(daily).boxed(),
    };
    let columns: Vec<(&'static str, ColumnKind)> = table.columns.into_iter().collect();
    let exist = prop::collection::vec(prop::bool::weighted(0.9), columns.len());
    let cells: Vec<_> = columns.iter().map(|(name, kind)| any_cell(name, *kind, texts)).collect();
    let rows = prop::collection::vec((0_i64..48, any::<bool>(), cells), 0..MOST_LINES);
    let hourly = table.hourly;
    (exist, with_daily, rows)
        .prop_map(move |(exist, with_daily, rows)| {
            let line = |(hour, daily, cells): (i64, bool, Vec<Option<Cell>>)| {
                let of_columns = columns.iter().zip(&exist).zip(cells);
                let cells =
                    of_columns.filter_map(|(((name, _), exists), cell)| Some((*name, cell.filter(|_| *exists)?)));
                let grain = if with_daily && (daily || !hourly) { Grain::Daily } else { Grain::Hourly };
                Line { report_type, of, grain, hour, cells: cells.collect() }
            };
            rows.into_iter().map(line).collect()
        })
        .boxed()
}

/// Labels in several spellings, some of them of no enabled key.
const LABELS: [&str; 6] = ["{}", "", r#"{"k":"x"}"#, r#"{ "k": "x" }"#, r#"{"k":null,"z":1}"#, r#"{"k":"é"}"#];

fn any_cell(name: &str, kind: ColumnKind, given: Texts) -> BoxedStrategy<Option<Cell>> {
    let texts = |texts: &'static [&'static str]| prop::sample::select(texts).prop_map(Cell::Text).boxed();
    let given = given.iter().find(|(column, _)| *column == name);
    let cell = match kind {
        ColumnKind::Text => texts(given.map_or(&["a", "b", "ab", ""], |(_, given)| given)),
        ColumnKind::Labels => texts(given.map_or(&LABELS, |(_, given)| given)),
        ColumnKind::Number => {
            let number = prop_oneof![6 => 0.0_f64..1e6, 1 => -1e3_f64..0.0, 1 => Just(0.1), 1 => Just(-0.0), 1 => Just(f64::NAN)];
            number.prop_map(Cell::Number).boxed()
        }
        ColumnKind::Instant => (0_u8..48).prop_map(|hour| Cell::Number(f64::from(hour))).boxed(),
    };
    prop::option::weighted(0.9, cell).boxed()
}
