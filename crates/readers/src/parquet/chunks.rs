//! The chunks of a row group that is in memory.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::Bytes;
use parquet::DecodeResult;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReader};
use parquet::arrow::push_decoder::ParquetPushDecoderBuilder;
use parquet::file::metadata::ParquetMetaData;
use tokaki_core::rollup::LabelTexts;
use tokaki_core::{DecodeChunks, Error, Result, Split};

use super::labels::Labels;
use super::layout::{Layout, RowGroupLayout};
use super::{damaged, parquet_error};
use crate::store::AtFile;

/// Decodes a row group: its labels into numbers, and the other columns beside them.
pub(super) struct Chunks {
    layout: Layout,
    /// For errors.
    shown: String,
    others: ParquetRecordBatchReader,
    labels: Option<Labels>,
}

impl Chunks {
    /// The columns lie in `fetched`, each at its range of the file.
    ///
    /// # Errors
    /// `Parquet` if the schema makes no sense.
    pub(super) fn new(
        layout: Layout,
        footer: &Arc<ParquetMetaData>,
        split: &Split,
        chunk_rows: usize,
        fetched: &(Vec<Range<u64>>, Vec<Bytes>),
    ) -> Result<Self> {
        let RowGroupLayout { metadata, other_columns, label_columns } =
            layout.row_group(Arc::clone(footer), split.row_group).map_err(parquet_error)?;
        let rows = usize::try_from(split.rows).unwrap_or(usize::MAX);
        let decode = |columns: ProjectionMask, rows_at_once: usize| {
            decoder(&metadata, split.row_group, columns, rows_at_once.min(rows), fetched)
        };
        let others = decode(other_columns, chunk_rows)?;
        let labels = label_columns.map(|columns| decode(columns, Labels::ROWS_AT_ONCE)).transpose()?.map(Labels::new);
        Ok(Self { layout, shown: split.file.shown.clone(), others, labels })
    }
}

impl DecodeChunks for Chunks {
    fn next_chunk(&mut self, texts: &mut LabelTexts) -> Option<Result<RecordBatch>> {
        let others = self.others.next()?.map_err(|error| damaged(&error));
        let chunk = others.and_then(|others| {
            let numbered = match &mut self.labels {
                Some(labels) => labels.next_rows(others.num_rows(), texts)?,
                None => Vec::new(),
            };
            self.layout.chunk(&others, &numbered)
        });
        Some(chunk.map_err(|error| error.at_file(&self.shown)))
    }
}

fn decoder(
    metadata: &ArrowReaderMetadata,
    row_group: usize,
    columns: ProjectionMask,
    rows_at_once: usize,
    (ranges, fetched): &(Vec<Range<u64>>, Vec<Bytes>),
) -> Result<ParquetRecordBatchReader> {
    let leaves = metadata.metadata().row_group(row_group).columns().iter().enumerate();
    let wanted: Vec<Range<u64>> = leaves
        .filter(|(leaf, _)| columns.leaf_included(*leaf))
        .map(|(_, column)| column.byte_range())
        .map(|(start, length)| start..start + length)
        .collect();
    let of_columns = ranges.iter().zip(fetched).filter(|(range, _)| wanted.contains(range));
    let (ranges, fetched) = of_columns.map(|(range, bytes)| (range.clone(), bytes.clone())).unzip();
    let decoder = ParquetPushDecoderBuilder::new_with_metadata(metadata.clone())
        .with_row_groups(vec![row_group])
        .with_projection(columns)
        .with_batch_size(rows_at_once)
        .build();
    let mut decoder = decoder.map_err(parquet_error)?;
    decoder.push_ranges(ranges, fetched).map_err(parquet_error)?;
    match decoder.try_next_reader().map_err(parquet_error)? {
        DecodeResult::Data(batches) => Ok(batches),
        // Without a page index the decoder asks for whole column chunks.
        DecodeResult::NeedsData(_) => Err(Error::bug("a column was not fetched in one piece")),
        DecodeResult::Finished => Err(Error::bug("a row group without rows was decoded")),
    }
}
