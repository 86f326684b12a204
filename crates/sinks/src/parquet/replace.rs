//! New files beside the old ones, and the renames that swap them.

use std::path::Path;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use bytes::Bytes;
use tokaki_core::{DateRange, Error, Output, Receipt, Replacement, Result, RowsOfDay, Table};

use super::draft::Draft;
use super::folder::Folder;
use super::{blocking, existing};
use crate::disk::sync_folder;
use crate::look::{first_rows, shell_word};
use crate::target::{Target, destination};

/// Files under way.
pub(super) struct ParquetReplacement {
    /// Taken out while rows are written: if that fails or is cancelled, they are gone and nothing can be committed.
    files: Option<Files>,
    removed: Vec<RowsOfDay>,
    undated_deleted: u64,
    rows_inserted: u64,
}

/// The drafts are dropped before the folder, which can only be removed when it is empty.
struct Files {
    drafts: Vec<Draft>,
    folder: Folder,
}

impl ParquetReplacement {
    /// Starts a draft per table with the rows that stay.
    pub(super) fn begin(folder: Folder, days: DateRange, targets: &[Target], create_missing: bool) -> Result<Self> {
        let drafts: Result<Vec<_>> = targets
            .iter()
            .map(|target| {
                let existing = existing::open(&folder.path, target, create_missing)?;
                Draft::start(&folder.path, target, days, existing)
            })
            .collect();
        let drafts = drafts?;
        let removed = drafts.iter().flat_map(Draft::removed).collect();
        Ok(Self { files: Some(Files { drafts, folder }), removed, undated_deleted: 0, rows_inserted: 0 })
    }

    /// Adds rows to the draft of `output`'s table; `append` says how many.
    async fn on_draft(
        &mut self,
        output: &Output,
        append: impl FnOnce(&mut Draft) -> Result<u64> + Send + 'static,
    ) -> Result<()> {
        let mut files = self.take_files()?;
        let table = destination(output)?.table.name;
        let (files, rows) = blocking(move || {
            let draft = files.drafts.iter_mut().find(|draft| draft.table.name == table);
            let rows = append(draft.ok_or_else(|| Error::bug("rows for a table that was not begun"))?)?;
            Ok((files, rows))
        })
        .await?;
        self.rows_inserted += rows;
        self.files = Some(files);
        Ok(())
    }

    fn take_files(&mut self) -> Result<Files> {
        self.files.take().ok_or_else(|| Error::bug("a failed replacement was used again"))
    }
}

#[async_trait]
impl Replacement for ParquetReplacement {
    async fn append(&mut self, output: &Output, rows: &RecordBatch) -> Result<()> {
        let own_rows = rows.clone();
        let output_there = output.clone();
        self.on_draft(output, move |draft| {
            output_there.check_rows(&own_rows)?;
            draft.append(&own_rows)?;
            Ok(own_rows.num_rows() as u64)
        })
        .await
    }

    async fn append_encoded(&mut self, output: &Output, rows: Bytes) -> Result<()> {
        self.on_draft(output, move |draft| draft.append_encoded(rows)).await
    }

    async fn take(&mut self, output: &Output) -> Result<RecordBatch> {
        let mut files = self.take_files()?;
        let table = destination(output)?.table.name;
        let draft = files.drafts.iter_mut().find(|draft| draft.table.name == table);
        let rows = draft.ok_or_else(|| Error::bug("rows of a table that was not begun"))?.take(output)?;
        self.undated_deleted += rows.num_rows() as u64;
        self.files = Some(files);
        Ok(rows)
    }

    fn removed(&self) -> &[RowsOfDay] {
        &self.removed
    }

    async fn commit(mut self: Box<Self>) -> Result<Receipt> {
        let files = self.take_files()?;
        let rows_deleted = self.removed.iter().map(|day| day.rows).sum::<u64>() + self.undated_deleted;
        let rows_inserted = self.rows_inserted;
        blocking(move || files.commit(rows_deleted, rows_inserted)).await
    }
}

impl Files {
    fn commit(mut self, rows_deleted: u64, rows_inserted: u64) -> Result<Receipt> {
        let look = self.drafts.first().map(|draft| look(&self.folder.path, draft.table)).unwrap_or_default();
        // All files are complete and on disk before the first is renamed: what is left can hardly fail.
        let finished: Result<Vec<_>> = self.drafts.into_iter().map(Draft::finish).collect();
        for file in finished? {
            file.name()?;
            self.folder.keep();
        }
        sync_folder(&self.folder.path)?;
        let location = format!("parquet:{}", self.folder.path.display());
        Ok(Receipt { rows_deleted, rows_inserted, location, look })
    }
}

fn look(folder: &Path, table: &Table) -> String {
    let file = folder.join(format!("{}.parquet", table.name)).to_string_lossy().replace('"', "\"\"");
    format!("duckdb -c {}", shell_word(&first_rows(table, &format!("\"{file}\""))))
}
