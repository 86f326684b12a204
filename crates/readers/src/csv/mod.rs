//! Reads line items from the operator's CSV files. See `README.md` in this folder.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use tokaki_core::plugin::StorePart;
use tokaki_core::section::NoSettings;
use tokaki_core::{ChunkDecoder, DataFile, Error, PayloadOfDay, Reader, Result, Selection, Split};

use crate::columns::Wanted;
use crate::payload::{self, CsvBytes, Limits, LineItems};

tokaki_core::register!(Reader, NoSettings, "csv", "The operator's CSV files, as they are uploaded.", build);

fn build(part: &StorePart) -> Result<Arc<dyn Reader>> {
    part.own.parse::<NoSettings>()?;
    Ok(Arc::new(CsvReader))
}

struct CsvReader;

#[async_trait]
impl Reader for CsvReader {
    async fn splits(&self, file: &DataFile, want: &Selection) -> Result<Vec<Split>> {
        /// Nobody counts the rows of a CSV file before it is read; this is what one of the operator's has, about.
        const BYTES_PER_ROW: u64 = 400;
        let Some(rows) = open(file).await? else { return Ok(Vec::new()) };
        wanted(&rows, want).map_err(|error| error.at(rows.place()))?;
        Ok(vec![Split {
            file: file.clone(),
            row_group: 0,
            rows: (file.bytes / BYTES_PER_ROW).max(1),
            bytes: 0,
            bytes_per_row: BYTES_PER_ROW,
            instants: None,
        }])
    }

    /// Nothing is noted with a CSV file.
    async fn payload(&self, _file: &DataFile) -> Result<Option<PayloadOfDay>> {
        Ok(None)
    }

    async fn fetch(&self, split: &Split, want: &Selection) -> Result<ChunkDecoder> {
        let Some(rows) = open(&split.file).await? else { return Ok(Box::new(std::iter::empty())) };
        let wanted = wanted(&rows, want).map_err(|error| error.at(rows.place()))?;
        let chunks = Chunks { rows, wanted, chunk_rows: want.chunk_rows, rest: None, has_failed: false };
        Ok(Box::new(chunks))
    }

    fn format(&self) -> Option<&'static str> {
        Some("csv")
    }
}

/// The rows of a file; a member of an archive is unpacked into memory.
async fn open(file: &DataFile) -> Result<Option<LineItems<CsvBytes>>> {
    let path = file.path.clone();
    // The catalog has looked through the whole archive, and knows what it may unpack to.
    let limits = Limits { unpacked_bytes: u64::MAX };
    let opened = tokio::task::spawn_blocking(move || payload::open(&path, &limits)).await;
    opened.map_err(|error| Error::bug(error.to_string()))?
}

fn wanted(rows: &LineItems<CsvBytes>, want: &Selection) -> Result<Wanted> {
    let names = rows.column_names();
    Wanted::new(|name| names.iter().position(|column| *column == name), want)
}

/// Chunks, parsed as they are asked for. A file is read from disk on the way, in pieces: it may be far larger than what
/// fits into memory.
struct Chunks {
    rows: LineItems<CsvBytes>,
    wanted: Wanted,
    chunk_rows: usize,
    /// Parsed rows that did not fit into the last chunk.
    rest: Option<RecordBatch>,
    has_failed: bool,
}

impl Chunks {
    fn next_chunk(&mut self) -> Result<Option<RecordBatch>> {
        let parsed = match self.rest.take() {
            Some(rest) => Some(rest),
            None => self.rows.next_batch()?,
        };
        let Some(parsed) = parsed else {
            self.tell_what_was_left_out();
            return Ok(None);
        };
        if parsed.num_rows() > self.chunk_rows {
            self.rest = Some(parsed.slice(self.chunk_rows, parsed.num_rows() - self.chunk_rows));
        }
        let chunk = parsed.slice(0, parsed.num_rows().min(self.chunk_rows));
        self.wanted.chunk(&chunk, &[]).map(Some).map_err(|error| error.at(self.rows.place()))
    }

    fn tell_what_was_left_out(&self) {
        let (place, labels) = (self.rows.place(), self.rows.labels_left_out());
        if labels > 0 {
            tracing::warn!("{place}: {labels} labels are left out that are not of the form key:value");
        }
        let anomalies = self.rows.anomalies();
        if let Some(example) = &anomalies.example {
            let (rows, line, column) = (anomalies.rows, example.line, &example.column);
            tracing::warn!("{place}: {rows} rows are left out, line {line} first: {column} is beyond any cluster");
        }
    }
}

impl Iterator for Chunks {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed {
            return None;
        }
        let chunk = self.next_chunk();
        self.has_failed = chunk.is_err();
        chunk.transpose()
    }
}

#[cfg(test)]
mod tests;
