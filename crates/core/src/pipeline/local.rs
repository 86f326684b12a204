//! Carries out a plan on this machine.
//!
//! The scope is cut at midnights into windows. A few windows are under way at once; each goes through all stages, and
//! its rows are given to the sink and freed while later windows are read, so memory follows a window and not the month.
//!
//! Bytes are fetched on the caller's async runtime, decoded and folded on a thread pool of `workers` threads. The unit
//! of work is a split. A fold borrows a state nobody else has, so there is no lock while rows are folded; states are
//! merged when the stage's input is used up. The order in which splits finish does not matter to a single bit of the
//! result: sums are exact, and every finish sorts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::budget::{Budget, Gauge};
use super::days::Survey;
use super::estimate::{self, Estimate};
use super::event::{CacheUse, Event, Observer, Report};
use super::parts::WindowDone;
use super::payloads;
use super::plan::{Aggregators, DailyTables, Listing, Plan, Stage};
use super::quarantine::{Quarantine, QuarantinedFile};
use super::recall::splits::Splits;
use super::recall::{Memory, Recall};
use super::stage::{self, Work as SplitOfScan, Workshop};
use super::threads::Threads;
use super::window;
use super::write::{self, Guard};
use crate::catalog::{Catalog, DuplicateFile};
use crate::error::{Error, ErrorKind, Result};
use crate::finding::{self, Finding};
use crate::input::Grain;
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
    /// Who knows how much memory the process has taken, if it may not have all that it likes.
    pub gauge: Option<Arc<dyn Gauge>>,
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
    /// Row groups fetched at once, at least 1: each takes open files.
    pub fetches_at_once: usize,
    /// Whether one window after the other is taken from its first row into the sink, and none ahead of it.
    pub frugal: bool,
    /// Daily tables or derived ones.
    pub daily_tables: DailyTables,
    /// What to do if there is nothing to read.
    pub empty_input: EmptyInput,
    /// Whether files that cannot be read are left out, and told, instead of ending the run.
    pub quarantine: bool,
    /// The part of a day's rows in the destination that may be lost, from 0 to 1: if an output has fewer rows for a day
    /// than that leaves, nothing is written.
    pub shrink_limit: f64,
}

/// What a run does if there is nothing to read. Whatever it is, it must not be an accident that clears a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmptyInput {
    /// It ends with `Empty`.
    Refuse,
    /// Files without rows are an input like any other, no file at all is none.
    AllowNoRows,
    /// The destination's days are emptied.
    Allow,
}

/// Lists the files and plans; reads nothing.
///
/// # Errors
/// What listing yields; `Empty` if no table has a file and that is not allowed.
pub async fn plan(scope: &Scope, wiring: &Wiring, options: &RunOptions) -> Result<Plan> {
    plan_without(&Quarantine::new(false), scope, wiring, options).await
}

/// The plan of a run that leaves out files, as if they had never been there.
async fn plan_without(quarantine: &Quarantine, scope: &Scope, wiring: &Wiring, options: &RunOptions) -> Result<Plan> {
    let mut listing = Listing::new();
    let mut duplicates = Vec::new();
    for table in Plan::tables(&wiring.aggregators, options.daily_tables) {
        let found = wiring.catalog.files(&table.table, &scope.of(table.of.as_deref())).await?;
        listing.insert(table, found.files);
        duplicates.extend(found.duplicates);
    }
    if listing.values().all(Vec::is_empty) && options.empty_input != EmptyInput::Allow {
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
    if options.daily_tables == DailyTables::Daily && options.empty_input != EmptyInput::Allow {
        check_daily(&listing)?;
    }
    quarantine.leave_out(&mut listing)?;
    let plan = Plan::new(
        scope.clone(),
        &wiring.aggregators,
        wiring.written.clone(),
        &listing,
        options.daily_tables,
        options.chunk_rows,
    )?;
    Ok(Plan { duplicates, ..plan })
}

/// Where only daily tables are read, and none has a file, hourly ones may well have: labels are hourly anyway.
fn check_daily(listing: &Listing) -> Result<()> {
    let mut daily = listing.iter().filter(|(table, _)| table.table.grain == Grain::Daily).peekable();
    if daily.peek().is_none() || daily.any(|(_, files)| !files.is_empty()) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Empty, "no daily file of any needed table was found, and reader.pods = daily")
        .help("reader.pods = auto makes daily rows of hourly files; --allow-empty writes an empty result on purpose"))
}

/// Checks the sink, then reads, folds, finishes and replaces. Until the commit nothing has changed, whatever happens.
///
/// # Errors
/// The first error in the order of windows, stages, tables, files and row groups, whatever the number of workers.
/// `Empty` if there is nothing to read, `Shrunk` if too few rows would replace too many.
pub async fn run(scope: &Scope, wiring: &Wiring, options: &RunOptions, observer: &dyn Observer) -> Result<Report> {
    let destinations = destinations(wiring);
    if destinations.is_empty() {
        return Err(Error::config("aggregators.enabled", "none of the enabled aggregators writes rows")
            .help("enable one that does, for instance pod"));
    }
    wiring.sink.check(scope, &destinations).await?;

    let mut quarantine = Quarantine::new(options.quarantine);
    let mut options = *options;
    loop {
        // What cannot be listed cannot be left out either.
        let plan = plan_without(&quarantine, scope, wiring, &options).await?;
        match attempt(plan, wiring, &options, observer).await {
            Err(error) if error.kind() == ErrorKind::Limit && !options.frugal => {
                observer.event(&Event::BeganAnew { reason: error.message() });
                options = options.frugal();
                wiring.gauge.iter().for_each(|gauge| gauge.give_back());
            }
            Err(error) => quarantine.take(error, observer)?,
            Ok(report) => return Ok(Report { quarantined: quarantine.files(), ..report }),
        }
    }
}

impl RunOptions {
    /// The same run in as little memory as it can do with.
    fn frugal(self) -> Self {
        const CHUNK_ROWS: usize = 4_096;
        const BYTES_IN_FLIGHT: u64 = 1 << 20;
        Self {
            mode: Mode::Serial,
            workers: 1,
            chunk_rows: self.chunk_rows.min(CHUNK_ROWS),
            window_rows: 0,
            bytes_in_flight: self.bytes_in_flight.min(BYTES_IN_FLIGHT),
            frugal: true,
            ..self
        }
    }
}

/// Carries out a plan.
async fn attempt(plan: Plan, wiring: &Wiring, options: &RunOptions, observer: &dyn Observer) -> Result<Report> {
    let scope = &plan.scope;
    observer.event(&Event::Planned { plan: &plan });
    let recall = wiring.memory.as_ref().map(|memory| Recall::new(memory, scope, observer));
    let recall = recall.as_ref();
    let splits_of = Splits::new(wiring.reader.as_ref(), recall).await?;
    let Work { surveyed, works, windows, workers, superseded } =
        work(&plan, &splits_of, options, recall.is_some()).await?;
    splits_of.keep().await?;
    let Threads { pool, workers, refused } = Threads::start(workers, pool);
    if let Some(reason) = &refused {
        observer.event(&Event::FewerThreads { workers, reason });
    }
    let splits = || works.iter().flatten().map(|work| work.split.as_ref());
    let rows = splits().map(|split| split.rows).sum();
    observer.event(&Event::Started { windows: windows.len(), splits: splits().count(), rows, workers });

    let workshop = workshop(wiring, options, pool, workers, observer, recall, windows.len());
    // The sink takes the rows of one window while the next ones are read. One window waits between the two.
    let (send, receive) = mpsc::channel(1);
    let survey = workshop.survey(&plan, surveyed).await?;
    // One more than there are workers: while one is finished and written, the others are folded.
    let windows_at_once = if options.frugal { 1 } else { workers + 1 };
    let reading = read(&plan, &works, &windows, &survey, windows_at_once, &workshop, send);
    let budget = &workshop.budget;
    let guard = Guard { budget, empty_input: options.empty_input, shrink_limit: options.shrink_limit };
    let writing = write::write(&plan, wiring, &guard, observer, receive);
    let ((), mut report) = futures::future::try_join(reading, writing).await?;
    report.files = plan.files() - superseded.len();
    report.findings.extend(plan.duplicates.iter().map(duplicate));
    report.findings.extend(superseded.into_values());
    report.findings = finding::merged(report.findings);
    report.splits = splits().count();
    if let Some(recall) = recall {
        recall.prune().await;
        report.cache = Some(CacheUse { windows: windows.len(), ..recall.counts() });
    }
    Ok(report)
}

fn duplicate(DuplicateFile { file, of }: &DuplicateFile) -> Finding {
    let (what, subject) = ("superseded: the same file under another name".into(), format!("{file} is {of}"));
    Finding { what, subject, amounts: Vec::new() }
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
    for scan in plan.all_stages().flat_map(|stage| &stage.scans) {
        for file in &scan.files {
            if !splits_of.knows(scan, file)? {
                new.insert(&file.path);
            }
        }
    }
    Ok(Some((plan.files() - new.len(), plan.files())))
}

/// What there is to do, with everything known that footers tell.
struct Work {
    /// The splits of each survey, for all days.
    surveyed: Vec<Vec<SplitOfScan>>,
    /// The splits of each stage, for all days.
    works: Vec<Vec<SplitOfScan>>,
    windows: Vec<DateRange>,
    workers: usize,
    /// Files whose splits are left out, and why.
    superseded: BTreeMap<String, Finding>,
}

async fn work(plan: &Plan, splits_of: &Splits<'_>, options: &RunOptions, is_remembered: bool) -> Result<Work> {
    let mut surveyed = works(&plan.surveys, splits_of).await?;
    let mut works = works(&plan.stages, splits_of).await?;
    let superseded = payloads::supersede(surveyed.iter_mut().chain(&mut works), splits_of).await?;
    let splits = || works.iter().flatten().map(|work| work.split.as_ref());
    // What is remembered is remembered by day: windows of several days would move with every file that comes.
    let window_rows = if is_remembered { 0 } else { options.window_rows };
    let windows = match &plan.windows {
        Some(windows) => windows.clone(),
        None if plan.by_windows => window::cut(plan.scope.days, splits(), window_rows),
        None => vec![plan.scope.days],
    };
    let rows = splits().map(|split| split.rows).sum();
    let workers = options.mode.workers(options.workers, rows);
    Ok(Work { surveyed, works, windows, workers, superseded })
}

/// What the plan will take. Reads footers.
///
/// # Errors
/// The first in the order of tables and files.
pub async fn estimate(plan: &Plan, wiring: &Wiring, options: &RunOptions) -> Result<Estimate> {
    let recall = wiring.memory.as_ref().map(|memory| Recall::new(memory, &plan.scope, &Unheard));
    let splits_of = Splits::new(wiring.reader.as_ref(), recall.as_ref()).await?;
    let Work { works, windows, workers, .. } = work(plan, &splits_of, options, recall.is_some()).await?;
    Ok(estimate::estimate(&works, &windows, workers, options.chunk_rows))
}

/// What a run will do, and what that takes.
#[derive(Debug)]
pub struct Forecast {
    /// What is read and computed.
    pub plan: Plan,
    /// What it will take.
    pub estimate: Estimate,
    /// Files that the run will leave out, as far as that shows in their footers.
    pub quarantined: Vec<QuarantinedFile>,
}

/// Plans a run and estimates what it will take. Reads footers.
///
/// # Errors
/// As for [`plan`] and [`estimate`], except for files that the run may leave out.
pub async fn forecast(
    scope: &Scope,
    wiring: &Wiring,
    options: &RunOptions,
    observer: &dyn Observer,
) -> Result<Forecast> {
    let mut quarantine = Quarantine::new(options.quarantine);
    loop {
        let plan = plan_without(&quarantine, scope, wiring, options).await?;
        match estimate(&plan, wiring, options).await {
            Ok(estimate) => return Ok(Forecast { plan, estimate, quarantined: quarantine.files() }),
            Err(error) => quarantine.take(error, observer)?,
        }
    }
}

/// The splits of each stage, for all days.
async fn works(stages: &[Stage], splits_of: &Splits<'_>) -> Result<Vec<Vec<SplitOfScan>>> {
    let mut works = Vec::with_capacity(stages.len());
    for stage in stages {
        works.push(stage::works(stage, splits_of).await?);
    }
    Ok(works)
}

struct Unheard;

impl Observer for Unheard {
    fn event(&self, _: &Event<'_>) {}
}

fn workshop<'a>(
    wiring: &'a Wiring,
    options: &RunOptions,
    pool: Option<rayon::ThreadPool>,
    workers: usize,
    observer: &'a dyn Observer,
    recall: Option<&'a Recall<'a>>,
    windows: usize,
) -> Workshop<'a> {
    const KIB: u64 = 1 << 10;
    let most_in_flight = u32::try_from((options.bytes_in_flight / KIB).max(1)).unwrap_or(u32::MAX >> 3);
    Workshop {
        wiring,
        observer,
        pool: pool.map(Arc::new),
        in_flight: Semaphore::new(most_in_flight as usize),
        fetching: Semaphore::new(options.fetches_at_once.clamp(1, Semaphore::MAX_PERMITS)),
        most_of_a_split: most_in_flight / u32::try_from(workers).unwrap_or(u32::MAX).max(1),
        // Where windows suffice to occupy the workers, each window is folded into one state and nothing is merged. Of
        // windows that are remembered there may be one that is not.
        folds_at_once: if recall.is_some() { workers } else { workers.div_ceil(windows) },
        recall,
        budget: Budget::new(wiring.gauge.clone()),
    }
}

fn pool(threads: usize) -> Result<rayon::ThreadPool, rayon::ThreadPoolBuildError> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(|index| format!("fold-{index}")).build()
}

/// What a window came to, on its way to the sink.
pub(super) struct Window {
    pub(super) done: WindowDone,
    /// Given back when the rows are with the sink and freed.
    pub(super) _in_memory: OwnedSemaphorePermit,
}

/// Takes each window through all stages and hands it over, in order.
async fn read(
    plan: &Plan,
    works: &[Vec<SplitOfScan>],
    windows: &[DateRange],
    survey: &Survey,
    at_once: usize,
    workshop: &Workshop<'_>,
    to: mpsc::Sender<Window>,
) -> Result<()> {
    let in_memory = Arc::new(Semaphore::new(at_once));
    let in_memory = &in_memory;
    let mut under_way = futures::stream::iter(windows.iter().map(|days| async move {
        let permit = Arc::clone(in_memory).acquire_owned().await;
        let permit = permit.map_err(|_| Error::bug("nobody closes the number of windows"))?;
        let done = workshop.days(plan, works, *days, survey).await?;
        Ok::<_, Error>(Window { done, _in_memory: permit })
    }))
    .buffered(at_once);
    while let Some(window) = under_way.next().await {
        // Nobody listens any more only if the sink failed, and then its error is the one that counts.
        if to.send(window?).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// The outputs of the enabled aggregators that have a destination.
fn destinations(wiring: &Wiring) -> Vec<Output> {
    let outputs = wiring.written.iter().filter_map(|name| wiring.aggregators.get(name)).flat_map(|it| it.outputs());
    outputs.filter(|output| output.destination.is_some()).collect()
}
