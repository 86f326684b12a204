//! Keeps a run within the memory that it may have.
//!
//! How much a day of a cluster takes is known when its rows are folded and not before. So a run looks at what the process
//! has taken: before it fetches, decodes and finishes. One that comes near its limit is ended, and begun anew in the
//! least that it can do with: one split, one window and small chunks at a time. That is slower and gives the same rows.
//! Only what is too much even so ends with `Limit`, which is an error like any other; whoever waits for the system to
//! refuse is killed. See `docs/adr/0008-begin-anew-instead-of-spilling.md`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, ErrorKind, Result};

const MIB: u64 = 1 << 20;
/// What may be taken between two looks, apart from what is known to come: pages, buffers of the sink, tables that grow.
const RESERVE: u64 = 12 * MIB;
/// One part in so many of what folding has taken may be taken at once, by a table that grows.
const GROWTH: u64 = 4;

/// Finished rows take so many times what their state takes: it has each text once, and each row has its own. Measured
/// with the benchmark's clusters, rounded up.
const ROWS: u64 = 3;

/// Bytes that the process has taken and may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Taken now.
    pub bytes: u64,
    /// Nobody may take more.
    pub limit: u64,
}

/// Looks at the memory of the process. Core does not.
pub trait Gauge: Send + Sync {
    /// Of several limits the one that is nearest; `None` if there is none.
    fn taken(&self) -> Option<Taken>;

    /// Gives back to the system what was freed.
    fn give_back(&self);
}

/// The memory of one attempt.
#[derive(Clone)]
pub(super) struct Budget {
    gauge: Option<Arc<dyn Gauge>>,
    at_start: u64,
    promised: Arc<AtomicU64>,
}

/// Bytes that somebody is about to take. Others count them until they are taken, and this is dropped.
pub(super) struct Promise {
    promised: Arc<AtomicU64>,
    bytes: u64,
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.promised.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Rows of a window, and how many of them were folded.
#[derive(Debug)]
pub(super) struct Progress {
    total: u64,
    folded: AtomicU64,
}

impl Progress {
    /// Nothing was folded.
    pub(super) fn of(total: u64) -> Arc<Self> {
        Arc::new(Self { total, folded: AtomicU64::new(0) })
    }

    /// Counts rows.
    pub(super) fn add(&self, rows: u64) {
        self.folded.fetch_add(rows, Ordering::Relaxed);
    }

    /// What all rows take if so many bytes were taken by those that were folded.
    fn extrapolate(&self, bytes: u64) -> u64 {
        let folded = self.folded.load(Ordering::Relaxed).max(1);
        let all = u128::from(bytes) * u128::from(self.total.max(folded)) / u128::from(folded);
        u64::try_from(all).unwrap_or(u64::MAX)
    }
}

impl Budget {
    /// The budget from now on.
    pub(super) fn new(gauge: Option<Arc<dyn Gauge>>) -> Self {
        let at_start = gauge.as_ref().and_then(|gauge| gauge.taken()).map_or(0, |taken| taken.bytes);
        Self { gauge, at_start, promised: Arc::default() }
    }

    /// Promises `bytes`, if others and they can be taken.
    ///
    /// # Errors
    /// As for [`Budget::check`].
    pub(super) fn promise(&self, bytes: u64, progress: &Progress) -> Result<Promise> {
        let before = self.promised.fetch_add(bytes, Ordering::Relaxed);
        let promise = Promise { promised: Arc::clone(&self.promised), bytes };
        self.check_all(before.saturating_add(bytes), progress).map(|()| promise)
    }

    /// Looks whether states can be finished, which makes rows of them.
    ///
    /// # Errors
    /// `Limit`, with what is needed.
    pub(super) fn check_finish(&self, progress: &Progress) -> Result<()> {
        let Some(gauge) = &self.gauge else { return Ok(()) };
        let rows = |taken: Taken| self.own(taken) * ROWS;
        if !gauge.taken().is_some_and(|taken| self.lacks(taken, self.promised_and(rows(taken)))) {
            return Ok(());
        }
        // What was freed while rows were folded is no measure of what their states take. But to give it back each time, and
        // to take it again, would cost a fifth of a run.
        gauge.give_back();
        gauge.taken().map_or(Ok(()), |taken| self.check(rows(taken), progress))
    }

    /// Looks whether `more` bytes can be taken before the next look.
    ///
    /// # Errors
    /// `Limit`, with what the rest of `progress` would need.
    pub(super) fn check(&self, more: u64, progress: &Progress) -> Result<()> {
        self.check_all(self.promised_and(more), progress)
    }

    fn promised_and(&self, more: u64) -> u64 {
        self.promised.load(Ordering::Relaxed).saturating_add(more)
    }

    fn lacks(&self, taken: Taken, more: u64) -> bool {
        taken.bytes.saturating_add(self.next(taken, more)) > taken.limit
    }

    fn check_all(&self, more: u64, progress: &Progress) -> Result<()> {
        let Some(gauge) = &self.gauge else { return Ok(()) };
        let lacks = |taken: &Taken| self.lacks(*taken, more);
        if gauge.taken().filter(lacks).is_none() {
            return Ok(());
        }
        gauge.give_back();
        match gauge.taken().filter(lacks) {
            None => Ok(()),
            Some(taken) => Err(self.refusal(taken, more, progress)),
        }
    }

    fn own(&self, taken: Taken) -> u64 {
        taken.bytes.saturating_sub(self.at_start)
    }

    fn next(&self, taken: Taken, more: u64) -> u64 {
        (RESERVE + self.own(taken) / GROWTH).saturating_add(more)
    }

    fn refusal(&self, taken: Taken, more: u64, progress: &Progress) -> Error {
        let whole = progress.extrapolate(self.own(taken));
        let needed =
            (self.at_start + RESERVE).saturating_add(whole).saturating_add(whole / GROWTH).saturating_add(more);
        let mib = |bytes: u64| bytes.div_ceil(MIB);
        let message = format!(
            "the run may have {} MiB of memory and needs about {} MiB: {} MiB are taken already",
            mib(taken.limit),
            mib(needed.max(taken.limit + MIB)),
            mib(taken.bytes)
        );
        Error::new(ErrorKind::Limit, message)
            .help("give it more: run.memory_budget, or the limit of its container; or ask for fewer days at once")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many MiB of 100 are taken; what is given back counts.
    struct Fixed(AtomicU64);

    impl Gauge for Fixed {
        fn taken(&self) -> Option<Taken> {
            Some(Taken { bytes: self.0.load(Ordering::Relaxed) * MIB, limit: 100 * MIB })
        }

        fn give_back(&self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn who_comes_near_the_limit_is_told_what_the_rest_needs() {
        let gauge = Arc::new(Fixed(AtomicU64::new(20)));
        let budget = Budget::new(Some(Arc::clone(&gauge) as _));
        let progress = Progress::of(1_000);
        progress.add(250);
        assert!(budget.check(0, &progress).is_ok());
        // 60 of its own, so 15 of growth and 12 in reserve: too much by 7.
        gauge.0.store(80, Ordering::Relaxed);
        let error = budget.check(0, &progress).expect_err("too near");
        assert_eq!(error.kind(), ErrorKind::Limit);
        // 59 after giving back; four times that, a quarter more, and 32.
        assert!(error.message().contains("may have 100 MiB of memory and needs about 327 MiB"), "{error}");
        // What is known to come counts whole.
        gauge.0.store(40, Ordering::Relaxed);
        assert!(budget.check(40 * MIB, &progress).is_ok());
        assert!(budget.check(60 * MIB, &progress).is_err());
    }

    #[test]
    fn nothing_is_given_back_where_there_is_room() {
        let gauge = Arc::new(Fixed(AtomicU64::new(0)));
        let budget = Budget::new(Some(Arc::clone(&gauge) as _));
        let taken = || gauge.0.load(Ordering::Relaxed);
        // 20, three times that for rows, 5 and 12 are 97.
        gauge.0.store(20, Ordering::Relaxed);
        assert!(budget.check_finish(&Progress::of(1)).is_ok());
        assert_eq!(taken(), 20);
        // One more is too much, until it is given back.
        gauge.0.store(21, Ordering::Relaxed);
        assert!(budget.check_finish(&Progress::of(1)).is_ok());
        assert_eq!(taken(), 20);
    }

    #[test]
    fn what_one_is_about_to_take_the_other_cannot() {
        let gauge = Arc::new(Fixed(AtomicU64::new(20)));
        let budget = Budget::new(Some(Arc::clone(&gauge) as _));
        let progress = Progress::of(1);
        let first = budget.promise(40 * MIB, &progress).expect("72 in all");
        assert!(budget.promise(40 * MIB, &progress).is_err());
        assert!(budget.check(40 * MIB, &progress).is_err());
        drop(first);
        assert!(budget.promise(40 * MIB, &progress).is_ok());
    }

    #[test]
    fn what_was_freed_is_no_reason_to_end() {
        let gauge = Arc::new(Fixed(AtomicU64::new(0)));
        let budget = Budget::new(Some(Arc::clone(&gauge) as _));
        // 71 and 17 and 12 are 100; one more would be too much.
        gauge.0.store(71, Ordering::Relaxed);
        assert!(budget.check(0, &Progress::of(1)).is_ok());
        assert!(Budget::new(None).check(u64::MAX, &Progress::of(0)).is_ok());
    }
}
