//! Carries out a plan on this machine.
//!
//! The scope is cut at midnights into windows. A few windows are under way at once; each goes through all stages, and
//! its rows are given to the sink and freed while later windows are read, so memory follows a window and not the month.
//!
//! Bytes are fetched on the caller's async runtime, decoded and folded on a thread pool of `workers` threads. The unit
//! of work is a split. A fold borrows a state nobody else has, so there is no lock while rows are folded; states are
//! merged when the stage's input is used up. The order in which splits finish does not matter to a single bit of the
//! result: sums are exact, and every finish sorts.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Date32Type;
use futures::StreamExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::days::DaysDone;
use super::event::{CacheUse, Event, Observer, OutputRows, Report};
use super::plan::{Aggregators, DailyTables, Listing, Plan};
use super::recall::splits::Splits;
use super::recall::{Memory, Recall};
use super::stage::{self, Work, Workshop};
use super::window;
use crate::catalog::Catalog;
use crate::error::{Error, ErrorKind, Result};
use crate::finding::Finding;
use crate::output::Output;
use crate::reader::Reader;
use crate::scope::{DateRange, Scope};
use crate::sink::Sink;

/// The plugins of a run.
#[derive(Clone)]
pub struct Wiring {
    /// Where the files are.
    pub catalog: Arc<dyn Catalog>,
    /// How they are read.
    pub reader: Arc<dyn Reader>,
    /// What is computed: the selected aggregators and those that they need.
    pub aggregators: Aggregators,
    /// Whose rows are written.
    pub written: Vec<String>,
    /// Where rows go.
    pub sink: Arc<dyn Sink>,
    /// What is remembered of earlier runs, if anything is to be.
    pub memory: Option<Memory>,
}

/// Whether a run has threads of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// If there is more than one worker, and enough rows that starting them pays.
    #[default]
    Auto,
    /// Everything on the thread that drives the run, one row group after the other.
    Serial,
    /// Row groups are decoded and folded by `workers` threads.
    Parallel,
}

impl Mode {
    /// Threads for so many rows; 1 for none but the one that drives the run.
    fn workers(self, most: usize, rows: u64) -> usize {
        /// Fewer rows are folded before threads have started.
        const WORTH_THREADS: u64 = 65_536;
        match self {
            Self::Auto if rows < WORTH_THREADS => 1,
            Self::Serial => 1,
            Self::Auto | Self::Parallel => most,
        }
    }
}

/// How a run goes about it. None of it changes a bit of the result, except `daily_tables` (spec § 12).
#[derive(Debug, Clone, Copy)]
pub struct RunOptions {
    /// Whether there are threads that decode and fold.
    pub mode: Mode,
    /// So many of them at most, at least 1.
    pub workers: usize,
    /// Rows per chunk, at least 1.
    pub chunk_rows: usize,
    /// Rows that are worth a window of their own: days of small clusters are taken together until they have so many.
    pub window_rows: u64,
    /// Fetched bytes that are not folded yet; splits that are larger than a worker's part count for that part.
    pub bytes_in_flight: u64,
    /// Daily tables or derived ones.
    pub daily_tables: DailyTables,
    /// Whether a scope without a single file is written as empty.
    pub allow_empty: bool,
}

/// Lists the files and plans; reads nothing.
///
/// # Errors
/// What listing yields; `Empty` if no table has a file and `allow_empty` is off.
pub async fn plan(scope: &Scope, wiring: &Wiring, options: &RunOptions) -> Result<Plan> {
    let mut listing = Listing::new();
    for table in Plan::tables(&wiring.aggregators, options.daily_tables) {
        let files = wiring.catalog.files(&table, scope).await?;
        listing.insert(table, files);
    }
    if listing.values().all(Vec::is_empty) && !options.allow_empty {
        return Err(Error::new(
            ErrorKind::Empty,
            format!(
                "no file of any needed table was found for source {} in {:04}-{:02}",
                scope.source_uuid,
                scope.days.year(),
                scope.days.month()
            ),
        )
        .help("check store.url, scope.org and scope.source_uuid; --allow-empty writes an empty result on purpose"));
    }
    Plan::new(
        scope.clone(),
        &wiring.aggregators,
        wiring.written.clone(),
        &listing,
        options.daily_tables,
        options.chunk_rows,
    )
}

/// Checks the sink, then reads, folds, finishes and replaces. Until the commit nothing has changed, whatever happens.
///
/// # Errors
/// The first error in the order of windows, stages, tables, files and row groups, whatever the number of workers.
pub async fn run(scope: &Scope, wiring: &Wiring, options: &RunOptions, observer: &dyn Observer) -> Result<Report> {
    let destinations = destinations(wiring);
    if destinations.is_empty() {
        return Err(Error::config("aggregators.enabled", "none of the enabled aggregators writes rows")
            .help("enable one that does, for instance pod"));
    }
    wiring.sink.check(scope, &destinations).await?;

    let plan = plan(scope, wiring, options).await?;
    observer.event(&Event::Planned { plan: &plan });
    let recall = wiring.memory.as_ref().map(|memory| Recall::new(memory, scope, observer));
    let recall = recall.as_ref();
    let splits_of = Splits::new(wiring.reader.as_ref(), recall).await?;
    let mut works = Vec::with_capacity(plan.stages.len());
    for stage in &plan.stages {
        works.push(stage::works(stage, &splits_of).await?);
    }
    splits_of.keep().await?;
    let splits = || works.iter().flatten().map(|work| work.split.as_ref());
    // What is remembered is remembered by day: windows of several days would move with every file that comes.
    let window_rows = if recall.is_some() { 0 } else { options.window_rows };
    let windows = if plan.by_windows { window::cut(scope.days, splits(), window_rows) } else { vec![scope.days] };
    let rows = splits().map(|split| split.rows).sum();
    let workers = options.mode.workers(options.workers, rows);
    observer.event(&Event::Started { windows: windows.len(), splits: splits().count(), rows, workers });

    let workshop = workshop(wiring, options, workers, observer, recall, windows.len())?;
    // The sink takes the rows of one window while the next ones are read. One window waits between the two.
    let (send, receive) = mpsc::channel(1);
    let reading = read(&plan, &works, &windows, workers, &workshop, send);
    let writing = write(&plan, wiring, observer, receive);
    let ((), mut report) = futures::future::try_join(reading, writing).await?;
    report.files = plan.files();
    report.splits = splits().count();
    if let Some(recall) = recall {
        recall.prune().await;
        report.cache = Some(CacheUse { windows: windows.len(), ..recall.counts() });
    }
    Ok(report)
}

/// How many files of the plan were opened by an earlier run, and how many there are; `None` without a memory.
///
/// # Errors
/// `Bug` only.
pub async fn known_files(plan: &Plan, wiring: &Wiring) -> Result<Option<(usize, usize)>> {
    let Some(memory) = &wiring.memory else { return Ok(None) };
    let recall = Recall::new(memory, &plan.scope, &Unheard);
    let splits_of = Splits::new(wiring.reader.as_ref(), Some(&recall)).await?;
    let mut new = BTreeSet::new();
    for scan in plan.stages.iter().flat_map(|stage| &stage.scans) {
        for file in &scan.files {
            if !splits_of.knows(scan, file)? {
                new.insert(&file.path);
            }
        }
    }
    Ok(Some((plan.files() - new.len(), plan.files())))
}

struct Unheard;

impl Observer for Unheard {
    fn event(&self, _: &Event<'_>) {}
}

fn workshop<'a>(
    wiring: &'a Wiring,
    options: &RunOptions,
    workers: usize,
    observer: &'a dyn Observer,
    recall: Option<&'a Recall<'a>>,
    windows: usize,
) -> Result<Workshop<'a>> {
    const KIB: u64 = 1 << 10;
    let pool = || {
        rayon::ThreadPoolBuilder::new()
            .num_threads(workers)
            .thread_name(|index| format!("fold-{index}"))
            .build()
            .map_err(|error| Error::bug(format!("no threads to fold on: {error}")))
    };
    let most_in_flight = u32::try_from((options.bytes_in_flight / KIB).max(1)).unwrap_or(u32::MAX >> 3);
    Ok(Workshop {
        wiring,
        observer,
        pool: if workers > 1 { Some(Arc::new(pool()?)) } else { None },
        in_flight: Semaphore::new(most_in_flight as usize),
        most_of_a_split: most_in_flight / u32::try_from(workers).unwrap_or(u32::MAX).max(1),
        // Where windows suffice to occupy the workers, each window is folded into one state and nothing is merged. Of
        // windows that are remembered there may be one that is not.
        folds_at_once: if recall.is_some() { workers } else { workers.div_ceil(windows) },
        recall,
    })
}

/// What a window came to.
struct Window {
    done: DaysDone,
    /// Given back when the rows are with the sink and freed.
    _in_memory: OwnedSemaphorePermit,
}

/// Takes each window through all stages and hands it over, in order.
async fn read(
    plan: &Plan,
    works: &[Vec<Work>],
    windows: &[DateRange],
    workers: usize,
    workshop: &Workshop<'_>,
    to: mpsc::Sender<Window>,
) -> Result<()> {
    // One more than there are workers: while one is finished and written, the others are folded.
    let in_memory = Arc::new(Semaphore::new(workers + 1));
    let in_memory = &in_memory;
    let mut under_way = futures::stream::iter(windows.iter().map(|days| async move {
        let permit = Arc::clone(in_memory).acquire_owned().await;
        let permit = permit.map_err(|_| Error::bug("nobody closes the number of windows"))?;
        let done = workshop.days(plan, works, *days).await?;
        Ok::<_, Error>(Window { done, _in_memory: permit })
    }))
    .buffered(workers + 1);
    while let Some(window) = under_way.next().await {
        // Nobody listens any more only if the sink failed, and then its error is the one that counts.
        if to.send(window?).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Gives the rows of each window to the sink, and commits after the last.
async fn write(
    plan: &Plan,
    wiring: &Wiring,
    observer: &dyn Observer,
    mut from: mpsc::Receiver<Window>,
) -> Result<Report> {
    let mut report = Report::default();
    let mut replacement = None;
    while let Some(Window { mut done, _in_memory }) = from.recv().await {
        report.rows_in += done.rows_in;
        let mut rows_of: Vec<(&String, Output, RecordBatch)> = Vec::new();
        for name in &plan.written {
            let Some(finished) = done.finished.remove(name) else { continue };
            report.findings.extend(finished.findings);
            let outputs = wiring.aggregators[name].outputs().into_iter().zip(finished.outputs);
            rows_of.extend(outputs.filter(|(output, rows)| is_written(output, rows)).map(|(o, rows)| (name, o, rows)));
        }
        // Begun with the first window, so that a run whose first rows are unusable does not touch the destination.
        if replacement.is_none() {
            let outputs: Vec<Output> = rows_of.iter().map(|(_, output, _)| output.clone()).collect();
            replacement = Some(wiring.sink.begin(&plan.scope, &outputs).await?);
        }
        for (name, output, rows) in &rows_of {
            count_rows(&mut report, name, output, rows.num_rows() as u64);
        }
        // Day by day, so that the order of rows does not show where the windows were cut.
        for (output, rows) in by_days(&rows_of) {
            if let Some(replacement) = &mut replacement {
                replacement.append(output, &rows).await?;
            }
        }
    }
    let Some(replacement) = replacement else { return Err(Error::bug("a scope has no window")) };
    observer.event(&Event::Committing);
    report.receipt = replacement.commit().await?;
    observer.event(&Event::Committed { receipt: &report.receipt });
    sort(&mut report.findings);
    Ok(report)
}

/// The rows of each day in the order of days, there in the order of outputs.
fn by_days<'a>(rows_of: &'a [(&String, Output, RecordBatch)]) -> Vec<(&'a Output, RecordBatch)> {
    let mut slices: BTreeMap<(Option<i32>, usize, usize), (&Output, RecordBatch)> = BTreeMap::new();
    for (position, (_, output, rows)) in rows_of.iter().enumerate() {
        let day_field = output.destination.as_ref().map_or("", |to| to.table.day_field);
        let days = rows.column_by_name(day_field).and_then(|days| days.as_primitive_opt::<Date32Type>());
        let day = |row: usize| days.map(|days| days.value(row));
        let mut start = 0;
        for end in 1..=rows.num_rows() {
            if end == rows.num_rows() || day(end) != day(start) {
                slices.insert((day(start), position, start), (output, rows.slice(start, end - start)));
                start = end;
            }
        }
    }
    slices.into_values().collect()
}

fn is_written(output: &Output, rows: &RecordBatch) -> bool {
    output.destination.as_ref().is_some_and(|to| !to.left_alone_if_empty || rows.num_rows() > 0)
}

fn count_rows(report: &mut Report, aggregator: &str, output: &Output, rows: u64) {
    let table = output.destination.as_ref().map_or("", |to| to.table.name);
    match report.outputs.iter_mut().find(|known| known.aggregator == aggregator && known.table == table) {
        Some(known) => known.rows += rows,
        None => report.outputs.push(OutputRows { aggregator: aggregator.to_owned(), table: table.to_owned(), rows }),
    }
}

/// By what and subject: an order that does not show where the windows were cut.
fn sort(findings: &mut [Finding]) {
    findings.sort_by(|left, right| (&left.what, &left.subject).cmp(&(&right.what, &right.subject)));
}

/// The outputs of the enabled aggregators that have a destination.
fn destinations(wiring: &Wiring) -> Vec<Output> {
    let outputs = wiring.written.iter().filter_map(|name| wiring.aggregators.get(name)).flat_map(|it| it.outputs());
    outputs.filter(|output| output.destination.is_some()).collect()
}
