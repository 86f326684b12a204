//! A table's new file, before it gets its name.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{RecordBatch, new_null_array};
use arrow::compute::{BatchCoalescer, concat_batches, filter_record_batch, not};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use tempfile::{NamedTempFile, TempPath};
use tokaki_core::{DateRange, Error, ErrorKind, Field, FieldKind, Output, Result, RowsOfDay, Table};

use super::existing::{Existing, file_schema};
use super::owned::Removed;
use crate::disk::{disk_error, draft_of, place_of};
use crate::target::Target;

/// Rows of one write. Page and row group borders then depend on the rows alone, not on how they arrived.
const WRITE_ROWS: usize = 8_192;
/// Rows of a row group, a multiple of [`WRITE_ROWS`]; one row group is held in memory.
const ROW_GROUP_ROWS: usize = 16_384;

/// A file that is being written under a temporary name.
pub(super) struct Draft {
    /// The table.
    pub(super) table: &'static Table,
    removed: Removed,
    /// Rows without days that were left out, until they are asked for.
    undated: Vec<RecordBatch>,
    path: PathBuf,
    temporary: TempPath,
    writer: ArrowWriter<File>,
    pending: BatchCoalescer,
    schema: SchemaRef,
}

impl Draft {
    /// Starts a file with those rows of the existing one that stay.
    pub(super) fn start(folder: &Path, target: &Target, days: DateRange, existing: Option<Existing>) -> Result<Self> {
        let path = folder.join(format!("{}.parquet", target.table.name));
        let known = |name: &str| existing.as_ref().is_some_and(|file| file.schema().column_with_name(name).is_some());
        let schema = file_schema(
            target.table.fields.iter().filter(|field| target.fields.contains(field) || known(field.name)).copied(),
        );
        let (file, temporary) = NamedTempFile::into_parts(draft_of(&path)?);
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties(target.table)))
            .map_err(|error| parquet_error(&path, &error))?;
        let pending = BatchCoalescer::new(schema.clone(), WRITE_ROWS);
        let removed = Removed::new(target);
        let mut draft =
            Self { table: target.table, removed, undated: Vec::new(), path, temporary, writer, pending, schema };
        if let Some(existing) = existing {
            draft.copy_staying(existing, days)?;
        }
        Ok(draft)
    }

    fn copy_staying(&mut self, existing: Existing, days: DateRange) -> Result<()> {
        let rows = existing.with_batch_size(WRITE_ROWS).build().map_err(|error| unreadable(&self.path, &error))?;
        for rows in rows {
            let rows = rows.map_err(|error| unreadable(&self.path, &error))?;
            let gone = self.removed.take(&rows, days).map_err(|error| arrow_error(&error))?;
            let stays = not(&gone).map_err(|error| arrow_error(&error))?;
            let rows = self.widened(&rows)?;
            if self.table.day_field.is_none() {
                self.undated.push(filter_record_batch(&rows, &gone).map_err(|error| arrow_error(&error))?);
            }
            self.pending.push_batch_with_filter(rows, &stays).map_err(|error| arrow_error(&error))?;
            self.write_pending()?;
        }
        Ok(())
    }

    /// Rows of the old file that were left out.
    pub(super) fn removed(&self) -> Vec<RowsOfDay> {
        self.removed.by_day()
    }

    /// Rows without days that were left out, in the columns of the output that owns them.
    pub(super) fn take(&mut self, output: &Output) -> Result<RecordBatch> {
        let rows = concat_batches(&self.schema, &std::mem::take(&mut self.undated));
        let rows = rows.map_err(|error| arrow_error(&error))?;
        let columns = output.fields.iter().filter_map(|field| rows.column_by_name(field.name).cloned());
        RecordBatch::try_new(output.schema(), columns.collect()).map_err(|error| arrow_error(&error))
    }

    /// Adds rows that have some of the columns.
    pub(super) fn append(&mut self, rows: &RecordBatch) -> Result<()> {
        let rows = self.widened(rows)?;
        self.pending.push_batch(rows).map_err(|error| arrow_error(&error))?;
        self.write_pending()
    }

    /// Ends the file and makes it last, still under its temporary name.
    pub(super) fn finish(mut self) -> Result<Finished> {
        self.pending.finish_buffered_batch().map_err(|error| arrow_error(&error))?;
        self.write_pending()?;
        let file = self.writer.into_inner().map_err(|error| parquet_error(&self.path, &error))?;
        file.sync_all().map_err(|error| disk_error(&self.path, &error))?;
        Ok(Finished { temporary: self.temporary, path: self.path })
    }

    fn write_pending(&mut self) -> Result<()> {
        while let Some(rows) = self.pending.next_completed_batch() {
            self.writer.write(&rows).map_err(|error| parquet_error(&self.path, &error))?;
        }
        Ok(())
    }

    /// `rows` with all columns of the file.
    fn widened(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let columns = self.schema.fields().iter().map(|field| {
            let missing = || new_null_array(field.data_type(), rows.num_rows());
            rows.column_by_name(field.name()).cloned().unwrap_or_else(missing)
        });
        RecordBatch::try_new(self.schema.clone(), columns.collect()).map_err(|error| arrow_error(&error))
    }
}

/// A whole file that only lacks its name.
pub(super) struct Finished {
    temporary: TempPath,
    path: PathBuf,
}

impl Finished {
    /// Puts the file in the place of the old one.
    pub(super) fn name(self) -> Result<()> {
        self.temporary.persist(&self.path).map_err(|error| disk_error(&self.path, &error.error))
    }
}

/// Fixed by the table, so that the same rows give the same bytes.
///
/// Snappy is what Koku's own files use and what every reader has; and it is decoded faster than it comes from a disk.
/// A dictionary of values that hardly repeat, and the least and greatest of labels, take time and serve nobody.
fn properties(table: &Table) -> WriterProperties {
    let properties = WriterProperties::builder()
        .set_created_by("tokaki".into())
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS));
    let of_field = |properties: WriterPropertiesBuilder, field: &Field| match field.kind {
        FieldKind::Uuid if table.id_field() == Some(field.name) => {
            properties.set_column_dictionary_enabled(field.name.into(), false)
        }
        FieldKind::Measure => properties.set_column_dictionary_enabled(field.name.into(), false),
        FieldKind::Json => properties.set_column_statistics_enabled(field.name.into(), EnabledStatistics::None),
        _ => properties,
    };
    table.fields.iter().fold(properties, of_field).build()
}

fn parquet_error(path: &Path, error: &ParquetError) -> Error {
    Error::new(ErrorKind::Store, format!("the file cannot be written: {error}")).at(&place_of(path))
}

fn unreadable(path: &Path, error: &dyn std::error::Error) -> Error {
    Error::new(ErrorKind::Destination, format!("the file cannot be read: {error}"))
        .at(&place_of(path))
        .help("move the damaged file away, or write to another folder")
}

fn arrow_error(error: &ArrowError) -> Error {
    Error::bug(format!("rows of checked types do not fit the file: {error}"))
}
