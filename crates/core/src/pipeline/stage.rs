//! Folds one stage of one window: splits are fetched, decoded, folded into states that are nobody else's, merged and
//! finished.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use tokio::sync::{Semaphore, oneshot};

use super::event::{Event, Observer};
use super::local::Wiring;
use super::plan::{Scan, Stage};
use crate::aggregator::{AnyState, Fold};
use crate::chunk::Chunk;
use crate::error::{Error, ErrorKind, Place, Result};
use crate::finding::Finished;
use crate::input::{InputId, Selection, Source, TableName};
use crate::reader::{ChunkDecoder, Reader, Split};
use crate::scope::DateRange;

/// A split and the scan that it belongs to.
#[derive(Clone)]
pub(super) struct Work {
    pub(super) split: Arc<Split>,
    table: TableName,
    selection: Arc<Selection>,
    feeds: Arc<[(usize, InputId)]>,
}

/// The splits of a stage for all days, in the order of tables, files and row groups.
///
/// # Errors
/// The first in that order.
pub(super) async fn works(stage: &Stage, reader: &dyn Reader) -> Result<Vec<Work>> {
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
                split: Arc::new(split),
                table: scan.table.clone(),
                selection: Arc::clone(&selection),
                feeds: Arc::clone(&feeds),
            }));
        }
    }
    Ok(works)
}

/// Those of `works` that may hold rows of `days`, with selections that want no other rows.
pub(super) fn of_window(works: &[Work], days: DateRange) -> Vec<Work> {
    let asked = days.nanoseconds();
    let mut selections: BTreeMap<*const Selection, Arc<Selection>> = BTreeMap::new();
    let inside = works.iter().filter(|work| {
        work.split.instants.is_none_or(|(least, most)| least < asked.end && most >= asked.start)
            || work.selection.days.is_none()
    });
    inside
        .map(|work| {
            let narrow = || match work.selection.days {
                Some(_) => Arc::new(Selection { days: Some(days), ..work.selection.as_ref().clone() }),
                None => Arc::clone(&work.selection),
            };
            let selection = selections.entry(Arc::as_ptr(&work.selection)).or_insert_with(narrow);
            Work { selection: Arc::clone(selection), ..work.clone() }
        })
        .collect()
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

/// What all windows share.
pub(super) struct Workshop<'a> {
    pub(super) wiring: &'a Wiring,
    pub(super) observer: &'a dyn Observer,
    /// Where is decoded, folded and finished; `None` for the thread that drives the run.
    pub(super) pool: Option<Arc<rayon::ThreadPool>>,
    /// KiB of fetched bytes that are not folded yet.
    pub(super) in_flight: Semaphore,
    /// What a split counts for at most.
    pub(super) most_of_a_split: u32,
    /// Splits of one window that are folded at once.
    pub(super) folds_at_once: usize,
}

/// What a stage of a window came to.
pub(super) struct StageDone {
    pub(super) rows_in: u64,
    pub(super) finished: BTreeMap<String, Finished>,
}

/// A state of each aggregator of the stage.
type States = Vec<AnyState>;

impl Workshop<'_> {
    /// Folds `works` and finishes the stage's aggregators. `finished` is what earlier stages came to.
    ///
    /// # Errors
    /// The first in the order of `works`, whatever the number of workers.
    pub(super) async fn run_stage(
        &self,
        stage: &Stage,
        works: Vec<Work>,
        finished: &BTreeMap<String, Finished>,
    ) -> Result<StageDone> {
        let folds: Arc<[Arc<dyn Fold>]> = self.prepare(stage, finished)?.into();
        let idle: Arc<Mutex<Vec<States>>> = Arc::default();
        let folds_at_once = Semaphore::new(self.folds_at_once);
        let mut rows_in = 0;
        // One split is fetched ahead of those that are folded. `buffered` keeps the order, so that the error that is
        // told is the first one in the order of the splits.
        let mut folding =
            futures::stream::iter(works.into_iter().map(|work| self.fold(work, &folds, &folds_at_once, &idle)))
                .buffered(self.folds_at_once + 1);
        while let Some(rows) = folding.next().await {
            rows_in += rows?;
        }
        drop(folding);
        let states = std::mem::take(&mut *idle.lock().unwrap_or_else(PoisonError::into_inner));
        let beside_each_other = self.pool.is_some();
        let finished = self.on_pool(move || finish(&folds, states, beside_each_other)).await?;
        let mut of_stage = BTreeMap::new();
        for (name, finished) in stage.aggregators.iter().zip(finished) {
            let rows = finished.outputs.iter().map(|rows| rows.num_rows() as u64).sum();
            self.observer.event(&Event::Finished { aggregator: name, rows, findings: &finished.findings });
            of_stage.insert(name.clone(), finished);
        }
        Ok(StageDone { rows_in, finished: of_stage })
    }

    fn prepare(&self, stage: &Stage, finished: &BTreeMap<String, Finished>) -> Result<Vec<Arc<dyn Fold>>> {
        let prepare = |name: &String| {
            let aggregator = Arc::clone(&self.wiring.aggregators[name]);
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

    /// Fetches a split here and folds it on the pool; the answer is the number of its rows in the window.
    async fn fold(
        &self,
        work: Work,
        folds: &Arc<[Arc<dyn Fold>]>,
        folds_at_once: &Semaphore,
        idle: &Arc<Mutex<Vec<States>>>,
    ) -> Result<u64> {
        const KIB: u64 = 1 << 10;
        // However large they are, there are as many as keep the workers busy.
        let kibibytes = u32::try_from(work.split.bytes.div_ceil(KIB)).unwrap_or(u32::MAX).min(self.most_of_a_split);
        let never_closed = |_| Error::bug("nobody closes the budget");
        let bytes = self.in_flight.acquire_many(kibibytes).await.map_err(never_closed)?;
        let decoder = self.wiring.reader.fetch(&work.split, &work.selection).await?;
        // Each fold under way has states of its own, which must be merged: no more of them than keep the workers busy.
        let fold = folds_at_once.acquire().await.map_err(never_closed)?;
        let (folds, idle, split) = (Arc::clone(folds), Arc::clone(idle), Arc::clone(&work.split));
        let counts = self.on_pool(move || fold_split(&work, decoder, &folds, &idle)).await?;
        drop((fold, bytes));
        self.observer.event(&Event::SplitFolded {
            file: &split.file.shown,
            row_group: split.row_group,
            rows: counts.decoded,
            rows_in_scope: counts.in_scope,
        });
        Ok(counts.in_scope)
    }

    async fn on_pool<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        // A panic of ours must end the run, not the program.
        let work = move || {
            std::panic::catch_unwind(AssertUnwindSafe(work))
                .unwrap_or_else(|panic| Err(Error::bug(format!("a worker gave up: {}", said(panic.as_ref())))))
        };
        let Some(pool) = &self.pool else { return work() };
        let (send, receive) = oneshot::channel();
        pool.spawn(move || {
            // The receiver is gone only when the run was cancelled.
            let _ = send.send(work());
        });
        receive.await.map_err(|_| Error::bug("a worker ended without a word"))?
    }
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
    let counts = fold_chunks(work, decoder, folds, &mut states, &place).map_err(|error| error.at(&place))?;
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

/// Merges and finishes each aggregator's states; on a pool aggregators beside each other, since they have nothing in
/// common. The error is that of the first aggregator that has one.
fn finish(folds: &[Arc<dyn Fold>], all_states: Vec<States>, beside_each_other: bool) -> Result<Vec<Finished>> {
    let mut of_aggregators: Vec<Vec<AnyState>> = folds.iter().map(|_| Vec::new()).collect();
    for states in all_states {
        for (of_aggregator, state) in of_aggregators.iter_mut().zip(states) {
            of_aggregator.push(state);
        }
    }
    let finish = |(fold, states): (&Arc<dyn Fold>, Vec<AnyState>)| {
        let mut states = states.into_iter();
        let mut merged = states.next().unwrap_or_else(|| fold.start());
        for state in states {
            fold.merge(&mut merged, state)?;
        }
        fold.finish(merged)
    };
    let pairs: Vec<_> = folds.iter().zip(of_aggregators).collect();
    if !beside_each_other {
        return pairs.into_iter().map(finish).collect();
    }
    let finished: Vec<Result<Finished>> = pairs.into_par_iter().map(finish).collect();
    finished.into_iter().collect()
}
