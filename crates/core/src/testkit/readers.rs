//! What every reader promises.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, Float64Type, TimeUnit, TimestampNanosecondType, UInt32Type};
use serde_json::Value;

use super::fixtures::{self, Open};
use super::job::instant;
use super::line::{Line, lines};
use super::plugins::Plugins;
use super::sinks::scope;
use crate::catalog::DataFile;
use crate::error::{Error, ErrorKind, Result};
use crate::input::{ColumnKind, Selection, WantedColumn};
use crate::plugin::{Build, Plugin, PluginKind, StorePart};
use crate::reader::{ChunkDecoder, Reader};
use crate::rollup::LabelTexts;

/// An empty store that a reader reads from, with room for one file.
pub trait Place: Send + Sync {
    /// The settings that make a reader read from it.
    fn part(&self) -> StorePart;

    /// A file with these line items of pods in the format of the reader. They have the columns `namespace`, `pod_labels`
    /// and `pod_usage_cpu_core_seconds`, of which the last may be null. [`crate::testkit::batch`] helps.
    fn encode(&self, lines: &[Line]) -> Vec<u8>;

    /// Puts a file there, in place of the one that was there.
    fn put(&self, bytes: &[u8]) -> DataFile;

    /// Whether the format tells, before it is decoded, how many rows a file has.
    fn counts_rows(&self) -> bool {
        true
    }
}

/// Every reader of the crate tells what is in a file, whatever the size of the chunks, and what is wrong with it.
///
/// # Panics
/// If one breaks a promise, or has no fixture.
pub fn keep_their_promises(plugins: &Plugins) {
    fixtures::for_each(plugins, PluginKind::Reader, async |plugin, open| {
        let Open::Reader(open) = open else { unreachable!("a fixture of the plugin's kind") };
        let place = open();
        let bench = Bench { plugin, place: place.as_ref() };
        bench.rows_are_those_of_the_file().await;
        bench.a_file_without_rows_has_none().await;
        bench.what_cannot_be_read_is_an_error_with_its_place().await;
    });
}

/// The time and a column of each kind, and one that no file has.
pub fn want(chunk_rows: usize) -> Selection {
    let columns = vec![
        WantedColumn::new("namespace", ColumnKind::Text),
        WantedColumn::new("no_such_column", ColumnKind::Number),
        WantedColumn::new("pod_labels", ColumnKind::Labels),
        WantedColumn::new("pod_usage_cpu_core_seconds", ColumnKind::Number),
    ];
    Selection { time_column: "interval_start", columns, days: None, chunk_rows }
}

struct Bench<'a> {
    plugin: &'a Plugin,
    place: &'a dyn Place,
}

impl Bench<'_> {
    /// A new one each time: some remember what they saw of a file.
    fn reader(&self) -> Arc<dyn Reader> {
        let built = match self.plugin.build {
            Build::Reader(build) => build(&self.place.part()),
            _ => Err(Error::bug("the plugin is no reader")),
        };
        built.expect("a reader")
    }

    async fn rows_are_those_of_the_file(&self) {
        let lines = lines(
            "pod_usage",
            r#"
            hour | namespace | pod_labels             | pod_usage_cpu_core_seconds
            0    | shop      | {"app": "web"}         | 3600
            23   | bank      | {}                     | -
            24   | shop      | {"app": "a", "b": "é"} | 0.125
            "#,
        );
        let file = self.place.put(&self.place.encode(&lines));
        for chunk_rows in [1, 2, 1000] {
            let rows = self.read(&file, &want(chunk_rows)).await.expect("a file that can be read");
            assert_eq!(
                as_texts(&rows),
                lines.iter().map(line_as_text).collect::<Vec<_>>(),
                "in chunks of {chunk_rows} rows"
            );
        }
        // Rows of other days may be left out, and those of the asked days may not.
        for (day, kept) in [("2025-10-01", 0..2), ("2025-10-02", 2..3)] {
            let want = Selection { days: Some(scope(day, day).days), ..want(1000) };
            let rows = as_texts(&self.read(&file, &want).await.expect("a file that can be read"));
            let missing = lines[kept].iter().map(line_as_text).find(|line| !rows.contains(line));
            assert_eq!(missing, None, "a row of {day} is left out");
        }
    }

    async fn a_file_without_rows_has_none(&self) {
        let file = self.place.put(&self.place.encode(&[]));
        let rows = self.read(&file, &want(10)).await.expect("a file that can be read");
        assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
    }

    /// Wherever a file is cut, it gives rows or an error that names it: some formats cannot know that more should follow.
    async fn what_cannot_be_read_is_an_error_with_its_place(&self) {
        let lines =
            lines("pod_usage", "hour|namespace|pod_labels|pod_usage_cpu_core_seconds\n0|shop|{}|1\n1|shop|{}|2");
        let whole = self.place.encode(&lines);
        let check = |error: Error, file: &DataFile, what: String| {
            assert_ne!(error.kind(), ErrorKind::Bug, "{what}: {error}");
            let named = error.place().file.as_deref() == Some(file.shown.as_str());
            assert!(named, "{what}: the error does not name the file: {error}");
        };
        for length in (0..whole.len()).step_by(whole.len().div_ceil(40)) {
            let file = self.place.put(&whole[..length]);
            if let Err(error) = self.read(&file, &want(10)).await {
                check(error, &file, format!("cut after {length} bytes"));
            }
        }
        let mut gone = self.place.put(&whole);
        gone.path += "-that-is-gone";
        gone.shown += "-that-is-gone";
        let error = self.read(&gone, &want(10)).await.expect_err("there is no such file");
        check(error, &gone, "no such file".to_owned());
    }

    /// All batches of the file, each as the selection wants it.
    async fn read(&self, file: &DataFile, want: &Selection) -> Result<Vec<RecordBatch>> {
        let reader = self.reader();
        let mut batches = Vec::new();
        let splits = reader.splits(file, want).await?;
        assert_eq!(splits, reader.splits(file, want).await?, "the splits are others the second time");
        for split in splits {
            let of_split = decoded(reader.fetch(&split, want).await?)?;
            let rows: usize = of_split.iter().map(RecordBatch::num_rows).sum();
            assert!(!self.place.counts_rows() || rows as u64 == split.rows, "a split of {rows} rows: {split:?}");
            for batch in &of_split {
                assert!(batch.num_rows() <= want.chunk_rows, "a chunk is larger than asked for");
                is_as_wanted(batch, want);
                let (least, greatest) = split.instants.unwrap_or((i64::MIN, i64::MAX));
                let told = Range { start: least, end: greatest.saturating_add(1) };
                let inside = batch.column(0).as_primitive::<TimestampNanosecondType>().iter().flatten();
                assert!(inside.into_iter().all(|time| told.contains(&time)), "a row beyond {split:?}");
            }
            batches.extend(of_split);
        }
        Ok(batches)
    }
}

/// All rows of a decoder, labels that came as numbers as the texts that they stand for.
///
/// # Errors
/// The decoder's first.
pub fn decoded(mut decoder: ChunkDecoder) -> Result<Vec<RecordBatch>> {
    let mut labels = LabelTexts::default();
    let mut batches = Vec::new();
    while let Some(batch) = decoder.next_chunk(&mut labels) {
        let batch = batch?;
        let schema = batch.schema();
        let column = |(field, column): (&FieldRef, &ArrayRef)| match column.as_primitive_opt::<UInt32Type>() {
            Some(numbers) => (field.name().clone(), Arc::new(labels.texts(field.name(), numbers)) as ArrayRef),
            None => (field.name().clone(), Arc::clone(column)),
        };
        let columns = schema.fields().iter().zip(batch.columns()).map(column);
        batches.push(
            RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)))
                .expect("equally many rows"),
        );
    }
    assert!(decoder.next_chunk(&mut labels).is_none(), "rows after the last ones");
    Ok(batches)
}

fn is_as_wanted(batch: &RecordBatch, want: &Selection) {
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
            (other, ColumnKind::Text | ColumnKind::Labels) => is_text(other),
            (other, ColumnKind::Instant) => *other == DataType::Timestamp(TimeUnit::Nanosecond, None),
        };
        assert!(as_kind, "the column {} of kind {:?} came as {}", column.name, column.kind, array.data_type());
    }
}

/// Instant, namespace, labels and number of a row. Labels may be spelled in more than one way, and NaN is null.
type RowOfPods = (i64, String, Value, Option<f64>);

fn as_texts(batches: &[RecordBatch]) -> Vec<RowOfPods> {
    batches.iter().flat_map(rows_of).collect()
}

fn rows_of(batch: &RecordBatch) -> Vec<RowOfPods> {
    let text = |column: usize| cast(batch.column(column), &DataType::Utf8).expect("text");
    let (namespaces, labels) = (text(1), text(3));
    let times = batch.column(0).as_primitive::<TimestampNanosecondType>();
    let numbers = batch.column(4).as_primitive::<Float64Type>();
    let row = |row: usize| {
        let labels = serde_json::from_str(labels.as_string::<i32>().value(row)).expect("labels are JSON");
        let number = Some(numbers.value(row)).filter(|number| numbers.is_valid(row) && !number.is_nan());
        (times.value(row), namespaces.as_string::<i32>().value(row).to_owned(), labels, number)
    };
    (0..batch.num_rows()).map(row).collect()
}

fn line_as_text(line: &Line) -> RowOfPods {
    let text = |column: &str| line.text(column).unwrap_or_default();
    let labels = serde_json::from_str(text("pod_labels")).expect("labels are JSON");
    let number = line.text("pod_usage_cpu_core_seconds").map(|number| number.parse().expect("a number"));
    (instant(line), text("namespace").to_owned(), labels, number)
}
