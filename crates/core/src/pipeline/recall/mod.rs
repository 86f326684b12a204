//! What a run remembers of earlier ones: the rows of windows whose files are the same, the states of files in windows
//! where others are new, and where in the files which days are.
//!
//! A key holds everything that an entry is computed from, so an entry is never out of date: it is only not asked for
//! any more. See `docs/adr/0006-entries-are-proven.md`.

pub(super) mod entry;
pub(super) mod kept;
pub(super) mod splits;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use chrono::NaiveDate;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use self::entry::{Key, hexadecimal};
use super::event::{CacheUse, Event, Observer};
use crate::cache::Cache;
use crate::error::Result;
use crate::scope::{DateRange, Scope};

/// A cache and what its entries depend on besides files.
#[derive(Clone)]
pub struct Memory {
    /// Where entries are.
    pub cache: Arc<dyn Cache>,
    /// Everything that decides over the rows and is neither in the scope nor in the files, as text: the program, its
    /// settings, the place of the files, the reference data.
    pub settings: String,
}

/// The cache as one run uses it.
pub(super) struct Recall<'a> {
    memory: &'a Memory,
    observer: &'a dyn Observer,
    days: DateRange,
    settings: String,
    folder: String,
    /// Names of the entries that hold for the files as they are.
    current: Mutex<BTreeSet<String>>,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    cache: CacheUse,
    opened: BTreeSet<String>,
}

impl<'a> Recall<'a> {
    /// The cache for a run of this scope.
    pub(super) fn new(memory: &'a Memory, scope: &Scope, observer: &'a dyn Observer) -> Self {
        let Scope { org, source_uuid, days } = scope;
        let settings = Sha256::digest(format!("{org}\n{source_uuid}\n{}", memory.settings));
        Self {
            memory,
            observer,
            days: *days,
            settings: hexadecimal(&settings.into()),
            folder: format!("{org}/{source_uuid}/{:04}-{:02}/", days.year(), days.month()),
            current: Mutex::default(),
            counts: Mutex::default(),
        }
    }

    /// The key of an entry about `days` that is computed from the settings and `of`.
    ///
    /// # Errors
    /// `Bug` only.
    pub(super) fn key(&self, kind: &str, days: DateRange, of: &impl Serialize) -> Result<Key> {
        let key = Key::new(&self.folder, kind, days, &(&self.settings, of))?;
        self.current.lock().unwrap_or_else(PoisonError::into_inner).insert(key.name.clone());
        Ok(key)
    }

    /// Names of the states that this run has asked for about `days`.
    pub(super) fn states_of(&self, days: DateRange) -> Vec<String> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let beginning = format!("{}{}_{}_state_", self.folder, days.start(), days.end());
        current.range(beginning.clone()..).take_while(|name| name.starts_with(&beginning)).cloned().collect()
    }

    /// Says that these entries hold as well, although nobody asks for them: the next run may.
    pub(super) fn still_hold(&self, names: Vec<String>) {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).extend(names);
    }

    /// The bytes of an entry, not proven yet.
    pub(super) async fn get(&self, key: &Key) -> Option<Bytes> {
        self.memory.cache.get(&key.name).await
    }

    /// Keeps an entry.
    pub(super) async fn put(&self, key: &Key, entry: Vec<u8>) {
        self.memory.cache.put(&key.name, entry).await;
    }

    /// Tells of an entry that is not what its name says.
    pub(super) fn ignore(&self, key: &Key, reason: &str) {
        self.count(|counts| counts.entries_ignored += 1);
        self.observer.event(&Event::EntryIgnored { entry: &key.name, reason });
    }

    /// Tells of rows that need not be read.
    pub(super) fn recalled(&self, days: DateRange, file: Option<&str>, rows: u64) {
        self.count(|counts| match file {
            Some(_) => counts.states_recalled += 1,
            None => counts.windows_recalled += 1,
        });
        self.observer.event(&Event::Recalled { days, file, rows });
    }

    /// Changes the counts.
    pub(super) fn count(&self, change: impl FnOnce(&mut CacheUse)) {
        change(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner).cache);
    }

    /// Remembers that the file at `path` was opened.
    pub(super) fn opened(&self, path: &str) {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).opened.insert(path.to_owned());
    }

    /// What the cache was good for.
    pub(super) fn counts(&self) -> CacheUse {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        CacheUse { files_opened: counts.opened.len(), ..counts.cache.clone() }
    }

    /// The whole month of the run.
    ///
    /// # Errors
    /// None for a scope that is one.
    fn month(&self) -> Result<DateRange> {
        let (first, next) = self.days.month_bounds();
        DateRange::new(first, next.pred_opt().unwrap_or(first))
    }

    /// Forgets what was kept for the run's days and is not what the files are now.
    pub(super) async fn prune(&self) {
        let kept = self.memory.cache.names(&self.folder).await;
        let current = std::mem::take(&mut *self.current.lock().unwrap_or_else(PoisonError::into_inner));
        let outdated = |name: &String| {
            let days = name.strip_prefix(&self.folder).and_then(days_of);
            days.is_some_and(|(first, last)| self.days.start() <= first && last <= self.days.end())
                && !current.contains(name)
        };
        self.memory.cache.remove(kept.into_iter().filter(outdated).collect()).await;
    }
}

/// First and last day of an entry; `None` for what is no entry of ours.
fn days_of(name: &str) -> Option<(NaiveDate, NaiveDate)> {
    let mut parts = name.split('_');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}
