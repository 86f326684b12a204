//! One transaction that replaces rows.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tempfile::TempPath;
use tokaki_core::{DateRange, Destination, Error, ErrorKind, Output, Receipt, Replacement, Result, RowsOfDay, Scope};

use super::errors::sqlite_error;
use super::{define, insert};
use crate::disk::{disk_error, folder_of, place_of, sync_folder};
use crate::ids::TakenIds;
use crate::look::{first_rows, shell_word};
use crate::statements;
use crate::target::{Target, destination};
use crate::undated;

/// A transaction under way.
///
/// The fields are dropped in this order: roll back, close, remove the draft.
pub(super) struct SqliteReplacement {
    /// Taken out while rows are written: if that fails or is cancelled, it is gone and nothing can be committed.
    transaction: Option<DatabaseTransaction>,
    database: DatabaseConnection,
    /// Where a database that does not exist yet is written. It gets its name with the commit, so that a run that
    /// fails leaves no empty file.
    draft: Option<TempPath>,
    file: PathBuf,
    days: DateRange,
    taken_ids: TakenIds,
    removed: Vec<RowsOfDay>,
    receipt: Receipt,
}

/// The file, whether it is there or not.
pub(super) struct Place<'a> {
    pub(super) file: &'a Path,
    pub(super) create_missing: bool,
}

impl SqliteReplacement {
    /// Creates missing tables and deletes the owned rows.
    pub(super) async fn begin(
        Place { file, create_missing }: Place<'_>,
        database: DatabaseConnection,
        draft: Option<TempPath>,
        scope: &Scope,
        targets: &[Target],
    ) -> Result<Self> {
        let failed = |error| sqlite_error(file, &error);
        // A deferred transaction would fail midway if another writer came first.
        let immediate = Some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode: immediate, ..Default::default() };
        let transaction = database.begin_with_options(options).await.map_err(failed)?;
        let mut receipt = Receipt { location: format!("sqlite:{}", file.display()), ..Receipt::default() };
        let mut taken_ids = TakenIds::default();
        let mut removed = Vec::new();
        for target in targets {
            if !define::check_table(&transaction, file, target, create_missing).await? {
                define::create(&transaction, target.table).await.map_err(failed)?;
            }
            for conditions in &target.owned {
                let count = statements::count_by_day(target.table.name, target.table, scope.days, conditions);
                // Rows without days stay until they are taken.
                let Some(count) = count else { continue };
                for row in transaction.query_all(&count).await.map_err(failed)? {
                    let day = row.try_get_by_index(0).map_err(failed)?;
                    let rows: i64 = row.try_get_by_index(1).map_err(failed)?;
                    let (table, owned) = (target.table.name, conditions.clone());
                    removed.push(RowsOfDay { table, owned, day, rows: rows.unsigned_abs() });
                }
                let delete = statements::delete(target.table.name, target.table, scope.days, conditions);
                receipt.rows_deleted += transaction.execute(&delete).await.map_err(failed)?.rows_affected();
                let spared = statements::spared_ids(target.table.name, target.table, scope.days, conditions);
                if let Some(spared) = spared {
                    for row in transaction.query_all(&spared).await.map_err(failed)? {
                        taken_ids.extend(row.try_get_by_index::<Option<String>>(0).map_err(failed)?);
                    }
                }
            }
        }
        if let Some(target) = targets.first() {
            let query = shell_word(&first_rows(target.table, target.table.name));
            receipt.look = format!("sqlite3 -box {} {query}", shell_word(&file.to_string_lossy()));
        }
        Ok(Self {
            transaction: Some(transaction),
            database,
            draft,
            file: file.into(),
            days: scope.days,
            taken_ids,
            removed,
            receipt,
        })
    }

    fn take_transaction(&mut self) -> Result<DatabaseTransaction> {
        self.transaction.take().ok_or_else(|| Error::bug("a failed replacement was used again"))
    }
}

#[async_trait]
impl Replacement for SqliteReplacement {
    async fn append(&mut self, output: &Output, rows: &RecordBatch) -> Result<()> {
        let transaction = self.take_transaction()?;
        output.check_rows(rows)?;
        let rows = self.taken_ids.avoid(destination(output)?.table, rows)?;
        for statement in insert::inserts(output, &rows) {
            transaction.execute(&statement?).await.map_err(|error| sqlite_error(&self.file, &error))?;
        }
        self.receipt.rows_inserted += rows.num_rows() as u64;
        self.transaction = Some(transaction);
        Ok(())
    }

    async fn take(&mut self, output: &Output) -> Result<RecordBatch> {
        let transaction = self.take_transaction()?;
        let Destination { table, owned, .. } = destination(output)?;
        let failed = |error| sqlite_error(&self.file, &error);
        let select = statements::select_undated(table.name, table, &output.fields, owned, |list| list);
        let rows = transaction.query_all(&select).await.map_err(failed)?;
        let delete = statements::delete(table.name, table, self.days, owned);
        self.receipt.rows_deleted += transaction.execute(&delete).await.map_err(failed)?.rows_affected();
        self.transaction = Some(transaction);
        undated::batch(
            output,
            rows.len(),
            |row, column| rows[row].try_get_by_index(column).map_err(failed),
            |row, column| rows[row].try_get_by_index(column).map_err(failed),
        )
    }

    fn removed(&self) -> &[RowsOfDay] {
        &self.removed
    }

    async fn commit(mut self: Box<Self>) -> Result<Receipt> {
        let transaction = self.take_transaction()?;
        let Self { database, draft, file, receipt, .. } = *self;
        let failed = |error| sqlite_error(&file, &error);
        transaction.commit().await.map_err(failed)?;
        database.close().await.map_err(failed)?;
        if let Some(draft) = draft {
            name_draft(draft, &file)?;
        }
        Ok(receipt)
    }
}

fn name_draft(draft: TempPath, file: &Path) -> Result<()> {
    draft.persist_noclobber(file).map_err(|error| match error.error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Error::new(ErrorKind::Database, "another program created the database file during the run")
                .at(&place_of(file))
                .help("run again; the rows then go into that file")
        }
        _ => disk_error(file, &error.error),
    })?;
    sync_folder(folder_of(file))
}
