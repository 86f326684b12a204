//! Labels as numbers. Numbered a page at a time, their texts are read while they are in the processor's caches, and the
//! page is free when the next one is unpacked.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchReader, UInt32Array};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::errors::ParquetError;
use tokaki_core::Result;
use tokaki_core::rollup::LabelTexts;

use super::damaged;

/// The label columns of a row group whose writer kept no dictionary to the end.
pub(super) struct Labels {
    batches: ParquetRecordBatchReader,
    /// Decoded, and beyond the rows that were asked for.
    ahead: Option<RecordBatch>,
}

impl Labels {
    /// Rows of a decoder's batch, about a page.
    pub(super) const ROWS_AT_ONCE: usize = 2_048;

    /// `batches` has the label columns alone, as bytes that nobody has proven to be UTF-8 yet.
    pub(super) fn new(batches: ParquetRecordBatchReader) -> Self {
        Self { batches, ahead: None }
    }

    /// Name and next `rows` rows of each column, as numbers of `texts`.
    ///
    /// # Errors
    /// `Type`, with the column, if a text is not UTF-8; `Parquet` if there are fewer rows.
    pub(super) fn next_rows(&mut self, rows: usize, texts: &mut LabelTexts) -> Result<Vec<(String, ArrayRef)>> {
        let schema = self.batches.schema();
        let mut columns: Vec<(&String, Vec<u32>)> =
            schema.fields().iter().map(|field| (field.name(), Vec::with_capacity(rows))).collect();
        let mut left = rows;
        while left > 0 {
            let batch = self.next_batch(left)?;
            left -= batch.num_rows();
            for ((name, numbers), column) in columns.iter_mut().zip(batch.columns()) {
                numbers.extend_from_slice(texts.number(name, column)?);
            }
        }
        let column = |(name, numbers): (&String, Vec<u32>)| (name.clone(), Arc::new(UInt32Array::from(numbers)) as _);
        Ok(columns.into_iter().map(column).collect())
    }

    fn next_batch(&mut self, most: usize) -> Result<RecordBatch> {
        let fewer = || ParquetError::General("a column of labels has fewer rows than others".into());
        let batch = self.ahead.take().map(Ok).or_else(|| self.batches.next());
        let batch = batch.ok_or_else(|| damaged(&fewer()))?.map_err(|error| damaged(&error))?;
        let now = batch.num_rows().min(most);
        self.ahead = (now < batch.num_rows()).then(|| batch.slice(now, batch.num_rows() - now));
        Ok(batch.slice(0, now))
    }
}
