//! Text files with tabs between their columns. See `README.md`.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, NullArray, RecordBatch, StringViewArray, TimestampNanosecondArray};
use async_trait::async_trait;
use chrono::DateTime;
use tokaki_core::plugin::StorePart;
use tokaki_core::section::NoSettings;
use tokaki_core::{
    ChunkDecoder, ColumnKind, DataFile, Error, ErrorKind, PayloadOfDay, Place, Reader, Result, Selection, Split,
};

tokaki_core::register!(Reader, NoSettings, "new_plugin", "Text files with tabs between their columns.", build);

/// What is needed of the section `[store]`, which catalog and reader share.
#[derive(serde::Deserialize)]
struct Store {
    url: PathBuf,
}

struct NewPlugin {
    folder: PathBuf,
}

fn build(part: &StorePart) -> Result<Arc<dyn Reader>> {
    let store: Store = part.store.parse()?;
    Ok(Arc::new(NewPlugin { folder: store.url }))
}

impl NewPlugin {
    async fn text(&self, file: &DataFile) -> Result<String> {
        let text = tokio::fs::read_to_string(self.folder.join(&file.path)).await;
        text.map_err(|error| Error::new(ErrorKind::Store, error.to_string()).at(&place(file)))
    }
}

fn place(file: &DataFile) -> Place {
    Place { file: Some(file.shown.clone()), ..Place::default() }
}

#[async_trait]
impl Reader for NewPlugin {
    async fn splits(&self, file: &DataFile, want: &Selection) -> Result<Vec<Split>> {
        let table = decode(&self.text(file).await?, want).map_err(|error| error.at(&place(file)))?;
        let rows = table.num_rows() as u64;
        let bytes_per_row = (table.get_array_memory_size() as u64).div_ceil(rows.max(1));
        // One split a file: nothing in a text says where its rows of some days begin.
        let split = Split { file: file.clone(), row_group: 0, rows, bytes: file.bytes, bytes_per_row, instants: None };
        Ok(if rows == 0 { Vec::new() } else { vec![split] })
    }

    async fn payload(&self, _file: &DataFile) -> Result<Option<PayloadOfDay>> {
        Ok(None)
    }

    async fn fetch(&self, split: &Split, want: &Selection) -> Result<ChunkDecoder> {
        let table = decode(&self.text(&split.file).await?, want).map_err(|error| error.at(&place(&split.file)))?;
        let rows = want.chunk_rows.max(1);
        let starts = (0..table.num_rows()).step_by(rows);
        Ok(Box::new(starts.map(move |start| Ok(table.slice(start, rows.min(table.num_rows() - start))))))
    }
}

/// The wanted columns of a text whose first line names them, the one that dates rows first. An empty cell is null.
fn decode(text: &str, want: &Selection) -> Result<RecordBatch> {
    let mut lines = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let names = lines.next().unwrap_or_default();
    let rows: Vec<_> = lines.collect();
    let column = |name: &'static str, kind: ColumnKind| -> Result<ArrayRef> {
        let Some(position) = names.iter().position(|known| *known == name) else {
            return Ok(Arc::new(NullArray::new(rows.len())));
        };
        let cells = rows.iter().map(|row| row.get(position).copied().filter(|cell| !cell.is_empty()));
        let wrong = |cell: &str, expected: &str| {
            Error::new(ErrorKind::Type, format!("expected {expected}, found the text {cell:?}")).column(name)
        };
        Ok(match kind {
            ColumnKind::Instant => {
                let nanoseconds =
                    |cell: &str| DateTime::parse_from_rfc3339(cell).ok().and_then(|time| time.timestamp_nanos_opt());
                let instant = |cell| nanoseconds(cell).ok_or_else(|| wrong(cell, "a time as 2025-10-01T05:00:00Z"));
                Arc::new(cells.map(|cell| cell.map(instant).transpose()).collect::<Result<TimestampNanosecondArray>>()?)
            }
            ColumnKind::Number => {
                let number = |cell: &str| cell.parse::<f64>().map_err(|_| wrong(cell, "a number"));
                Arc::new(cells.map(|cell| cell.map(number).transpose()).collect::<Result<Float64Array>>()?)
            }
            ColumnKind::Text | ColumnKind::Labels => Arc::new(cells.collect::<StringViewArray>()),
        })
    };
    if !rows.is_empty() && !names.contains(&want.time_column) {
        return Err(Error::new(ErrorKind::Column, "the column that dates rows is missing").column(want.time_column));
    }
    let mut columns = vec![(want.time_column, column(want.time_column, ColumnKind::Instant)?)];
    for wanted in &want.columns {
        columns.push((wanted.name, column(wanted.name, wanted.kind)?));
    }
    RecordBatch::try_from_iter(columns).map_err(|error| Error::bug(error.to_string()))
}

#[cfg(test)]
mod tests;
