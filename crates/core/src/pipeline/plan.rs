//! What a run will do, as data. Pure: files were listed before, nothing is read here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aggregator::AnyAggregator;
use crate::catalog::{DataFile, DuplicateFile};
use crate::error::{Error, Result};
use crate::input::{Grain, Input, InputId, Selection, Source, TableName, TableOf, WantedColumn};
use crate::scope::{DateRange, Scope};

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

/// Selected aggregators by name, with those that they need; those of other sources by [`crate::member::name`].
pub type Aggregators = BTreeMap<String, Arc<dyn AnyAggregator>>;

/// Files by table.
pub type Listing = BTreeMap<TableOf, Vec<DataFile>>;

/// One table, read once, for everyone who needs it.
#[derive(Debug, Clone, Serialize)]
pub struct Scan {
    /// Uuid of the source, if it is another one than the run's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
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
    /// Uuid of the source, if it is another one than the run's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// Why, in words.
    pub reason: String,
}

/// What will happen.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// What the run covers.
    pub scope: Scope,
    /// What is computed once, of all days, before the first window; in the order of execution.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub surveys: Vec<Stage>,
    /// What each window goes through, in the order of execution.
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
    /// Where the days must be cut, if an aggregator says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub windows: Option<Vec<DateRange>>,
}

impl Plan {
    /// All tables that may be needed, to be listed before planning.
    pub fn tables(aggregators: &Aggregators, daily_tables: DailyTables) -> BTreeSet<TableOf> {
        let mut tables = BTreeSet::new();
        for aggregator in aggregators.values() {
            for input in aggregator.inputs() {
                let hourly = |report_type| input.table_of(report_type, Grain::Hourly);
                let daily = |report_type| input.table_of(report_type, Grain::Daily);
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
        let (surveys, others): (Vec<_>, Vec<_>) = aggregators.iter().partition(|(_, it)| it.is_survey());
        let mut planner =
            Planner { aggregators, listing, daily_tables, days: scope.days, chunk_rows, choices: BTreeSet::new() };
        let mut placed = BTreeSet::new();
        let surveys = planner.stages(order(&surveys, &mut placed)?);
        let stages = planner.stages(order(&others, &mut placed)?);
        let by_windows = aggregators.values().all(|aggregator| {
            let inputs = aggregator.inputs();
            let outputs = aggregator.outputs();
            !inputs.iter().any(|input| input.whole_partition)
                && !outputs.iter().filter_map(|output| output.destination.as_ref()).any(|to| to.left_alone_if_empty)
        });
        let windows = windows(aggregators, scope.days, by_windows)?;
        let choices = planner.choices.into_iter().collect();
        let duplicates = Vec::new();
        Ok(Self { scope, surveys, stages, choices, duplicates, written, by_windows, windows })
    }

    /// All stages, those of surveys first.
    pub fn all_stages(&self) -> impl Iterator<Item = &Stage> {
        self.surveys.iter().chain(&self.stages)
    }

    /// Number of files that will be opened, a file of two stages once.
    pub fn files(&self) -> usize {
        let paths: BTreeSet<&str> = self
            .all_stages()
            .flat_map(|stage| &stage.scans)
            .flat_map(|scan| scan.files.iter().map(|file| file.path.as_str()))
            .collect();
        paths.len()
    }
}

/// What stages are made from.
struct Planner<'a> {
    aggregators: &'a Aggregators,
    listing: &'a Listing,
    daily_tables: DailyTables,
    days: DateRange,
    chunk_rows: usize,
    choices: BTreeSet<TableChoice>,
}

impl Planner<'_> {
    fn stages(&mut self, names: Vec<Vec<String>>) -> Vec<Stage> {
        names.into_iter().map(|names| Stage { scans: self.scans(&names), aggregators: names }).collect()
    }

    /// The scans that feed these aggregators.
    fn scans(&mut self, names: &[String]) -> Vec<Scan> {
        // Rows of the asked days and rows of the partition are two scans: nobody should decode what they do not count.
        let mut scans: BTreeMap<(TableOf, bool), Scan> = BTreeMap::new();
        for name in names {
            for (id, input) in self.aggregators[name].inputs().into_iter().enumerate() {
                let Some(table) = self.table(&input) else { continue };
                let scan = scans.entry((table.clone(), input.whole_partition)).or_insert_with(|| Scan {
                    files: self.listing.get(&table).cloned().unwrap_or_default(),
                    of: table.of,
                    table: table.table,
                    selection: Selection {
                        time_column: input.time_column,
                        columns: Vec::new(),
                        days: (!input.whole_partition).then_some(self.days),
                        chunk_rows: self.chunk_rows,
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
        scans
    }

    /// The table that the input reads, if it reads one.
    fn table(&mut self, input: &Input) -> Option<TableOf> {
        match input.source {
            Source::Hourly(report_type) => Some(input.table_of(report_type, Grain::Hourly)),
            // Where only hourly files are to be read, a daily table counts as absent.
            Source::Daily(_) if self.daily_tables == DailyTables::Hourly => None,
            Source::Daily(report_type) => Some(input.table_of(report_type, Grain::Daily)),
            Source::DailyOrDerived(report_type) => {
                let (grain, choice) = choose(input, report_type, self.listing, self.daily_tables);
                self.choices.insert(choice);
                Some(input.table_of(report_type, grain))
            }
            Source::OutputOf(_) => None,
        }
    }
}

/// Where the days must be cut.
///
/// # Errors
/// `Config` if the aggregators cannot run together.
fn windows(aggregators: &Aggregators, days: DateRange, by_windows: bool) -> Result<Option<Vec<DateRange>>> {
    let mut all = aggregators.iter().filter_map(|(name, aggregator)| Some((name, aggregator.windows(days)?)));
    let Some((first, windows)) = all.next() else { return Ok(None) };
    let other = all.find(|(_, others)| *others != windows).map(|(name, _)| name.as_str());
    match other.or((!by_windows).then_some("one that takes the days as a whole")) {
        None => Ok(Some(windows)),
        Some(other) => {
            let message = format!("`{first}` cuts the days otherwise than {other}");
            Err(Error::config("aggregators.enabled", message).help("run them one after the other"))
        }
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

/// Which of the two tables of a report type is taken.
fn choose(
    input: &Input,
    report_type: &'static str,
    listing: &Listing,
    daily_tables: DailyTables,
) -> (Grain, TableChoice) {
    let daily_files = listing.get(&input.table_of(report_type, Grain::Daily)).map_or(0, Vec::len);
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
    let TableOf { of, table } = input.table_of(report_type, grain);
    (grain, TableChoice { report_type, taken: table, of, reason })
}

/// Names by stage: everyone comes after those whose output they take. `placed` are those that came before.
fn order(
    aggregators: &[(&String, &Arc<dyn AnyAggregator>)],
    placed: &mut BTreeSet<String>,
) -> Result<Vec<Vec<String>>> {
    let mut stages: Vec<Vec<String>> = Vec::new();
    let mut open = aggregators.to_vec();
    while !open.is_empty() {
        let is_ready = |aggregator: &Arc<dyn AnyAggregator>| {
            aggregator.inputs().iter().filter_map(Input::giver).all(|giver| placed.contains(&giver))
        };
        let (ready, waiting): (Vec<_>, Vec<_>) = open.into_iter().partition(|(_, aggregator)| is_ready(aggregator));
        if ready.is_empty() {
            return Err(Error::bug("some aggregators need each other, or one that is not there"));
        }
        let ready: Vec<String> = ready.into_iter().map(|(name, _)| name.clone()).collect();
        placed.extend(ready.iter().cloned());
        stages.push(ready);
        open = waiting;
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
        if destination.table.day_field.is_some() == destination.union.is_some() {
            let table = destination.table.name;
            return Err(Error::bug(format!(
                "`{name}` must unite its rows of {table} if, and only if, they have no day"
            )));
        }
        for (other_name, other) in &destinations[..index] {
            let is_shared = destination.table.name == other.table.name && destination.table.day_field.is_none();
            if is_shared || destination.overlaps(other) {
                return Err(Error::bug(format!(
                    "`{name}` and `{other_name}` may own the same rows of {}",
                    other.table.name
                )));
            }
        }
    }
    Ok(())
}
