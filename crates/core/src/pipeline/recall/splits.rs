//! The splits of files, remembered: a file whose states are kept is not even asked for its footer.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::Recall;
use super::entry::{self, Key};
use crate::catalog::DataFile;
use crate::error::{Error, Result};
use crate::input::Selection;
use crate::payload::PayloadOfDay;
use crate::pipeline::plan::Scan;
use crate::reader::{Reader, Split};

/// What is known of files.
#[derive(Default, PartialEq, Eq, Serialize, Deserialize)]
struct Index {
    /// Splits by file and what is wanted of it.
    splits: BTreeMap<String, Vec<KnownSplit>>,
    /// Payloads by file, of those files for which that was asked.
    payloads: BTreeMap<String, Option<PayloadOfDay>>,
}

/// A [`Split`] without its file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KnownSplit {
    row_group: usize,
    rows: u64,
    bytes: u64,
    bytes_per_row: u64,
    instants: Option<(i64, i64)>,
}

impl KnownSplit {
    fn of(split: &Split) -> Self {
        let Split { row_group, rows, bytes, bytes_per_row, instants, .. } = *split;
        Self { row_group, rows, bytes, bytes_per_row, instants }
    }

    fn split(&self, file: &DataFile) -> Split {
        let Self { row_group, rows, bytes, bytes_per_row, instants } = *self;
        Split { file: file.clone(), row_group, rows, bytes, bytes_per_row, instants }
    }
}

/// Says which splits a file has: from memory, or by its reader.
pub(in crate::pipeline) struct Splits<'a> {
    reader: &'a dyn Reader,
    remembered: Option<Remembered<'a>>,
}

struct Remembered<'a> {
    recall: &'a Recall<'a>,
    key: Key,
    before: Index,
    /// Of the files that there are now.
    now: Mutex<Index>,
}

impl<'a> Splits<'a> {
    /// Fetches what is remembered.
    ///
    /// # Errors
    /// `Bug` only.
    pub(in crate::pipeline) async fn new(reader: &'a dyn Reader, recall: Option<&'a Recall<'a>>) -> Result<Self> {
        let Some(recall) = recall else { return Ok(Self { reader, remembered: None }) };
        let key = recall.key("files", recall.month()?, &())?;
        let before = match recall.get(&key).await.map(|bytes| entry::read::<Index>(&key, &bytes)) {
            Some(Ok((index, _))) => index,
            Some(Err(reason)) => {
                recall.ignore(&key, reason);
                Index::default()
            }
            None => Index::default(),
        };
        Ok(Self { reader, remembered: Some(Remembered { recall, key, before, now: Mutex::default() }) })
    }

    /// The splits of `file` that may hold rows of the scan's days.
    ///
    /// # Errors
    /// As for [`Reader::splits`].
    pub(in crate::pipeline) async fn of(&self, scan: &Scan, file: &DataFile) -> Result<Vec<Split>> {
        let remembered = self.remembered.as_ref().zip(identity(scan, file)?);
        let Some((remembered, identity)) = remembered else { return self.reader.splits(file, &scan.selection).await };
        let known = match remembered.before.splits.get(&identity) {
            Some(known) => known.clone(),
            None => {
                remembered.recall.opened(&file.path);
                // Of all days, so that a run of other days finds them too.
                let all_days = Selection { days: None, ..scan.selection.clone() };
                self.reader.splits(file, &all_days).await?.iter().map(KnownSplit::of).collect()
            }
        };
        let asked = scan.selection.days.map(|days| days.nanoseconds());
        let is_asked = |split: &Split| match (&asked, split.instants) {
            (Some(asked), Some((least, greatest))) => least < asked.end && greatest >= asked.start,
            _ => true,
        };
        let splits = known.iter().map(|known| known.split(file)).filter(is_asked).collect();
        remembered.now.lock().unwrap_or_else(PoisonError::into_inner).splits.insert(identity, known);
        Ok(splits)
    }

    /// Which payload `file` came with.
    ///
    /// # Errors
    /// As for [`Reader::payload`].
    pub(in crate::pipeline) async fn payload(&self, file: &DataFile) -> Result<Option<PayloadOfDay>> {
        let version = file.version.as_ref().map(|version| format!("{} {version}", file.path));
        let Some((remembered, identity)) = self.remembered.as_ref().zip(version) else {
            return self.reader.payload(file).await;
        };
        let payload = match remembered.before.payloads.get(&identity) {
            Some(known) => known.clone(),
            None => self.reader.payload(file).await?,
        };
        let mut now = remembered.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.payloads.insert(identity, payload.clone());
        Ok(payload)
    }

    /// Whether the file was opened before, as far as is remembered.
    ///
    /// # Errors
    /// `Bug` only.
    pub(in crate::pipeline) fn knows(&self, scan: &Scan, file: &DataFile) -> Result<bool> {
        let identity = identity(scan, file)?;
        Ok(self
            .remembered
            .as_ref()
            .zip(identity)
            .is_some_and(|(it, identity)| it.before.splits.contains_key(&identity)))
    }

    /// Keeps what was learned.
    ///
    /// # Errors
    /// `Bug` only.
    pub(in crate::pipeline) async fn keep(self) -> Result<()> {
        let Some(Remembered { recall, key, before, now }) = self.remembered else { return Ok(()) };
        let now = now.into_inner().unwrap_or_else(PoisonError::into_inner);
        if now != before {
            recall.put(&key, entry::write(&key, &now, &[])?).await;
        }
        Ok(())
    }
}

/// A file as it is, and what is wanted of it. `None` for a file without version: it might become another one unnoticed.
fn identity(scan: &Scan, file: &DataFile) -> Result<Option<String>> {
    let Some(version) = &file.version else { return Ok(None) };
    let Selection { time_column, columns, .. } = &scan.selection;
    serde_json::to_string(&(&scan.table, time_column, columns, &file.path, file.bytes, version))
        .map(Some)
        .map_err(|error| Error::bug(error.to_string()))
}
