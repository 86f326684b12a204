//! What a run tells. The command line draws it, logs it or writes it as JSON; core prints nothing.

use serde::Serialize;

use crate::finding::Finding;
use crate::pipeline::plan::Plan;
use crate::pipeline::quarantine::QuarantinedFile;
use crate::scope::DateRange;
use crate::sink::Receipt;

/// Something that happened. Events carry no time: the observer has a clock, core has none.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    /// The plan stands; files were listed and none was opened.
    Planned {
        /// The plan.
        plan: &'a Plan,
    },
    /// A file cannot be read. The run begins anew without it.
    Quarantined {
        /// The file.
        file: &'a QuarantinedFile,
    },
    /// The run came near the limit of its memory. It begins anew, with one window at a time.
    BeganAnew {
        /// What it has taken and may have.
        reason: &'a str,
    },
    /// The system gives the run fewer threads than it wanted.
    FewerThreads {
        /// How many it has.
        workers: usize,
        /// What the system said.
        reason: &'a str,
    },
    /// Footers were read: it is known how much there is to fold.
    Started {
        /// Ranges of days that are taken through the stages one after the other.
        windows: usize,
        /// Splits to fold.
        splits: usize,
        /// Rows in them, before rows outside the scope are left out.
        rows: u64,
        /// Threads that fold them.
        workers: usize,
    },
    /// A split was decoded and folded. Told in the order in which that happens.
    SplitFolded {
        /// The file.
        file: &'a str,
        /// Row group in the file.
        row_group: usize,
        /// Rows decoded.
        rows: u64,
        /// Rows of the window's days among them.
        rows_in_scope: u64,
    },
    /// What days came to was in the cache, whole or for one file, and its splits are not read.
    Recalled {
        /// The window.
        days: DateRange,
        /// The file, if others of the window are new.
        file: Option<&'a str>,
        /// Rows of the splits.
        rows: u64,
    },
    /// An entry of the cache is damaged or belongs to something else. It is computed anew.
    EntryIgnored {
        /// Its name.
        entry: &'a str,
        /// What is wrong with it.
        reason: &'a str,
    },
    /// An aggregator has its rows of a window.
    Finished {
        /// The aggregator.
        aggregator: &'a str,
        /// Rows of all its outputs.
        rows: u64,
        /// What it noticed.
        findings: &'a [Finding],
    },
    /// All rows are with the sink, which now makes them visible. Who stops the run from here on finds either the old
    /// rows or all new ones.
    Committing,
    /// The destination shows the new rows.
    Committed {
        /// What was done.
        receipt: &'a Receipt,
    },
}

/// Listens to a run.
pub trait Observer: Send + Sync {
    /// Called from the thread that drives the run, in order.
    fn event(&self, event: &Event<'_>);
}

/// Rows written to one table by one aggregator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutputRows {
    /// The aggregator.
    pub aggregator: String,
    /// The table.
    pub table: String,
    /// Rows written.
    pub rows: u64,
}

/// What the cache was good for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CacheUse {
    /// Ranges of days that were taken on their own.
    pub windows: usize,
    /// Those of them whose rows were in the cache.
    pub windows_recalled: usize,
    /// Files in other windows whose states were in the cache.
    pub states_recalled: usize,
    /// Files in other windows whose states were not.
    pub states_computed: usize,
    /// Files of which anything was read.
    pub files_opened: usize,
    /// Entries that could not be used.
    pub entries_ignored: usize,
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// Files whose rows the result is of.
    pub files: usize,
    /// Splits of these files.
    pub splits: usize,
    /// Rows of the scope's days that were folded, now or when the cache learned of them, each table's once.
    pub rows_in: u64,
    /// Rows written, by aggregator and table.
    pub outputs: Vec<OutputRows>,
    /// What the written aggregators noticed.
    pub findings: Vec<Finding>,
    /// Files that could not be read and were left out, because the run was asked to.
    pub quarantined: Vec<QuarantinedFile>,
    /// What the sink did.
    pub receipt: Receipt,
    /// What the cache was good for, if there is one.
    pub cache: Option<CacheUse>,
}
