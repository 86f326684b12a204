//! Where rows go.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use bytes::Bytes;
use chrono::NaiveDate;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::output::{Condition, Output};
use crate::scope::Scope;

/// A destination that takes the rows of a run whole or not at all. It keeps one of two contracts:
///
/// * A sink that *replaces* deletes, of the scope's days, the rows that the outputs own and that nobody gave a cost, and
///   adds the new ones. All other rows stay as they are, and what goes is counted by day ([`Replacement::removed`]). Of two
///   runs over the same rows one waits for the other, or is told that they are held.
/// * A sink that *writes anew* holds the result of one run: with the commit, nothing stays of what was there. It counts
///   nothing as removed, and of two runs at once the last one to commit is there, whole.
///
/// With both a run that fails leaves what was there, and the same rows written twice are there once.
/// `testkit::sinks` has a scenario for each.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Looks, before anything is read, whether the outputs can be written: the destination answers, existing tables
    /// have the columns and types. Changes nothing.
    ///
    /// # Errors
    /// `Database`, `Store`, `Access` or `Destination`.
    async fn check(&self, scope: &Scope, outputs: &[Output]) -> Result<()>;

    /// Starts replacing the owned rows of `outputs` on the scope's days. Rows of tables without days stay until they are
    /// taken.
    ///
    /// # Errors
    /// As for [`Sink::check`].
    async fn begin(&self, scope: &Scope, outputs: &[Output]) -> Result<Box<dyn Replacement>>;

    /// How rows are brought into the destination's form before they are handed over, if that can be done apart from
    /// the destination.
    fn encoder(&self) -> Option<Arc<dyn Encoder>> {
        None
    }
}

/// Brings the finished rows of a day into the form that a destination keeps them in.
///
/// That is a pure computation: days are encoded beside each other by the workers, before anybody knows what is there
/// already, and a cache keeps what came of it.
pub trait Encoder: Send + Sync {
    /// Name and version of the form. A cache hands what it kept under this name to any sink whose encoder has the same,
    /// so it changes whenever other bytes come of the same rows.
    fn form(&self) -> &'static str;

    /// Checks the rows of an output and a day, and encodes them. `None` if they are better appended as they are, for
    /// instance because they are too few; that depends on output and rows alone.
    ///
    /// # Errors
    /// As for [`Output::check_rows`].
    fn encode(&self, output: &Output, rows: &RecordBatch) -> Result<Option<Bytes>>;
}

/// A replacement under way. Dropped before [`Replacement::commit`], it leaves everything as it was.
#[async_trait]
pub trait Replacement: Send {
    /// Adds rows for `output`, typed as [`Output::schema`]. May be called any number of times.
    ///
    /// # Errors
    /// As for [`Sink::check`].
    async fn append(&mut self, output: &Output, rows: &RecordBatch) -> Result<()>;

    /// Adds rows for `output` that the sink's [`Encoder`] has encoded. Of a sink without one nobody has such rows.
    ///
    /// # Errors
    /// As for [`Sink::check`].
    async fn append_encoded(&mut self, output: &Output, rows: Bytes) -> Result<()> {
        let table = output.destination.as_ref().map_or("nowhere", |to| to.table.name);
        Err(Error::bug(format!("{} bytes of encoded rows for {table}, and the sink has no encoder", rows.len())))
    }

    /// Takes the rows away that an output owns and that have no day, and gives them in the output's columns, so that they
    /// come back united with the run's ([`crate::output::Union`]). Called once for such an output, before its rows are
    /// appended. None of a destination that keeps nothing of an earlier run.
    ///
    /// # Errors
    /// As for [`Sink::check`].
    async fn take(&mut self, output: &Output) -> Result<RecordBatch> {
        Ok(RecordBatch::new_empty(output.schema()))
    }

    /// The rows that are taken away, by day. What a run compares its own rows with before it commits.
    fn removed(&self) -> &[RowsOfDay];

    /// Makes the replacement visible, each table all at once. A database shows all tables at once; files of several
    /// tables get their names one after the other.
    ///
    /// # Errors
    /// As for [`Sink::check`]. Whoever does not hear how a commit ended finds either the old rows or all new ones.
    async fn commit(self: Box<Self>) -> Result<Receipt>;
}

/// Rows of one day that a replacement takes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsOfDay {
    /// Name of the destination table.
    pub table: &'static str,
    /// What the rows have in common: [`crate::Destination::owned`] of the outputs that replace them.
    pub owned: Vec<Condition>,
    /// Their day.
    pub day: NaiveDate,
    /// How many.
    pub rows: u64,
}

/// What a commit did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Rows removed from the scope.
    pub rows_deleted: u64,
    /// Rows added.
    pub rows_inserted: u64,
    /// Where the result lies, without secrets.
    pub location: String,
    /// A command that shows the result.
    pub look: String,
}
