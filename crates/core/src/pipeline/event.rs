//! What a run tells. The command line draws it, logs it or writes it as JSON; core prints nothing.

use serde::Serialize;

use crate::finding::Finding;
use crate::pipeline::plan::Plan;
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

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// Files that were opened.
    pub files: usize,
    /// Splits that were folded.
    pub splits: usize,
    /// Rows of the scope's days that were folded, each table's once.
    pub rows_in: u64,
    /// Rows written, by aggregator and table.
    pub outputs: Vec<OutputRows>,
    /// What the written aggregators noticed.
    pub findings: Vec<Finding>,
    /// What the sink did.
    pub receipt: Receipt,
}
