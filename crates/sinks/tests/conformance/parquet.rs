//! The Parquet sink.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, RecordBatch, StringArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{Date32Type, Float64Type};
use async_trait::async_trait;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::TempDir;
use tokaki_core::{ErrorKind, Sink};

use crate::killed;
use crate::replacing::{begin, impatient_sink, replace, sink};
use tokaki_core::testkit::sinks::{Bench, Replacing};
use tokaki_core::testkit::sinks::{pods, scope, volumes};

pub(crate) struct ParquetBench {
    root: TempDir,
    pub(crate) file: PathBuf,
    sink: Arc<dyn Sink>,
}

impl ParquetBench {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("my usage/files");
        let sink = sink("parquet", &format!("parquet:{}", folder.display()), true).expect("a sink");
        Self { root, file: folder.join("usage_daily_summary.parquet"), sink }
    }

    pub(crate) fn read(&self) -> RecordBatch {
        let file = File::open(&self.file).expect("a file");
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("a Parquet file");
        let schema = reader.schema().clone();
        let batches: Result<Vec<_>, _> = reader.build().expect("a reader").collect();
        concat_batches(&schema, &batches.expect("rows")).expect("one schema")
    }

    pub(crate) fn write(&self, rows: &RecordBatch) {
        std::fs::create_dir_all(self.file.parent().expect("a folder")).expect("a folder");
        let file = File::create(&self.file).expect("a file");
        let mut writer = ArrowWriter::try_new(file, rows.schema(), None).expect("a writer");
        writer.write(rows).expect("rows");
        writer.close().expect("a whole file");
    }
}

fn text(rows: &RecordBatch, column: &str, row: usize) -> String {
    let values: Option<&ArrayRef> = rows.column_by_name(column);
    let shown = values.filter(|values| values.is_valid(row)).map(|values| match column {
        "usage_start" => values.as_primitive::<Date32Type>().value_as_date(row).expect("a date").to_string(),
        "cpu_hours" | "infrastructure_raw_cost" => values.as_primitive::<Float64Type>().value(row).to_string(),
        _ => values.as_string::<i32>().value(row).to_owned(),
    });
    shown.unwrap_or_else(|| "-".into())
}

#[async_trait]
impl Bench for ParquetBench {
    fn sink(&self) -> &dyn Sink {
        self.sink.as_ref()
    }

    async fn rows(&self) -> Vec<String> {
        if !self.file.exists() {
            return vec![];
        }
        let rows = self.read();
        let columns = ["data_source", "usage_start", "namespace", "pod_labels", "cpu_hours", "infrastructure_raw_cost"];
        let mut shown: Vec<_> =
            (0..rows.num_rows()).map(|row| columns.map(|column| text(&rows, column, row)).join("|")).collect();
        shown.sort();
        shown
    }

    async fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.file).expect("a file")
    }
}

#[async_trait]
impl Replacing for ParquetBench {
    fn impatient_sink(&self) -> Arc<dyn Sink> {
        impatient_sink("parquet", &format!("parquet:{}", self.file.parent().expect("a folder").display()))
    }

    async fn set_cost(&self, namespace: &str, cost: f64) {
        let rows = self.read();
        let costs: Float64Array =
            (0..rows.num_rows()).map(|row| (text(&rows, "namespace", row) == namespace).then_some(cost)).collect();
        let schema = rows.schema();
        let old =
            schema.fields().iter().zip(rows.columns()).filter(|(field, _)| field.name() != "infrastructure_raw_cost");
        let old = old.map(|(field, values)| (field.name().as_str(), values.clone(), true));
        let all = old.chain([("infrastructure_raw_cost", Arc::new(costs) as ArrayRef, true)]);
        self.write(&RecordBatch::try_from_iter_with_nullable(all).expect("rows"));
    }
}

tokaki_core::testkit::fixture!(Replacing, "parquet", || Box::new(ParquetBench::new()));

#[tokio::test]
async fn a_killed_run_changes_nothing() {
    let bench = ParquetBench::new();
    killed::leaves_everything_as_it_was(
        &bench,
        "parquet",
        &format!("parquet:{}", bench.file.parent().expect("a folder").display()),
    )
    .await;
}

#[tokio::test]
async fn nothing_is_left_but_the_files() {
    let bench = ParquetBench::new();
    for _ in 0..2 {
        replace(bench.sink(), &scope("2025-09-01", "2025-09-01"), &[(pods(), &[])]).await.expect("a run");
    }
    let names: Vec<_> = bench.file.parent().expect("a folder").read_dir().expect("a folder").collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[tokio::test]
async fn a_first_run_that_fails_leaves_no_folder() {
    let bench = ParquetBench::new();
    let day = scope("2025-09-01", "2025-09-01");
    bench.sink.check(&day, &[pods()]).await.expect("a writable folder");
    drop(begin(bench.sink(), &day, &[(pods(), &[("2025-09-01", None, None)])]).await.expect("a run"));
    assert_eq!(bench.root.path().read_dir().expect("a folder").count(), 0);
}

#[tokio::test]
async fn a_file_without_rows_has_all_written_columns() {
    let bench = ParquetBench::new();
    replace(bench.sink(), &scope("2025-09-01", "2025-09-01"), &[(volumes(), &[]), (pods(), &[])]).await.expect("a run");
    let names: Vec<_> = bench.read().schema().fields().iter().map(|field| field.name().clone()).collect();
    let expected: Vec<_> = pods().fields.iter().map(|field| field.name.to_owned()).collect();
    assert_eq!((bench.read().num_rows(), names), (0, expected));
}

#[tokio::test]
async fn columns_that_were_written_once_stay() {
    let (bench, day) = (ParquetBench::new(), scope("2025-09-01", "2025-09-01"));
    replace(bench.sink(), &day, &[(volumes(), &[("2025-09-01", Some("shop"), None)])]).await.expect("volumes");
    replace(bench.sink(), &day, &[(pods(), &[("2025-09-01", Some("shop"), None)])]).await.expect("pods");
    replace(bench.sink(), &day, &[(volumes(), &[])]).await.expect("no volumes");
    assert_eq!(bench.rows().await, ["Pod|2025-09-01|shop|{\"app\": \"shop\"}|-|-"]);
}

#[tokio::test]
async fn a_file_of_another_shape_is_refused() {
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["text"]));
    for (column, message) in [
        ("colour", "the file has a column that the table does not have"),
        ("usage_start", "expected a column of type Date32, found Utf8"),
    ] {
        let bench = ParquetBench::new();
        bench.write(&RecordBatch::try_from_iter([(column, texts.clone())]).expect("rows"));
        let before = bench.bytes().await;
        let day = scope("2025-09-01", "2025-09-01");
        let error = bench.sink.check(&day, &[pods()]).await.expect_err("another file");
        assert_eq!((error.kind(), error.message()), (ErrorKind::Destination, message));
        assert_eq!(error.place().column.as_deref(), Some(column));
        assert!(bench.sink.begin(&day, &[pods()]).await.is_err());
        assert_eq!(bench.bytes().await, before);
    }
}

#[tokio::test]
async fn nothing_is_created_unless_asked_for() {
    let (bench, day) = (ParquetBench::new(), scope("2025-09-01", "2025-09-01"));
    let folder = bench.file.parent().expect("a folder");
    let strict = sink("parquet", &format!("parquet:{}", folder.display()), false).expect("a sink");
    assert_eq!(strict.check(&day, &[pods()]).await.expect_err("no folder").kind(), ErrorKind::Destination);
    std::fs::create_dir_all(folder).expect("a folder");
    let error = strict.begin(&day, &[pods()]).await.err().expect("no file");
    assert_eq!((error.kind(), error.message()), (ErrorKind::Destination, "the file does not exist"));
}

#[tokio::test]
async fn two_runs_do_not_write_at_once() {
    let (bench, day) = (ParquetBench::new(), scope("2025-09-01", "2025-09-01"));
    let first = bench.sink.begin(&day, &[pods()]).await.expect("the folder is free");
    let error = bench.impatient_sink().begin(&day, &[pods()]).await.err().expect("the folder is taken");
    assert_eq!(error.kind(), ErrorKind::Held);
    first.commit().await.expect("a run");
    bench.sink.begin(&day, &[pods()]).await.expect("the folder is free again");
}
