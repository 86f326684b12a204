use std::fs;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type};
use tokaki_core::rollup::LabelTexts;
use tokaki_core::testkit::readers::decoded;
use tokaki_core::{ColumnKind, ErrorKind, Section, WantedColumn};

use super::*;

const HEADER: &str = "report_period_start,report_period_end,interval_start,interval_end,node,node_labels";

fn row(hour: u32, node: &str) -> String {
    let time = |hour: u32| format!("2025-10-01 {hour:02}:00:00 +0000 UTC");
    format!("{},{},{},{},{node},label_zone:{node}", time(0), time(0), time(hour), time(hour + 1))
}

fn file(folder: &tempfile::TempDir, rows: &[String]) -> DataFile {
    let path = folder.path().join("nodes.csv");
    let text = std::iter::once(HEADER.to_owned()).chain(rows.iter().cloned()).collect::<Vec<_>>().join("\n");
    fs::write(&path, &text).expect("written");
    let path = path.to_string_lossy().into_owned();
    DataFile { shown: path.clone(), path, bytes: text.len() as u64, version: None }
}

fn want(chunk_rows: usize) -> Selection {
    let column = |name, kind| WantedColumn::new(name, kind);
    let columns = vec![
        column("node", ColumnKind::Text),
        column("node_labels", ColumnKind::Labels),
        column("cores", ColumnKind::Number),
    ];
    Selection { time_column: "interval_start", columns, days: None, chunk_rows }
}

fn reader() -> Arc<dyn Reader> {
    let part = StorePart { own: Section::default(), store: Section::default() };
    build(&part).expect("a reader")
}

async fn read(file: &DataFile, chunk_rows: usize) -> Result<Vec<RecordBatch>> {
    let (reader, want) = (reader(), want(chunk_rows));
    let mut chunks = Vec::new();
    for split in reader.splits(file, &want).await? {
        chunks.extend(decoded(reader.fetch(&split, &want).await?)?);
    }
    Ok(chunks)
}

#[tokio::test]
async fn chunks_have_the_wanted_columns_in_their_kinds_and_no_more_rows_than_wanted() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows: Vec<_> = (0..5).map(|hour| row(hour, "worker")).collect();
    let chunks = read(&file(&folder, &rows), 2).await.expect("reads");
    assert_eq!(chunks.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [2, 2, 1]);
    let chunk = &chunks[0];
    let names: Vec<_> = chunk.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["interval_start", "node", "node_labels", "cores"]);
    assert_eq!(chunk.column(2).as_string_view().value(0), r#"{"zone": "worker"}"#);
    assert_eq!(chunk.column(3).data_type(), &DataType::Null, "a column that the file lacks");
    assert!(chunk.column(3).as_primitive_opt::<Float64Type>().is_none());
}

#[tokio::test]
async fn a_file_without_a_header_has_no_splits_and_one_without_rows_no_chunks() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(read(&file(&folder, &[]), 8).await.expect("reads").is_empty());
    let empty = folder.path().join("empty.csv");
    fs::write(&empty, "").expect("written");
    let path = empty.to_string_lossy().into_owned();
    let empty = DataFile { shown: path.clone(), path, bytes: 0, version: None };
    assert!(reader().splits(&empty, &want(8)).await.expect("reads").is_empty());
}

#[tokio::test]
async fn what_is_no_time_is_an_error_with_file_and_line_and_nothing_follows_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows = [row(1, "a"), row(2, "b").replace("2025-10-01 02", "yesterday"), row(3, "c")];
    let file = file(&folder, &rows);
    let error = read(&file, 8).await.expect_err("no time");
    assert_eq!(error.kind(), ErrorKind::Type);
    assert!(error.message().starts_with("line 3"), "{error}");
    assert_eq!(error.place().file.as_ref(), Some(&file.shown));
    let split = reader().splits(&file, &want(8)).await.expect("a header").remove(0);
    let mut decoder = reader().fetch(&split, &want(8)).await.expect("opens");
    let mut labels = LabelTexts::default();
    while decoder.next_chunk(&mut labels).expect("an error").is_ok() {}
    assert!(decoder.next_chunk(&mut labels).is_none());
}
