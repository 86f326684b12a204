//! Folds one stage of one window: splits are fetched, decoded, folded into states that are nobody else's, merged and
//! finished.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use futures::StreamExt;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use tokio::sync::{Semaphore, oneshot};

use super::budget::{Budget, Progress, Promise};
use super::days;
use super::event::{Event, Observer};
use super::local::Wiring;
use super::plan::{Scan, Stage};
use super::recall::Recall;
use super::recall::splits::Splits;
use crate::aggregator::{AnyState, Fold};
use crate::chunk::Chunk;
use crate::error::{Error, ErrorKind, Place, Result};
use crate::finding::Finished;
use crate::input::{InputId, Selection, TableName};
use crate::reader::{ChunkDecoder, Split};
use crate::rollup::LabelTexts;
use crate::scope::DateRange;

/// A split and the scan that it belongs to.
#[derive(Clone)]
pub(super) struct Work {
    pub(super) split: Arc<Split>,
    /// As in [`Scan`].
    pub(super) of: Option<String>,
    pub(super) table: TableName,
    pub(super) selection: Arc<Selection>,
    /// Whom it feeds, by position in the stage.
    pub(super) feeds: Arc<[(usize, InputId)]>,
}

impl Work {
    fn place(&self) -> Place {
        place_of(&self.table, &self.split.file.shown, Some(self.split.row_group))
    }

    /// Bytes that are fetched, and those of a chunk: while it is decoded and after.
    fn bytes_to_decode(&self) -> u64 {
        let chunk_rows = self.split.rows.min(self.selection.chunk_rows as u64);
        self.split.bytes.saturating_add(chunk_rows.saturating_mul(self.split.bytes_per_row).saturating_mul(2))
    }

    /// Whether both are splits of one file, read for the same.
    pub(super) fn is_of_same_file(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.selection, &other.selection) && self.split.file.path == other.split.file.path
    }

    /// Positions of the aggregators that it feeds, each once.
    pub(super) fn fed(&self) -> Vec<usize> {
        self.feeds.iter().map(|(position, _)| *position).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// The splits of a stage for all days, in the order of tables, files and row groups.
///
/// # Errors
/// The first in that order.
pub(super) async fn works(stage: &Stage, splits: &Splits<'_>) -> Result<Vec<Work>> {
    /// Footers read at once.
    const FOOTERS_AT_ONCE: usize = 8;
    let mut works = Vec::new();
    for scan in &stage.scans {
        let selection = Arc::new(scan.selection.clone());
        let feeds = positions(stage, scan);
        let mut of_files = futures::stream::iter(scan.files.iter().map(|file| {
            let place = place_of(&scan.table, &file.shown, None);
            async move { splits.of(scan, file).await.map_err(|error| error.at(&place)) }
        }))
        .buffered(FOOTERS_AT_ONCE);
        while let Some(splits) = of_files.next().await {
            works.extend(splits?.into_iter().map(|split| Work {
                split: Arc::new(split),
                of: scan.of.clone(),
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
    /// Splits that are being fetched.
    pub(super) fetching: Semaphore,
    /// What a split counts for at most.
    pub(super) most_of_a_split: u32,
    /// Splits of one window that are folded at once.
    pub(super) folds_at_once: usize,
    pub(super) recall: Option<&'a Recall<'a>>,
    pub(super) budget: Budget,
}

/// What a stage of a window came to.
pub(super) struct StageDone {
    pub(super) rows_in: u64,
    pub(super) finished: BTreeMap<String, Finished>,
}

/// The aggregators of a stage, ready to fold.
pub(super) type Folds = Arc<[Arc<dyn Fold>]>;
/// A state of each aggregator of the stage.
pub(super) type States = Vec<AnyState>;

/// What a fold has in its hands: states that are nobody else's, and the texts of the labels that came so far.
struct Hands {
    states: States,
    label_texts: Arc<LabelTexts>,
}

/// What splits came to.
pub(super) struct Folded {
    /// Their rows of the window's days.
    pub(super) rows_in: u64,
    pub(super) states: States,
}

impl Workshop<'_> {
    /// Folds `works` and finishes the stage's aggregators. `finished` is what earlier stages came to.
    ///
    /// # Errors
    /// The first in the order of `works`, whatever the number of workers.
    pub(super) async fn run_stage(
        &self,
        stage: &Stage,
        works: Vec<Work>,
        days: DateRange,
        finished: &BTreeMap<String, Finished>,
    ) -> Result<StageDone> {
        let handovers = self.handovers(stage, finished)?;
        let folds: Folds = self.prepare(stage, &handovers, days)?.into();
        let progress = Progress::of(works.iter().map(|work| work.split.rows).sum());
        let Folded { rows_in, states } = match self.recall {
            Some(recall) => self.fold_by_file(recall, stage, works, &folds, days, &handovers).await?,
            None => self.fold_all(works, &folds).await?,
        };
        progress.add(rows_in);
        self.budget.check_finish(&progress)?;
        let beside = self.beside_each_other();
        let finished = self.on_pool(move || finish(&folds, states, beside)).await?;
        let mut of_stage = BTreeMap::new();
        for (name, finished) in stage.aggregators.iter().zip(finished) {
            let rows = finished.outputs.iter().map(|rows| rows.num_rows() as u64).sum();
            self.observer.event(&Event::Finished { aggregator: name, rows, findings: &finished.findings });
            of_stage.insert(name.clone(), finished);
        }
        Ok(StageDone { rows_in, finished: of_stage })
    }

    /// What earlier stages hand over, by aggregator of the stage.
    fn handovers(&self, stage: &Stage, finished: &BTreeMap<String, Finished>) -> Result<Vec<Vec<RecordBatch>>> {
        let of_aggregator = |name: &String| {
            let inputs = self.wiring.aggregators[name].inputs();
            let handed_over = inputs.iter().filter_map(|input| {
                let giver = input.giver()?;
                let rows = finished.get(&giver).and_then(|finished| finished.outputs.get(input.output).cloned());
                Some(rows.ok_or_else(|| Error::bug(format!("`{giver}` handed nothing over to `{name}`"))))
            });
            handed_over.collect()
        };
        stage.aggregators.iter().map(of_aggregator).collect()
    }

    fn prepare(&self, stage: &Stage, handovers: &[Vec<RecordBatch>], days: DateRange) -> Result<Vec<Arc<dyn Fold>>> {
        let aggregators = stage.aggregators.iter().map(|name| Arc::clone(&self.wiring.aggregators[name]));
        aggregators.zip(handovers).map(|(aggregator, handovers)| aggregator.prepare(handovers.clone(), days)).collect()
    }

    /// Folds the splits of each file into states of their own, which are kept, and merges these.
    async fn fold_by_file(
        &self,
        recall: &Recall<'_>,
        stage: &Stage,
        works: Vec<Work>,
        folds: &Folds,
        days: DateRange,
        handovers: &[Vec<RecordBatch>],
    ) -> Result<Folded> {
        let files: Vec<Vec<Work>> = works.chunk_by(Work::is_of_same_file).map(<[Work]>::to_vec).collect();
        // What a fold looks up is part of what its state depends on. Who folds nothing needs no digest.
        let handovers = if files.is_empty() { String::new() } else { days::digest(&handovers.concat())? };
        let mut folded: Option<Folded> = None;
        let of_file = |works| self.states_of_file(recall, stage, works, folds, days, &handovers);
        let mut folding = futures::stream::iter(files.into_iter().map(of_file)).buffered(self.folds_at_once + 1);
        while let Some(file) = folding.next().await {
            let file = file?;
            folded = Some(match folded {
                None => file,
                Some(before) => {
                    let (folds, rows_in) = (Arc::clone(folds), before.rows_in + file.rows_in);
                    let (both, beside) = (vec![before.states, file.states], self.beside_each_other());
                    Folded { rows_in, states: self.on_pool(move || merge(&folds, both, beside)).await? }
                }
            });
        }
        Ok(folded.unwrap_or_else(|| Folded { rows_in: 0, states: folds.iter().map(|fold| fold.start()).collect() }))
    }

    /// Folds splits into one state of each aggregator.
    ///
    /// # Errors
    /// The first in the order of `works`, whatever the number of workers.
    pub(super) async fn fold_all(&self, works: Vec<Work>, folds: &Folds) -> Result<Folded> {
        let idle: Arc<Mutex<Vec<Hands>>> = Arc::default();
        let folds_at_once = Semaphore::new(self.folds_at_once);
        let mut rows_in = 0;
        // One split is fetched ahead of those that are folded. `buffered` keeps the order, so that the error that is
        // told is the first one in the order of the splits.
        let progress = Progress::of(works.iter().map(|work| work.split.rows).sum());
        let fold = |work| self.fold(work, folds, &folds_at_once, &idle, &progress);
        let mut folding = futures::stream::iter(works.into_iter().map(fold)).buffered(self.folds_at_once + 1);
        while let Some(rows) = folding.next().await {
            rows_in += rows?;
        }
        drop(folding);
        let hands = std::mem::take(&mut *idle.lock().unwrap_or_else(PoisonError::into_inner));
        let states = hands.into_iter().map(|hands| hands.states).collect();
        let (folds, beside) = (Arc::clone(folds), self.beside_each_other());
        Ok(Folded { rows_in, states: self.on_pool(move || merge(&folds, states, beside)).await? })
    }

    /// Fetches a split here and folds it on the pool; the answer is the number of its rows in the window.
    async fn fold(
        &self,
        work: Work,
        folds: &Folds,
        folds_at_once: &Semaphore,
        idle: &Arc<Mutex<Vec<Hands>>>,
        progress: &Arc<Progress>,
    ) -> Result<u64> {
        const KIB: u64 = 1 << 10;
        if let Some(recall) = self.recall {
            recall.opened(&work.split.file.path);
        }
        // However large they are, there are as many as keep the workers busy.
        let kibibytes = u32::try_from(work.split.bytes.div_ceil(KIB)).unwrap_or(u32::MAX).min(self.most_of_a_split);
        let never_closed = |_| Error::bug("nobody closes the budget");
        let bytes = self.in_flight.acquire_many(kibibytes).await.map_err(never_closed)?;
        let promise = self.budget.promise(work.bytes_to_decode(), progress).map_err(|error| error.at(&work.place()))?;
        let open = self.fetching.acquire().await.map_err(never_closed)?;
        let fetched = self.wiring.reader.fetch(&work.split, &work.selection).await;
        drop(open);
        let decoder = fetched.map_err(|error| error.at(&work.place()))?;
        // Each fold under way has states of its own, which must be merged: no more of them than keep the workers busy.
        let fold = folds_at_once.acquire().await.map_err(never_closed)?;
        let (folds, idle, split) = (Arc::clone(folds), Arc::clone(idle), Arc::clone(&work.split));
        let look = Look { budget: self.budget.clone(), progress: Arc::clone(progress), promise: Some(promise) };
        let counts = self.on_pool(move || fold_split(&work, decoder, &folds, &idle, look)).await?;
        drop((fold, bytes));
        self.observer.event(&Event::SplitFolded {
            file: &split.file.shown,
            row_group: split.row_group,
            rows: counts.decoded,
            rows_in_scope: counts.in_scope,
        });
        Ok(counts.in_scope)
    }

    pub(super) async fn on_pool<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
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

    /// Whether there are threads for several things at once.
    pub(super) fn beside_each_other(&self) -> bool {
        self.pool.is_some()
    }
}

/// What is looked at between chunks.
struct Look {
    budget: Budget,
    progress: Arc<Progress>,
    /// For the first chunk.
    promise: Option<Promise>,
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
    idle: &Mutex<Vec<Hands>>,
    look: Look,
) -> Result<Counts> {
    let place = work.place();
    let borrowed = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let start = || Hands { states: folds.iter().map(|fold| fold.start()).collect(), label_texts: Arc::default() };
    let mut hands = borrowed.unwrap_or_else(start);
    let counts = fold_chunks(work, decoder, folds, &mut hands, &place, look).map_err(|error| error.at(&place))?;
    idle.lock().unwrap_or_else(PoisonError::into_inner).push(hands);
    Ok(counts)
}

fn fold_chunks(
    work: &Work,
    mut decoder: ChunkDecoder,
    folds: &[Arc<dyn Fold>],
    hands: &mut Hands,
    place: &Place,
    mut look: Look,
) -> Result<Counts> {
    let mut counts = Counts::default();
    // A decoder that panics on a malformed file is that file's error.
    let mut next = |labels: &mut LabelTexts| {
        std::panic::catch_unwind(AssertUnwindSafe(|| decoder.next_chunk(labels))).unwrap_or_else(|panic| {
            let message = format!("the file could not be decoded: {}", said(panic.as_ref()));
            Some(Err(Error::new(ErrorKind::Parquet, message)))
        })
    };
    // No chunk is left that still looks at them.
    while let Some(batch) = next(Arc::make_mut(&mut hands.label_texts)) {
        let label_texts = Arc::make_mut(&mut hands.label_texts);
        let batch = label_texts.number_all(batch?, &work.selection.columns)?;
        let (rows, bytes) = (batch.num_rows() as u64, batch.get_array_memory_size() as u64);
        counts.decoded += rows;
        let (time_column, table, place) = (work.selection.time_column, work.table.clone(), place.clone());
        let label_texts = Arc::clone(&hands.label_texts);
        let chunk = Chunk { batch, time_column, table, place, label_texts }.within(work.selection.days.as_ref())?;
        counts.in_scope += chunk.batch.num_rows() as u64;
        for (position, input) in work.feeds.iter() {
            folds[*position].fold(&mut hands.states[*position], *input, &chunk)?;
        }
        drop(look.promise.take());
        look.progress.add(rows);
        // The next chunk is as large as this one, which is not freed before that is decoded.
        look.budget.check(bytes, &look.progress)?;
    }
    Ok(counts)
}

/// The message of a panic.
fn said(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason was given")
}

/// Merges each aggregator's states.
///
/// # Errors
/// That of the first aggregator that has one.
fn merge(folds: &[Arc<dyn Fold>], all_states: Vec<States>, beside_each_other: bool) -> Result<States> {
    let mut of_aggregators: Vec<Vec<AnyState>> = folds.iter().map(|_| Vec::new()).collect();
    for states in all_states {
        for (of_aggregator, state) in of_aggregators.iter_mut().zip(states) {
            of_aggregator.push(state);
        }
    }
    each(folds, of_aggregators, beside_each_other, |fold, states| {
        let mut states = states.into_iter();
        let mut merged = states.next().unwrap_or_else(|| fold.start());
        for state in states {
            fold.merge(&mut merged, state)?;
        }
        Ok(merged)
    })
}

/// Finishes each aggregator's state.
///
/// # Errors
/// That of the first aggregator that has one.
fn finish(folds: &[Arc<dyn Fold>], states: States, beside_each_other: bool) -> Result<Vec<Finished>> {
    each(folds, states, beside_each_other, |fold, state| fold.finish(state))
}

/// Does `work` for each aggregator; on a pool beside each other, since aggregators have nothing in common.
fn each<T: Send, R: Send>(
    folds: &[Arc<dyn Fold>],
    of_aggregators: Vec<T>,
    beside_each_other: bool,
    work: impl Fn(&dyn Fold, T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let pairs: Vec<_> = folds.iter().zip(of_aggregators).collect();
    let work = |(fold, of_aggregator): (&Arc<dyn Fold>, T)| work(fold.as_ref(), of_aggregator);
    if !beside_each_other {
        return pairs.into_iter().map(work).collect();
    }
    let done: Vec<Result<R>> = pairs.into_par_iter().map(work).collect();
    done.into_iter().collect()
}
