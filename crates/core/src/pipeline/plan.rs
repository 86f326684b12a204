//! What a run will do, as data. Pure: files were listed before, nothing is read here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aggregator::AnyAggregator;
use crate::catalog::{DataFile, DuplicateFile};
use crate::error::{Error, Result};
use crate::input::{Grain, InputId, Selection, Source, TableName, WantedColumn};
use crate::scope::Scope;

/// Whether the daily tables are read or derived from the hourly ones (spec § 12, `reader.pods`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DailyTables {
    /// Daily where the partition has a daily file of the report type, else derived from hourly.
    #[default]
    Auto,
    /// Daily only, as Koku does; an absent daily table is an empty one.
    Daily,
    /// Always derived from hourly.
    Hourly,
}

/// Selected aggregators by name, with those that they need.
pub type Aggregators = BTreeMap<String, Arc<dyn AnyAggregator>>;

/// Files by table.
pub type Listing = BTreeMap<TableName, Vec<DataFile>>;

/// One table, read once, for everyone who needs it.
#[derive(Debug, Clone, Serialize)]
pub struct Scan {
    /// The table.
    pub table: TableName,
    /// Its files.
    pub files: Vec<DataFile>,
    /// Union of the wanted columns.
    pub selection: Selection,
    /// Who is fed: aggregator and input.
    pub feeds: Vec<(String, InputId)>,
}

/// Aggregators that need only what earlier stages finished, and the scans that feed them.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Stage {
    /// By name, sorted.
    pub aggregators: Vec<String>,
    /// By table, sorted.
    pub scans: Vec<Scan>,
}

/// Which of the two tables of a report type is taken for daily rows, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TableChoice {
    /// The report type.
    pub report_type: &'static str,
    /// What is read.
    pub taken: TableName,
    /// Why, in words.
    pub reason: String,
}

/// What will happen.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// What the run covers.
    pub scope: Scope,
    /// In the order of execution.
    pub stages: Vec<Stage>,
    /// Daily or derived, by report type.
    pub choices: Vec<TableChoice>,
    /// Files that are left out because they are others under a second name.
    pub duplicates: Vec<DuplicateFile>,
    /// Aggregators whose rows are written; the others only feed them.
    pub written: Vec<String>,
    /// Whether days may leave as they finish. Not if an aggregator wants the whole partition at once, or if a table is
    /// left alone where the scope has no row for it: that is known at the end only.
    pub by_windows: bool,
}

impl Plan {
    /// All tables that may be needed, to be listed before planning.
    pub fn tables(aggregators: &Aggregators, daily_tables: DailyTables) -> BTreeSet<TableName> {
        let hourly = |report_type| TableName { report_type, grain: Grain::Hourly };
        let daily = |report_type| TableName { report_type, grain: Grain::Daily };
        let mut tables = BTreeSet::new();
        for aggregator in aggregators.values() {
            for input in aggregator.inputs() {
                match (&input.source, daily_tables) {
                    (Source::Hourly(report_type), _) | (Source::DailyOrDerived(report_type), DailyTables::Hourly) => {
                        tables.insert(hourly(report_type));
                    }
                    (Source::Daily(_), DailyTables::Hourly) => {}
                    (Source::Daily(report_type), _) | (Source::DailyOrDerived(report_type), DailyTables::Daily) => {
                        tables.insert(daily(report_type));
                    }
                    (Source::DailyOrDerived(report_type), DailyTables::Auto) => {
                        tables.insert(hourly(report_type));
                        tables.insert(daily(report_type));
                    }
                    (Source::OutputOf(_), _) => {}
                }
            }
        }
        tables
    }

    /// Orders the aggregators, lets those of a stage share the scan of a table, and checks that no two outputs own
    /// the same rows.
    ///
    /// # Errors
    /// `Bug` if aggregators need each other in a circle or own the same rows.
    pub fn new(
        scope: Scope,
        aggregators: &Aggregators,
        written: Vec<String>,
        listing: &Listing,
        daily_tables: DailyTables,
        chunk_rows: usize,
    ) -> Result<Self> {
        check_owned_rows(aggregators, &written)?;
        let mut choices = BTreeSet::new();
        let mut stages = Vec::new();
        for names in order(aggregators)? {
            // Rows of the asked days and rows of the partition are two scans: nobody should decode what they do not count.
            let mut scans: BTreeMap<(TableName, bool), Scan> = BTreeMap::new();
            for name in &names {
                for (id, input) in aggregators[name].inputs().into_iter().enumerate() {
                    let table = match input.source {
                        Source::Hourly(report_type) => TableName { report_type, grain: Grain::Hourly },
                        // Where only hourly files are to be read, a daily table counts as absent.
                        Source::Daily(_) if daily_tables == DailyTables::Hourly => continue,
                        Source::Daily(report_type) => TableName { report_type, grain: Grain::Daily },
                        Source::DailyOrDerived(report_type) => {
                            let choice = choose(report_type, listing, daily_tables);
                            let table = choice.taken.clone();
                            choices.insert(choice);
                            table
                        }
                        Source::OutputOf(_) => continue,
                    };
                    let scan = scans.entry((table.clone(), input.whole_partition)).or_insert_with(|| Scan {
                        files: listing.get(&table).cloned().unwrap_or_default(),
                        table,
                        selection: Selection {
                            time_column: input.time_column,
                            columns: Vec::new(),
                            days: (!input.whole_partition).then_some(scope.days),
                            chunk_rows,
                        },
                        feeds: Vec::new(),
                    });
                    for column in input.columns {
                        want(&mut scan.selection.columns, column);
                    }
                    scan.feeds.push((name.clone(), id));
                }
            }
            let mut scans: Vec<Scan> = scans.into_values().collect();
            for scan in &mut scans {
                scan.selection.columns.sort_by_key(|column| column.name);
            }
            stages.push(Stage { aggregators: names, scans });
        }
        let by_windows = aggregators.values().all(|aggregator| {
            let inputs = aggregator.inputs();
            let outputs = aggregator.outputs();
            !inputs.iter().any(|input| input.whole_partition)
                && !outputs.iter().filter_map(|output| output.destination.as_ref()).any(|to| to.left_alone_if_empty)
        });
        let choices = choices.into_iter().collect();
        Ok(Self { scope, stages, choices, duplicates: Vec::new(), written, by_windows })
    }

    /// Number of files that will be opened, a file of two stages once.
    pub fn files(&self) -> usize {
        let paths: BTreeSet<&str> = self
            .stages
            .iter()
            .flat_map(|stage| &stage.scans)
            .flat_map(|scan| scan.files.iter().map(|file| file.path.as_str()))
            .collect();
        paths.len()
    }
}

/// Adds a column. Who wants it from some files only gets it from all if another wants it otherwise.
fn want(columns: &mut Vec<WantedColumn>, column: WantedColumn) {
    match columns.iter_mut().find(|known| (known.name, known.kind) == (column.name, column.kind)) {
        Some(known) if known.only_without != column.only_without => known.only_without = &[],
        Some(_) => {}
        None => columns.push(column),
    }
}

fn choose(report_type: &'static str, listing: &Listing, daily_tables: DailyTables) -> TableChoice {
    let table = |grain| TableName { report_type, grain };
    let daily_files = listing.get(&table(Grain::Daily)).map_or(0, Vec::len);
    let (grain, reason) = match daily_tables {
        DailyTables::Daily => (Grain::Daily, "reader.pods = daily".to_owned()),
        DailyTables::Hourly => (Grain::Hourly, "reader.pods = hourly".to_owned()),
        DailyTables::Auto if daily_files > 0 => {
            (Grain::Daily, format!("reader.pods = auto, and the month has {daily_files} daily file(s)"))
        }
        DailyTables::Auto => (
            Grain::Hourly,
            "reader.pods = auto, and the month has no daily file: days are derived from hours".to_owned(),
        ),
    };
    TableChoice { report_type, taken: table(grain), reason }
}

/// Names by stage: everyone comes after those whose output they take.
fn order(aggregators: &Aggregators) -> Result<Vec<Vec<String>>> {
    let mut stages: Vec<Vec<String>> = Vec::new();
    let mut placed: BTreeSet<String> = BTreeSet::new();
    while placed.len() < aggregators.len() {
        let ready: Vec<String> = aggregators
            .iter()
            .filter(|(name, aggregator)| {
                !placed.contains(*name)
                    && aggregator.inputs().iter().all(|input| match input.source {
                        Source::OutputOf(other) => placed.contains(other),
                        _ => true,
                    })
            })
            .map(|(name, _)| name.clone())
            .collect();
        if ready.is_empty() {
            return Err(Error::bug("some aggregators need each other, or one that is not there"));
        }
        placed.extend(ready.iter().cloned());
        stages.push(ready);
    }
    Ok(stages)
}

fn check_owned_rows(aggregators: &Aggregators, written: &[String]) -> Result<()> {
    let destinations: Vec<_> = written
        .iter()
        .filter_map(|name| aggregators.get(name).map(|aggregator| (name, aggregator)))
        .flat_map(|(name, aggregator)| {
            let outputs = aggregator.outputs();
            outputs.into_iter().filter_map(move |output| output.destination.map(|destination| (name, destination)))
        })
        .collect();
    for (index, (name, destination)) in destinations.iter().enumerate() {
        for (other_name, other) in &destinations[..index] {
            if destination.overlaps(other) {
                return Err(Error::bug(format!(
                    "`{name}` and `{other_name}` may own the same rows of {}",
                    other.table.name
                )));
            }
        }
    }
    Ok(())
}
