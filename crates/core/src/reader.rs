//! How a file becomes chunks.

use arrow::array::RecordBatch;
use async_trait::async_trait;
use serde::Serialize;

use crate::catalog::DataFile;
use crate::error::Result;
use crate::input::Selection;
use crate::payload::PayloadOfDay;
use crate::rollup::LabelTexts;

/// The unit of reading: one row group (or file part). Plain data, so that it can be counted, ordered and sent away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Split {
    /// The file.
    pub file: DataFile,
    /// Row group inside the file, counted from 0.
    pub row_group: usize,
    /// Rows in it; about so many if the format does not tell.
    pub rows: u64,
    /// Compressed bytes of the wanted columns.
    pub bytes: u64,
    /// What a row of the wanted columns takes when it is decoded, about.
    pub bytes_per_row: u64,
    /// Least and greatest instant of its rows, nanoseconds since 1970 UTC, if the file tells.
    pub instants: Option<(i64, i64)>,
}

/// Decodes a split that is in memory: computes and never waits, so it may run on any thread.
pub type ChunkDecoder = Box<dyn DecodeChunks>;

/// Gives the rows of a split, chunk by chunk. Every iterator of batches does.
pub trait DecodeChunks: Send {
    /// The next rows; none after the last or after an error. Columns of [`crate::ColumnKind::Labels`] may come as numbers
    /// of texts that are added to `labels`.
    fn next_chunk(&mut self, labels: &mut LabelTexts) -> Option<Result<RecordBatch>>;
}

impl<I: Iterator<Item = Result<RecordBatch>> + Send> DecodeChunks for I {
    fn next_chunk(&mut self, _: &mut LabelTexts) -> Option<Result<RecordBatch>> {
        self.next()
    }
}

/// A file format.
#[async_trait]
pub trait Reader: Send + Sync {
    /// The splits of `file` that may hold rows of the selection's days, in file order. Checks that the columns exist
    /// and have usable types, except in a file without rows.
    ///
    /// # Errors
    /// `Parquet`, `Column` or `Type` for the content, `Store` or `Access` for the way to it; each with the file.
    async fn splits(&self, file: &DataFile, want: &Selection) -> Result<Vec<Split>>;

    /// Which payload `file` came with, if its writer noted that. Asked only of files that share a day with others.
    ///
    /// # Errors
    /// As for [`Reader::splits`].
    async fn payload(&self, file: &DataFile) -> Result<Option<PayloadOfDay>>;

    /// Fetches the bytes of `split` and returns what decodes them: batches of at most `want.chunk_rows` rows with the
    /// time column first and then `want.columns`, typed as [`crate::ColumnKind`] says.
    ///
    /// # Errors
    /// As for [`Reader::splits`]; the decoder yields the same kinds.
    async fn fetch(&self, split: &Split, want: &Selection) -> Result<ChunkDecoder>;

    /// The one format that it reads, if it is one that catalogs may name ([`crate::Catalog::format`]).
    fn format(&self) -> Option<&'static str> {
        None
    }
}
