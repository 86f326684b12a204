//! Replacing rows, and doing so again if the server gave up or went away.

use arrow::array::RecordBatch;
use async_trait::async_trait;
use backon::ExponentialBackoff;
use tokaki_core::{Error, ErrorKind, Output, Receipt, Replacement, Result, RowsOfDay};

use super::fault::{Fault, delays};
use super::partition::quoted;
use super::spool::Spool;
use super::transaction::{Task, Transaction};
use crate::look::first_rows;
use crate::target::{destination, table_place};

/// A replacement under way. Dropping it ends its transaction on the server, and nothing has changed.
pub(super) struct PostgresReplacement {
    task: Task,
    /// Taken out while it is used: if that fails or is cancelled, it is gone and nothing can be committed.
    transaction: Option<Transaction>,
    spool: Spool,
    /// Rows without days that were taken, by output.
    taken: Vec<(Output, RecordBatch)>,
    delays: ExponentialBackoff,
    rows_inserted: u64,
}

impl PostgresReplacement {
    /// Creates what is missing and deletes the owned rows.
    pub(super) async fn begin(task: Task) -> Result<Self> {
        let mut replacement = Self {
            task,
            transaction: None,
            spool: Spool::default(),
            taken: Vec::new(),
            delays: delays(),
            rows_inserted: 0,
        };
        let transaction = replacement.attempt().await;
        replacement.transaction = Some(replacement.or_again(transaction).await?);
        Ok(replacement)
    }

    fn take_transaction(&mut self) -> Result<Transaction> {
        self.transaction.take().ok_or_else(|| Error::bug("a failed replacement was used again"))
    }

    /// A new transaction in the state that the lost one had.
    async fn attempt(&mut self) -> Result<Transaction, Fault> {
        self.refill(Transaction::begin(&self.task).await?).await
    }

    /// Deletes the owned rows and adds those that came so far.
    async fn refill(&mut self, mut transaction: Transaction) -> Result<Transaction, Fault> {
        transaction.delete(&self.task).await?;
        for (output, rows) in &self.taken {
            // What was spooled is united with the rows that were there at first.
            if transaction.take(&self.task, output).await? != *rows {
                let message = "rows changed while the transaction was repeated";
                let held = Error::new(ErrorKind::Held, message).at(&table_place(destination(output)?.table));
                return Err(Fault::Lasting(held.help("run again")));
            }
        }
        for part in self.spool.rows()? {
            let (output, rows) = part?;
            transaction.append(&self.task, &output, &rows).await?;
        }
        Ok(transaction)
    }

    /// The transaction, or another one as long as the fault may pass.
    async fn or_again(&mut self, mut transaction: Result<Transaction, Fault>) -> Result<Transaction> {
        loop {
            match transaction {
                Ok(transaction) => return Ok(transaction),
                Err(fault) => self.wait(fault).await?,
            }
            transaction = self.attempt().await;
        }
    }

    /// Waits before the next attempt.
    ///
    /// # Errors
    /// The fault, if the same again would fail again or was tried often enough.
    async fn wait(&mut self, fault: Fault) -> Result<()> {
        let error = match fault {
            Fault::Passing(error) => error,
            Fault::Lasting(error) => return Err(error),
        };
        let Some(delay) = self.delays.next() else { return Err(error) };
        tracing::warn!("the transaction is repeated in {} ms: {error}", delay.as_millis());
        tokio::time::sleep(delay).await;
        Ok(())
    }

    /// Commits, and once only: if the answer to a commit was lost, the server is asked what became of it.
    async fn commit_or_again(&mut self) -> Result<u64> {
        let transaction = self.take_transaction()?;
        let mut sent = (transaction.number(), rows_of(transaction.removed()));
        let mut committed = transaction.commit(&self.task.server).await;
        while let Err(fault) = committed {
            self.wait(fault).await?;
            committed = self.commit_again(&mut sent).await;
        }
        Ok(sent.1)
    }

    /// Commits in another transaction, unless the one that was `sent` was committed after all.
    async fn commit_again(&mut self, sent: &mut (i64, u64)) -> Result<(), Fault> {
        let mut transaction = Transaction::begin(&self.task).await?;
        if transaction.is_committed(sent.0, &self.task.server).await? {
            return Ok(());
        }
        let transaction = self.refill(transaction).await?;
        *sent = (transaction.number(), rows_of(transaction.removed()));
        transaction.commit(&self.task.server).await
    }
}

#[async_trait]
impl Replacement for PostgresReplacement {
    async fn append(&mut self, output: &Output, rows: &RecordBatch) -> Result<()> {
        let mut transaction = self.take_transaction()?;
        output.check_rows(rows)?;
        let place = table_place(destination(output)?.table);
        self.spool.keep(output, rows)?;
        let appended = transaction.append(&self.task, output, rows).await.map(|()| transaction);
        let transaction = self.or_again(appended).await.map_err(|error| error.at(&place))?;
        self.rows_inserted += rows.num_rows() as u64;
        self.transaction = Some(transaction);
        Ok(())
    }

    async fn take(&mut self, output: &Output) -> Result<RecordBatch> {
        let mut transaction = self.take_transaction()?;
        let mut taken = transaction.take(&self.task, output).await.map(|rows| (rows, transaction));
        let (rows, transaction) = loop {
            match taken {
                Ok(taken) => break taken,
                Err(fault) => self.wait(fault).await?,
            }
            taken = match self.attempt().await {
                Ok(mut transaction) => transaction.take(&self.task, output).await.map(|rows| (rows, transaction)),
                Err(fault) => Err(fault),
            };
        };
        self.taken.push((output.clone(), rows.clone()));
        self.transaction = Some(transaction);
        Ok(rows)
    }

    fn removed(&self) -> &[RowsOfDay] {
        self.transaction.as_ref().map_or(&[], Transaction::removed)
    }

    async fn commit(mut self: Box<Self>) -> Result<Receipt> {
        let undated: usize = self.taken.iter().map(|(_, rows)| rows.num_rows()).sum();
        let rows_deleted = self.commit_or_again().await? + undated as u64;
        let Task { server, schema, targets, .. } = &self.task;
        let look = targets.first().map_or_else(String::new, |target| {
            let table = format!("{}.{}", quoted(schema), quoted(target.table.name));
            server.psql(&first_rows(target.table, &table))
        });
        Ok(Receipt { rows_deleted, rows_inserted: self.rows_inserted, location: server.location(), look })
    }
}

fn rows_of(days: &[RowsOfDay]) -> u64 {
    days.iter().map(|day| day.rows).sum()
}
