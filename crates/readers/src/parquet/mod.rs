//! Reads line items from Parquet. See `README.md` in this folder.
//!
//! Knows footers, row groups and column chunks. Does not know where files lie (the catalogs do), which tables there
//! are, or what the rows are for.

mod chunks;
mod claims;
mod footer;
mod labels;
mod layout;
mod pages;
pub mod payload;
mod prune;
mod undeclared;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::ColumnChunkMetaData;
use async_trait::async_trait;
use bytes::Bytes;
use tokaki_core::plugin::StorePart;
use tokaki_core::section::NoSettings;
use tokaki_core::{ChunkDecoder, DataFile, Error, ErrorKind, PayloadOfDay, Reader, Result, Selection, Split};

use self::chunks::Chunks;
use self::footer::Known;
use self::layout::Layout;
use crate::store::{AtFile, Store};

tokaki_core::register!(Reader, NoSettings, "parquet", "Parquet files of any writer, by row group.", build);

fn build(part: &StorePart) -> Result<Arc<dyn Reader>> {
    part.own.parse::<NoSettings>()?;
    Ok(Arc::new(ParquetReader { store: Store::open(&part.store)?, known: Mutex::default(), kept: AtomicU64::new(0) }))
}

struct ParquetReader {
    store: Store,
    /// Files by path: their footers are read when splits are made, and used again when a split is fetched.
    known: Mutex<HashMap<String, Known>>,
    /// Bytes of those that are kept whole.
    kept: AtomicU64,
}

#[async_trait]
impl Reader for ParquetReader {
    async fn splits(&self, file: &DataFile, want: &Selection) -> Result<Vec<Split>> {
        let Known { footer, .. } = self.known(file).await?;
        // A file without rows may lack anything (spec § 2).
        if footer.file_metadata().num_rows() == 0 {
            return Ok(Vec::new());
        }
        let layout = Layout::new(&footer, want).map_err(|error| error.at_file(&file.shown))?;
        let kept = prune::row_groups(&footer, layout.schema(), want).map_err(|error| error.at_file(&file.shown))?;
        for (row_group, _) in &kept {
            claims::check_row_group(&footer, *row_group, &layout, file.bytes)
                .map_err(|error| error.at_file(&file.shown))?;
        }
        let split = |(row_group, instants): (usize, Option<(i64, i64)>)| {
            let metadata = footer.row_group(row_group);
            let bytes = layout.columns(metadata).map(|column| column.compressed_size().max(0) as u64).sum();
            let rows = metadata.num_rows().max(0) as u64;
            let bytes_per_row = layout.columns(metadata).map(|column| bytes_per_row(column, rows)).sum();
            Split { file: file.clone(), row_group, rows, bytes, bytes_per_row, instants }
        };
        Ok(kept.into_iter().map(split).filter(|split| split.rows > 0).collect())
    }

    async fn payload(&self, file: &DataFile) -> Result<Option<PayloadOfDay>> {
        let Known { footer, .. } = self.known(file).await?;
        let notes = footer.file_metadata().key_value_metadata().map_or(&[][..], Vec::as_slice);
        let notes = notes.iter().filter_map(|note| Some((note.key.as_str(), note.value.as_deref()?)));
        if let Some(payload) = payload::of_notes(notes, &file.shown) {
            return Ok(Some(payload));
        }
        let notes = self.store.file(file).notes().await?;
        Ok(payload::of_notes(notes.iter().map(|(name, value)| (name.as_str(), value.as_str())), &file.shown))
    }

    async fn fetch(&self, split: &Split, want: &Selection) -> Result<ChunkDecoder> {
        let at_file = |error: Error| error.at_file(&split.file.shown);
        let Known { footer, whole } = self.known(&split.file).await?;
        let layout = Layout::new(&footer, want).map_err(at_file)?;
        let columns: Vec<_> = layout.columns(footer.row_group(split.row_group)).collect();
        let range = |column: &&ColumnChunkMetaData| {
            let (start, length) = column.byte_range();
            start..start + length
        };
        let ranges: Vec<_> = columns.iter().map(range).collect();
        let inside = |whole: &Bytes| ranges.iter().all(|range| range.end <= whole.len() as u64);
        let fetched = match whole.filter(inside) {
            Some(whole) => ranges.iter().map(|range| whole.slice(range.start as usize..range.end as usize)).collect(),
            None => self.store.file(&split.file).fetch(&ranges).await?,
        };
        for (column, bytes) in columns.iter().zip(&fetched) {
            claims::check_pages(split.row_group, column, bytes).map_err(at_file)?;
        }
        let chunks = Chunks::new(layout, &footer, split, want.chunk_rows, &(ranges, fetched));
        Ok(Box::new(chunks.map_err(at_file)?))
    }

    fn format(&self) -> Option<&'static str> {
        Some("parquet")
    }
}

impl ParquetReader {
    async fn known(&self, file: &DataFile) -> Result<Known> {
        /// Together; labels of a small cluster are some KiB a file.
        const MOST_KEPT: u64 = 1 << 20;
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&file.path).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let mut known =
            footer::load(&self.store.file(file), file.bytes).await.map_err(|error| error.at_file(&file.shown))?;
        let kept = |kept: u64| Some(kept + file.bytes).filter(|kept| *kept <= MOST_KEPT);
        if known.whole.is_some() && self.kept.fetch_update(Ordering::Relaxed, Ordering::Relaxed, kept).is_err() {
            known.whole = None;
        }
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(file.path.clone(), known.clone());
        Ok(known)
    }
}

/// A number or a view of text, and the text itself as far as it is not shared by rows.
fn bytes_per_row(column: &ColumnChunkMetaData, rows: u64) -> u64 {
    const VALUE: u64 = 16;
    VALUE + (column.uncompressed_size().max(0) as u64).div_ceil(rows.max(1))
}

fn parquet_error(error: ParquetError) -> Error {
    damaged(&error)
}

fn damaged(error: &dyn std::error::Error) -> Error {
    Error::new(ErrorKind::Parquet, format!("the file cannot be read as Parquet: {error}"))
        .help("the file may be incomplete or damaged: upload it again, or take it out of the folder")
}

#[cfg(test)]
mod tests;
