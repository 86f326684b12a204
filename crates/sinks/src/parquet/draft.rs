//! A table's new file, before it gets its name.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow::array::{BooleanArray, RecordBatch, new_null_array};
use arrow::compute::{BatchCoalescer, concat_batches, filter_record_batch, not};
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::reader::ChunkReader;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use tempfile::{NamedTempFile, TempPath};
use tokaki_core::{DateRange, Error, ErrorKind, Output, Result, RowsOfDay, Table};

use super::encode::{FEWEST_ROWS, MOST_ROWS, RowGroups, arrow_error, chunk_of, properties};
use super::existing::{Existing, file_schema};
use super::owned::Removed;
use crate::disk::{disk_error, draft_of, place_of};
use crate::target::Target;

/// Bytes that are written at once.
const WRITE_BYTES: usize = 1 << 18;

/// A file that is being written under a temporary name.
///
/// Row groups come into it whole: encoded days and those of the old file that stay. Rows that are too few for that wait
/// until they fill a row group together, and those that are left come last. So the bytes depend on the rows alone, and
/// not on what was cut where on their way.
pub(super) struct Draft {
    /// The table.
    pub(super) table: &'static Table,
    removed: Removed,
    /// Rows without days that were left out, until they are asked for.
    undated: Vec<RecordBatch>,
    path: PathBuf,
    temporary: TempPath,
    writer: SerializedFileWriter<BufWriter<File>>,
    pending: BatchCoalescer,
    schema: SchemaRef,
}

/// Which rows of a row group go.
enum Gone {
    All,
    None,
    /// Those that are marked, by what was read at once.
    Some(Vec<BooleanArray>),
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
        // Chunks are copied some kilobytes at a time, and the system takes more at once with less effort.
        let file = BufWriter::with_capacity(WRITE_BYTES, file);
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties(target.table).build()));
        let (writer, _) =
            writer.and_then(ArrowWriter::into_serialized_writer).map_err(|error| parquet_error(&path, &error))?;
        let pending = BatchCoalescer::new(schema.clone(), MOST_ROWS);
        let removed = Removed::new(target);
        let mut draft =
            Self { table: target.table, removed, undated: Vec::new(), path, temporary, writer, pending, schema };
        if let Some(existing) = existing {
            draft.copy_staying(&existing, days)?;
        }
        Ok(draft)
    }

    fn copy_staying(&mut self, existing: &Existing, days: DateRange) -> Result<()> {
        let columns = self.removed.columns();
        let names: Vec<&str> = columns.keys().copied().collect();
        let typical_rows = existing.typical_rows(&columns)?;
        for (index, row_group) in existing.row_groups().iter().enumerate() {
            let gone = match &typical_rows[index] {
                Some(row) if self.table.day_field.is_some() => {
                    let rows = row_group.num_rows().unsigned_abs();
                    let gone = self.removed.take(row, days, rows).map_err(|error| arrow_error(&error))?;
                    if gone.has_true() { Gone::All } else { Gone::None }
                }
                _ => self.gone(existing.rows(index, Some(&names))?, days)?,
            };
            match gone {
                Gone::All => {}
                Gone::None if self.is_like_ours(existing, row_group) => {
                    self.splice(existing.file(), row_group).map_err(|error| not_copied(&self.path, &error))?;
                }
                gone => self.copy_rows(existing, index, &gone)?,
            }
        }
        // What the next run would find as a row group of its own is one now, so that it writes the same.
        if self.pending.get_buffered_rows() >= FEWEST_ROWS {
            self.write_rest()?;
        }
        Ok(())
    }

    /// Whether a row group of the old file is one that this file could have as well, as it is.
    fn is_like_ours(&self, existing: &Existing, row_group: &RowGroupMetaData) -> bool {
        let descriptor = self.writer.schema_descr();
        let is_like = |chunk: &ColumnChunkMetaData| descriptor.columns().iter().any(|it| **it == *chunk.column_descr());
        let rows = usize::try_from(row_group.num_rows()).unwrap_or(usize::MAX);
        existing.is_ours() && (FEWEST_ROWS..=MOST_ROWS).contains(&rows) && row_group.columns().iter().all(is_like)
    }

    /// Which of the rows go. All never go where those that do are asked for.
    fn gone(&mut self, rows: impl Iterator<Item = Result<RecordBatch>>, days: DateRange) -> Result<Gone> {
        let mut gone = Vec::new();
        for rows in rows {
            gone.push(self.removed.take(&rows?, days, 1).map_err(|error| arrow_error(&error))?);
        }
        Ok(if gone.iter().all(|gone| !gone.has_true()) {
            Gone::None
        } else if self.table.day_field.is_some() && gone.iter().all(|gone| !gone.has_false()) {
            Gone::All
        } else {
            Gone::Some(gone)
        })
    }

    /// Copies the rows of a row group that are not `gone`.
    fn copy_rows(&mut self, existing: &Existing, row_group: usize, gone: &Gone) -> Result<()> {
        for (index, rows) in existing.rows(row_group, None)?.enumerate() {
            let mut rows = self.widened(&rows?)?;
            if let Gone::Some(gone) = gone {
                let torn = || Error::bug("a row group has other rows in some of its columns");
                let gone = gone.get(index).ok_or_else(torn)?;
                if self.table.day_field.is_none() {
                    self.undated.push(filter_record_batch(&rows, gone).map_err(|error| arrow_error(&error))?);
                }
                let stays = not(gone).map_err(|error| arrow_error(&error))?;
                rows = filter_record_batch(&rows, &stays).map_err(|error| arrow_error(&error))?;
            }
            self.pending.push_batch(rows).map_err(|error| arrow_error(&error))?;
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

    /// Adds encoded rows that have some of the columns, and says how many they are.
    pub(super) fn append_encoded(&mut self, rows: Bytes) -> Result<u64> {
        let encoded = RowGroups::read(rows).map_err(|error| parquet_error(&self.path, &error))?;
        self.splice_all(&encoded)?;
        Ok(encoded.all().iter().map(|row_group| row_group.num_rows().unsigned_abs()).sum())
    }

    /// Ends the file and makes it last, still under its temporary name.
    pub(super) fn finish(mut self) -> Result<Finished> {
        self.write_rest()?;
        let file = self.writer.into_inner().map_err(|error| parquet_error(&self.path, &error))?;
        let file = file.into_inner().map_err(|error| disk_error(&self.path, error.error()))?;
        file.sync_all().map_err(|error| disk_error(&self.path, &error))?;
        Ok(Finished { temporary: self.temporary, path: self.path })
    }

    fn write_rest(&mut self) -> Result<()> {
        self.pending.finish_buffered_batch().map_err(|error| arrow_error(&error))?;
        self.write_pending()
    }

    fn write_pending(&mut self) -> Result<()> {
        while let Some(rows) = self.pending.next_completed_batch() {
            let encoded = RowGroups::encode(self.table, &rows).map_err(|error| parquet_error(&self.path, &error))?;
            self.splice_all(&encoded)?;
        }
        Ok(())
    }

    fn splice_all(&mut self, encoded: &RowGroups) -> Result<()> {
        let mut spliced = encoded.all().iter().map(|row_group| self.splice(&encoded.file, row_group));
        spliced.try_for_each(|spliced| spliced).map_err(|error| parquet_error(&self.path, &error))
    }

    /// Copies a row group of another file byte by byte, with nulls in the columns that it does not have.
    fn splice(&mut self, from: &impl ChunkReader, row_group: &RowGroupMetaData) -> ParquetResult<()> {
        let rows = usize::try_from(row_group.num_rows())?;
        let fields = self.schema.fields();
        let missing = fields.iter().filter(|field| chunk_of(row_group, field.name()).is_none());
        let missing: Vec<_> = missing.cloned().collect();
        let nulls = (!missing.is_empty()).then(|| RowGroups::of_nulls(self.table, missing, rows)).transpose()?;
        let mut to = self.writer.next_row_group()?;
        for field in fields {
            let of_nulls =
                || nulls.as_ref().and_then(|nulls| Some((nulls, chunk_of(nulls.all().first()?, field.name())?)));
            if let Some(chunk) = chunk_of(row_group, field.name()) {
                append_chunk(&mut to, from, chunk, rows)?;
            } else if let Some((nulls, chunk)) = of_nulls() {
                append_chunk(&mut to, &nulls.file, chunk, rows)?;
            }
        }
        to.close()?;
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

/// Copies a chunk.
fn append_chunk<W: Write + Send>(
    to: &mut SerializedRowGroupWriter<'_, W>,
    from: &impl ChunkReader,
    chunk: &ColumnChunkMetaData,
    rows: usize,
) -> ParquetResult<()> {
    let chunk = ColumnCloseResult {
        bytes_written: chunk.compressed_size().unsigned_abs(),
        rows_written: rows as u64,
        metadata: chunk.clone(),
        bloom_filter: None,
        column_index: None,
        offset_index: None,
    };
    to.append_column(from, chunk)
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

fn not_copied(path: &Path, error: &ParquetError) -> Error {
    Error::new(ErrorKind::Store, format!("rows that stay cannot be copied into a new file: {error}"))
        .at(&place_of(path))
}

fn parquet_error(path: &Path, error: &ParquetError) -> Error {
    Error::new(ErrorKind::Store, format!("the file cannot be written: {error}")).at(&place_of(path))
}
