//! What every reader promises.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, TimeUnit};

use crate::catalog::DataFile;
use crate::error::{Error, Result};
use crate::input::{ColumnKind, Selection, WantedColumn};
use crate::plugin::{Build, Plugin, StorePart};
use crate::reader::Reader;
use crate::section::Section;

/// The reader without settings of its own, over the files of a folder.
///
/// # Errors
/// It refuses the folder, or the plugin is no reader.
pub fn built(plugin: &Plugin, folder: &Path) -> Result<Arc<dyn Reader>> {
    let Build::Reader(build) = plugin.build else { return Err(Error::bug("the plugin is no reader")) };
    let url = [("url".to_owned(), folder.display().to_string().into())];
    build(&StorePart { own: Section::default(), store: Section::new("store", url.into_iter().collect()) })
}

/// What [`check`] asks for: a column of each kind besides the time, and one that no file has.
pub fn want(chunk_rows: usize) -> Selection {
    let columns = vec![
        WantedColumn::new("namespace", ColumnKind::Text),
        WantedColumn::new("no_such_column", ColumnKind::Number),
        WantedColumn::new("pod_labels", ColumnKind::Labels),
        WantedColumn::new("pod_usage_cpu_core_seconds", ColumnKind::Number),
    ];
    Selection { time_column: "interval_start", columns, days: None, chunk_rows }
}

/// Reads a file of pod usage in chunks of several sizes and checks each: columns in the wanted order and of the types
/// that their kinds promise, no chunk too large, as many rows as the splits say and between their instants, and the same
/// rows whatever the size. Tells how many rows there are.
///
/// # Panics
/// If something is not as it should be.
pub async fn check(reader: &dyn Reader, file: &DataFile) -> usize {
    let mut all: Option<RecordBatch> = None;
    for chunk_rows in [1, 2, 1000] {
        let rows = read(reader, file, &want(chunk_rows)).await;
        let known = all.get_or_insert_with(|| rows.clone());
        assert_eq!(*known, rows, "the rows depend on the size of the chunks");
    }
    all.map_or(0, |rows| rows.num_rows())
}

async fn read(reader: &dyn Reader, file: &DataFile, want: &Selection) -> RecordBatch {
    let mut batches = Vec::new();
    for split in reader.splits(file, want).await.expect("splits") {
        let of_split: Vec<RecordBatch> =
            reader.fetch(&split, want).await.expect("a decoder").collect::<Result<_>>().expect("rows");
        let rows: usize = of_split.iter().map(RecordBatch::num_rows).sum();
        assert_eq!(rows as u64, split.rows, "a split says how many rows it has");
        for batch in &of_split {
            assert!(batch.num_rows() <= want.chunk_rows, "a chunk is larger than asked for");
            as_promised(batch, want);
        }
        batches.extend(of_split);
    }
    let schema = batches.first().expect("a file with rows").schema();
    concat_batches(&schema, &batches).expect("chunks of one schema")
}

fn as_promised(batch: &RecordBatch, want: &Selection) {
    let names: Vec<_> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
    let wanted = std::iter::once(want.time_column).chain(want.columns.iter().map(|column| column.name));
    assert_eq!(names, wanted.collect::<Vec<_>>(), "the time comes first, then the columns as they were asked for");
    assert_eq!(batch.column(0).data_type(), &DataType::Timestamp(TimeUnit::Nanosecond, None));
    for (array, column) in batch.columns()[1..].iter().zip(&want.columns) {
        let is_text = |of: &DataType| match of {
            DataType::Dictionary(key, value) => **key == DataType::Int32 && **value == DataType::Utf8,
            other => *other == DataType::Utf8View,
        };
        let as_kind = match (array.data_type(), column.kind) {
            // So that a fold can tell "no such column" from "no value".
            (DataType::Null, _) => column.name == "no_such_column",
            (other, ColumnKind::Number) => *other == DataType::Float64 && column.name != "no_such_column",
            (DataType::BinaryView, ColumnKind::Labels) => true,
            (other, ColumnKind::Text | ColumnKind::Labels) => is_text(other),
            (other, ColumnKind::Instant) => *other == DataType::Timestamp(TimeUnit::Nanosecond, None),
        };
        assert!(as_kind, "the column {} of kind {:?} came as {}", column.name, column.kind, array.data_type());
    }
}
