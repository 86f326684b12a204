//! Carries out a plan on this machine.
//!
//! Bytes are fetched on the caller's async runtime, decoded and folded on a thread pool of `workers` threads. The unit
//! of work is a split. A fold borrows a state nobody else has, so there is no lock while rows are folded; states are
//! merged when the stage's input is used up. The order in which splits finish does not matter to a single bit of the
//! result: sums are exact, and every finish sorts.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use futures::StreamExt;
use tokio::sync::oneshot;

use crate::aggregator::{AnyState, Fold};
use crate::catalog::Catalog;
use crate::chunk::Chunk;
use crate::error::{Error, ErrorKind, Place, Result};
use crate::finding::Finished;
use crate::input::{InputId, Selection, Source, TableName};
use crate::output::Output;
use crate::pipeline::event::{Event, Observer, OutputRows, Report};
use crate::pipeline::plan::{Aggregators, DailyTables, Listing, Plan, Scan, Stage};
use crate::reader::{ChunkDecoder, Reader, Split};
use crate::scope::Scope;
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
}

/// How a run goes about it. None of it changes a bit of the result, except `daily_tables` (spec § 12).
#[derive(Debug, Clone, Copy)]
pub struct RunOptions {
    /// Threads that decode and fold, at least 1.
    pub workers: usize,
    /// Rows per chunk, at least 1.
    pub chunk_rows: usize,
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
/// The first error in the order of stages, tables, files and row groups, whatever the number of workers.
pub async fn run(scope: &Scope, wiring: &Wiring, options: &RunOptions, observer: &dyn Observer) -> Result<Report> {
    let destinations = destinations(wiring);
    if destinations.is_empty() {
        return Err(Error::config("aggregators.enabled", "none of the enabled aggregators writes rows")
            .help("enable one that does, for instance pod"));
    }
    wiring.sink.check(scope, &destinations).await?;

    let plan = plan(scope, wiring, options).await?;
    observer.event(&Event::Planned { plan: &plan });
    let pool = Arc::new(
        rayon::ThreadPoolBuilder::new()
            .num_threads(options.workers)
            .thread_name(|index| format!("fold-{index}"))
            .build()
            .map_err(|error| Error::bug(format!("no threads to fold on: {error}")))?,
    );

    let mut finished: BTreeMap<String, Finished> = BTreeMap::new();
    let mut splits = 0;
    let mut rows_in = 0;
    for (index, stage) in plan.stages.iter().enumerate() {
        let done = run_stage(index, stage, wiring, &pool, options.workers, &finished, observer).await?;
        splits += done.splits;
        rows_in += done.rows_in;
        finished.extend(done.finished);
    }

    let mut written: Vec<(String, Output, RecordBatch)> = Vec::new();
    let mut findings = Vec::new();
    for name in &wiring.written {
        let Some(of_aggregator) = finished.remove(name) else { continue };
        findings.extend(of_aggregator.findings);
        let outputs = wiring.aggregators[name].outputs().into_iter();
        for (output, rows) in outputs.zip(of_aggregator.outputs) {
            let Some(destination) = &output.destination else { continue };
            if !destination.left_alone_if_empty || rows.num_rows() > 0 {
                written.push((name.clone(), output, rows));
            }
        }
    }

    let outputs: Vec<Output> = written.iter().map(|(_, output, _)| output.clone()).collect();
    let mut replacement = wiring.sink.begin(scope, &outputs).await?;
    let mut rows_out = Vec::new();
    for (aggregator, output, rows) in written {
        replacement.append(&output, &rows).await?;
        let table = output.destination.map_or_else(String::new, |to| to.table.name.to_owned());
        rows_out.push(OutputRows { aggregator, table, rows: rows.num_rows() as u64 });
    }
    observer.event(&Event::Committing);
    let receipt = replacement.commit().await?;
    observer.event(&Event::Committed { receipt: &receipt });
    Ok(Report { files: plan.files(), splits, rows_in, outputs: rows_out, findings, receipt })
}

/// The outputs of the enabled aggregators that have a destination.
fn destinations(wiring: &Wiring) -> Vec<Output> {
    let outputs = wiring.written.iter().filter_map(|name| wiring.aggregators.get(name)).flat_map(|it| it.outputs());
    outputs.filter(|output| output.destination.is_some()).collect()
}

struct StageDone {
    splits: usize,
    rows_in: u64,
    finished: BTreeMap<String, Finished>,
}

/// A split and the scan that it belongs to.
struct Work {
    split: Split,
    table: TableName,
    selection: Arc<Selection>,
    feeds: Arc<[(usize, InputId)]>,
}

/// A state of each aggregator of the stage.
type States = Vec<AnyState>;

async fn run_stage(
    index: usize,
    stage: &Stage,
    wiring: &Wiring,
    pool: &Arc<rayon::ThreadPool>,
    workers: usize,
    finished: &BTreeMap<String, Finished>,
    observer: &dyn Observer,
) -> Result<StageDone> {
    let folds: Arc<[Arc<dyn Fold>]> = prepare(stage, wiring, finished)?.into();
    let works = splits_of(stage, wiring.reader.as_ref()).await?;
    observer.event(&Event::StageStarted {
        stage: index,
        splits: works.len(),
        rows: works.iter().map(|work| work.split.rows).sum(),
    });

    let idle: Arc<Mutex<Vec<States>>> = Arc::default();
    let splits = works.len();
    let mut rows_in = 0;
    {
        let mut folding = futures::stream::iter(works.into_iter().map(|work| {
            let (folds, idle, pool) = (Arc::clone(&folds), Arc::clone(&idle), Arc::clone(pool));
            let reader = Arc::clone(&wiring.reader);
            async move {
                let decoder = reader.fetch(&work.split, &work.selection).await?;
                let (send, receive) = oneshot::channel();
                let (file, row_group) = (work.split.file.shown.clone(), work.split.row_group);
                pool.spawn(move || {
                    // The receiver is gone only when the run was cancelled.
                    let _ = send.send(fold_split(&work, decoder, &folds, &idle));
                });
                let counts = receive.await.map_err(|_| Error::bug("a fold ended without a word"))??;
                Ok::<_, Error>((file, row_group, counts))
            }
        }))
        // One split is fetched ahead for each that is folded. `buffered` keeps the order, so that the error that is
        // reported is the first one in the order of the splits.
        .buffered(workers * 2);
        while let Some(result) = folding.next().await {
            let (file, row_group, counts) = result?;
            rows_in += counts.in_scope;
            observer.event(&Event::SplitFolded {
                stage: index,
                file: &file,
                row_group,
                rows: counts.decoded,
                rows_in_scope: counts.in_scope,
            });
        }
    }

    let all_states = std::mem::take(&mut *idle.lock().unwrap_or_else(PoisonError::into_inner));
    let finished = finish(stage, &folds, all_states, observer)?;
    Ok(StageDone { splits, rows_in, finished })
}

fn prepare(stage: &Stage, wiring: &Wiring, finished: &BTreeMap<String, Finished>) -> Result<Vec<Arc<dyn Fold>>> {
    let prepare = |name: &String| {
        let aggregator = Arc::clone(&wiring.aggregators[name]);
        let handovers = aggregator
            .inputs()
            .iter()
            .filter_map(|input| match input.source {
                Source::OutputOf(other) => Some(
                    finished
                        .get(other)
                        .and_then(|finished| finished.outputs.first().cloned())
                        .ok_or_else(|| Error::bug(format!("`{other}` handed nothing over to `{name}`"))),
                ),
                _ => None,
            })
            .collect::<Result<_>>()?;
        aggregator.prepare(handovers)
    };
    stage.aggregators.iter().map(prepare).collect()
}

async fn splits_of(stage: &Stage, reader: &dyn Reader) -> Result<Vec<Work>> {
    /// Footers read at once.
    const FOOTERS_AT_ONCE: usize = 8;
    let mut works = Vec::new();
    for scan in &stage.scans {
        let selection = Arc::new(scan.selection.clone());
        let feeds = positions(stage, scan);
        let mut of_files = futures::stream::iter(scan.files.iter().map(|file| {
            let place = place_of(&scan.table, &file.shown, None);
            let selection = &selection;
            async move { reader.splits(file, selection).await.map_err(|error| error.at(&place)) }
        }))
        .buffered(FOOTERS_AT_ONCE);
        while let Some(splits) = of_files.next().await {
            works.extend(splits?.into_iter().map(|split| Work {
                split,
                table: scan.table.clone(),
                selection: Arc::clone(&selection),
                feeds: Arc::clone(&feeds),
            }));
        }
    }
    Ok(works)
}

/// Whom a scan feeds, by position in the stage.
fn positions(stage: &Stage, scan: &Scan) -> Arc<[(usize, InputId)]> {
    scan.feeds
        .iter()
        .filter_map(|(name, input)| Some((stage.aggregators.iter().position(|other| other == name)?, *input)))
        .collect()
}

fn place_of(table: &TableName, file: &str, row_group: Option<usize>) -> Place {
    Place { table: Some(table.to_string()), file: Some(file.to_owned()), row_group, column: None }
}

/// Rows of a split.
#[derive(Default)]
struct Counts {
    decoded: u64,
    in_scope: u64,
}

fn fold_split(
    work: &Work,
    decoder: ChunkDecoder,
    folds: &[Arc<dyn Fold>],
    idle: &Mutex<Vec<States>>,
) -> Result<Counts> {
    let place = place_of(&work.table, &work.split.file.shown, Some(work.split.row_group));
    let borrowed = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut states = borrowed.unwrap_or_else(|| folds.iter().map(|fold| fold.start()).collect());
    // A panic of ours on a pool thread must end the run, not the program.
    let counts = std::panic::catch_unwind(AssertUnwindSafe(|| fold_chunks(work, decoder, folds, &mut states, &place)))
        .unwrap_or_else(|panic| Err(Error::bug(format!("folding gave up: {}", said(panic.as_ref())))))
        .map_err(|error| error.at(&place))?;
    idle.lock().unwrap_or_else(PoisonError::into_inner).push(states);
    Ok(counts)
}

fn fold_chunks(
    work: &Work,
    mut decoder: ChunkDecoder,
    folds: &[Arc<dyn Fold>],
    states: &mut States,
    place: &Place,
) -> Result<Counts> {
    let mut counts = Counts::default();
    // A decoder that panics on a malformed file is that file's error.
    let mut next = || {
        std::panic::catch_unwind(AssertUnwindSafe(|| decoder.next())).unwrap_or_else(|panic| {
            let message = format!("the file could not be decoded: {}", said(panic.as_ref()));
            Some(Err(Error::new(ErrorKind::Parquet, message)))
        })
    };
    while let Some(batch) = next() {
        let batch = batch?;
        counts.decoded += batch.num_rows() as u64;
        let chunk =
            Chunk { batch, time_column: work.selection.time_column, table: work.table.clone(), place: place.clone() }
                .within(work.selection.days.as_ref())?;
        counts.in_scope += chunk.batch.num_rows() as u64;
        for (position, input) in work.feeds.iter() {
            folds[*position].fold(&mut states[*position], *input, &chunk)?;
        }
    }
    Ok(counts)
}

/// The message of a panic.
fn said(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason was given")
}

fn finish(
    stage: &Stage,
    folds: &[Arc<dyn Fold>],
    all_states: Vec<States>,
    observer: &dyn Observer,
) -> Result<BTreeMap<String, Finished>> {
    let mut merged: States = folds.iter().map(|fold| fold.start()).collect();
    for states in all_states {
        for (position, state) in states.into_iter().enumerate() {
            folds[position].merge(&mut merged[position], state)?;
        }
    }
    let mut finished = BTreeMap::new();
    for ((name, fold), state) in stage.aggregators.iter().zip(folds).zip(merged) {
        let of_aggregator = fold.finish(state)?;
        observer.event(&Event::Finished {
            aggregator: name,
            rows: of_aggregator.outputs.iter().map(|rows| rows.num_rows() as u64).sum(),
            findings: &of_aggregator.findings,
        });
        finished.insert(name.clone(), of_aggregator);
    }
    Ok(finished)
}
