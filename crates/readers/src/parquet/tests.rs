use std::fs::{self, File};
use std::path::Path;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::Compression;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, DictionaryArray, Float32Array, Float64Array, Int16Array,
    LargeStringArray, MapBuilder, NullArray, RecordBatch, StringArray, StringBuilder, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int32Type, TimestampNanosecondType, UInt32Type};
use tempfile::TempDir;
use tokaki_core::rollup::LabelTexts;
use tokaki_core::testkit::readers::decoded;
use tokaki_core::{ColumnKind, DateRange, Section, WantedColumn};

use super::*;

const HOUR_MILLISECONDS: i64 = 3_600_000;
/// 2025-10-01T00:00Z.
const OCTOBER: i64 = 1_759_276_800_000;

fn column(name: &'static str, kind: ColumnKind) -> WantedColumn {
    WantedColumn::new(name, kind)
}

fn want(columns: Vec<WantedColumn>) -> Selection {
    let day = "2025-10-01".parse().expect("a date");
    Selection {
        time_column: "interval_start",
        columns,
        days: Some(DateRange::new(day, day).expect("one day")),
        chunk_rows: 1000,
    }
}

fn hours(rows: usize) -> ArrayRef {
    let instants = (0..rows as i64).map(|hour| Some(OCTOBER + hour * HOUR_MILLISECONDS));
    Arc::new(instants.collect::<TimestampMillisecondArray>())
}

fn write(folder: &Path, name: &str, columns: Vec<(&str, ArrayRef)>, properties: WriterProperties) {
    let batch = RecordBatch::try_from_iter(columns).expect("a batch");
    let file = File::create(folder.join(name)).expect("created");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
}

struct Folder {
    root: TempDir,
    reader: Arc<dyn Reader>,
}

impl Folder {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let settings = serde_json::json!({ "url": root.path() });
        let store = Section::new("store", settings.as_object().cloned().unwrap_or_default());
        let reader = build(&StorePart { own: Section::default(), store }).expect("builds");
        Self { root, reader }
    }

    fn with(columns: Vec<(&str, ArrayRef)>) -> Self {
        let folder = Self::new();
        write(folder.root.path(), "x.parquet", columns, WriterProperties::default());
        folder
    }

    fn file(&self) -> DataFile {
        let bytes = fs::metadata(self.root.path().join("x.parquet")).expect("a file").len();
        DataFile { path: "x.parquet".into(), shown: "shown/x.parquet".into(), bytes, version: None }
    }

    async fn read(&self, want: &Selection) -> Result<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        for split in self.reader.splits(&self.file(), want).await? {
            batches.extend(decoded(self.reader.fetch(&split, want).await?)?);
        }
        Ok(batches)
    }

    async fn one(&self, name: &'static str, kind: ColumnKind) -> Result<ArrayRef> {
        let batches = self.read(&want(vec![column(name, kind)])).await?;
        Ok(Arc::clone(batches.first().expect("a batch").column(1)))
    }
}

fn numbers(column: &ArrayRef) -> Vec<Option<f64>> {
    column.as_primitive::<Float64Type>().iter().collect()
}

fn texts(column: &ArrayRef) -> Vec<Option<String>> {
    let plain = cast(column, &DataType::Utf8).expect("text");
    plain.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
}

#[tokio::test]
async fn numbers_of_any_type_are_doubles() {
    let decimals = Decimal128Array::from(vec![150, -25]).with_precision_and_scale(20, 2).expect("a decimal");
    for (values, expected) in [
        (Arc::new(Float64Array::from(vec![1.5, -0.25])) as ArrayRef, [1.5, -0.25]),
        (Arc::new(Float32Array::from(vec![1.5, -0.25])), [1.5, -0.25]),
        (Arc::new(Int16Array::from(vec![7, -7])), [7.0, -7.0]),
        (Arc::new(UInt64Array::from(vec![1 << 40, 0])), [(1_u64 << 40) as f64, 0.0]),
        (Arc::new(decimals), [1.5, -0.25]),
    ] {
        let folder = Folder::with(vec![("n", values), ("interval_start", hours(2))]);
        let column = folder.one("n", ColumnKind::Number).await.expect("numbers");
        assert_eq!(numbers(&column), expected.map(Some));
    }
}

#[tokio::test]
async fn texts_of_any_type_are_texts() {
    let values = [Some("a"), None, Some("")];
    for column in [
        Arc::new(StringArray::from_iter(values)) as ArrayRef,
        Arc::new(LargeStringArray::from_iter(values)),
        Arc::new(values.iter().copied().collect::<DictionaryArray<Int32Type>>()),
    ] {
        let folder = Folder::with(vec![("interval_start", hours(3)), ("t", column)]);
        let read = folder.one("t", ColumnKind::Text).await.expect("texts");
        assert_eq!(texts(&read), values.map(|text| text.map(str::to_owned)));
    }
}

#[tokio::test]
async fn a_repeated_text_keeps_its_dictionary_and_labels_without_one_are_numbered() {
    let repeated: StringArray = (0..20_000).map(|row| Some(if row % 2 == 0 { "even" } else { "odd" })).collect();
    let unique: StringArray = (0..20_000).map(|row| Some(format!("{row:0>200}"))).collect();
    let folder = Folder::with(vec![
        ("interval_start", Arc::new(TimestampMillisecondArray::from(vec![OCTOBER; 20_000]))),
        ("repeated", Arc::new(repeated)),
        ("unique", Arc::new(unique)),
    ]);
    let want = want(vec![column("repeated", ColumnKind::Text), column("unique", ColumnKind::Labels)]);
    let split = folder.reader.splits(&folder.file(), &want).await.expect("a file").remove(0);
    let mut decoder = folder.reader.fetch(&split, &want).await.expect("bytes");
    let mut labels = LabelTexts::default();
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let mut row = 0;
    while let Some(batch) = decoder.next_chunk(&mut labels) {
        let batch = batch.expect("rows");
        assert_eq!(batch.column(1).data_type(), &dictionary);
        // Each is new, so each row has the next number, wherever pages and chunks end.
        let numbers = batch.column(2).as_primitive::<UInt32Type>();
        assert!(numbers.values().iter().copied().eq(row + 1..=row + 1_000));
        row += 1_000;
    }
    assert_eq!(row, 20_000);
    let texts = labels.column("unique").expect("numbered").texts().texts().map(str::parse);
    assert!(texts.eq((0..20_000).map(Ok::<usize, std::num::ParseIntError>)));
}

#[tokio::test]
async fn instants_of_any_unit_and_zone_are_utc_nanoseconds() {
    let expected = OCTOBER * 1_000_000 + 1_000;
    for column in [
        Arc::new(TimestampMicrosecondArray::from(vec![OCTOBER * 1000 + 1])) as ArrayRef,
        Arc::new(TimestampMicrosecondArray::from(vec![OCTOBER * 1000 + 1]).with_timezone("+02:00")),
        Arc::new(TimestampNanosecondArray::from(vec![expected]).with_timezone("UTC")),
    ] {
        let folder = Folder::with(vec![("interval_start", column)]);
        let batches = folder.read(&want(Vec::new())).await.expect("reads");
        assert_eq!(batches[0].column(0).as_primitive::<TimestampNanosecondType>().value(0), expected);
    }
}

#[tokio::test]
async fn label_maps_become_json() {
    let mut maps = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for (key, value) in [("k", Some("first")), ("k", Some("la\"st")), ("a", None)] {
        maps.keys().append_value(key);
        maps.values().append_option(value);
    }
    maps.append(true).expect("a map");
    maps.append(false).expect("a null map");
    let folder = Folder::with(vec![("interval_start", hours(2)), ("labels", Arc::new(maps.finish()))]);
    let labels = folder.one("labels", ColumnKind::Labels).await.expect("labels");
    assert_eq!(texts(&labels), [Some(r#"{"a":null,"k":"la\"st"}"#.to_owned()), None]);
}

#[tokio::test]
async fn a_missing_column_is_told_from_one_without_values() {
    let folder = Folder::with(vec![("interval_start", hours(2)), ("empty", Arc::new(NullArray::new(2)))]);
    let missing = folder.one("missing", ColumnKind::Number).await.expect("reads");
    assert_eq!(missing.data_type(), &DataType::Null);
    let empty = folder.one("empty", ColumnKind::Number).await.expect("reads");
    assert_eq!(numbers(&empty), [None, None]);
}

#[tokio::test]
async fn a_wrong_type_is_an_error_with_its_place_unless_no_value_is_there() {
    let folder = Folder::with(vec![
        ("interval_start", hours(2)),
        ("cpu", Arc::new(StringArray::from(vec![Some("7"), None]))),
        ("void", Arc::new(StringArray::from(vec![None::<&str>, None]))),
        ("code", Arc::new(Int16Array::from(vec![1, 2]))),
    ]);
    let error = folder.one("cpu", ColumnKind::Number).await.expect_err("text is no number");
    assert_eq!(error.kind(), ErrorKind::Type);
    assert_eq!(error.place().column.as_deref(), Some("cpu"));
    assert_eq!(error.place().file.as_deref(), Some("shown/x.parquet"));
    assert!(folder.one("code", ColumnKind::Text).await.is_err());
    assert_eq!(numbers(&folder.one("void", ColumnKind::Number).await.expect("null")), [None, None]);
}

#[tokio::test]
async fn a_file_with_rows_must_date_them() {
    let folder = Folder::with(vec![("n", Arc::new(Float64Array::from(vec![1.0])))]);
    let error = folder.read(&want(Vec::new())).await.expect_err("no dates");
    assert_eq!((error.kind(), error.place().column.as_deref()), (ErrorKind::Column, Some("interval_start")));
    let folder = Folder::with(vec![("n", Arc::new(Float64Array::from(Vec::<f64>::new())))]);
    assert!(folder.read(&want(Vec::new())).await.expect("no rows").is_empty());
}

#[tokio::test]
async fn row_groups_of_other_days_are_skipped_where_statistics_tell() {
    for (statistics, codec, expected) in [
        (EnabledStatistics::Chunk, Compression::SNAPPY, 1),
        (EnabledStatistics::None, Compression::LZ4_RAW, 3),
        (EnabledStatistics::Page, Compression::UNCOMPRESSED, 1),
    ] {
        let folder = Folder::new();
        let properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(24))
            .set_statistics_enabled(statistics)
            .set_compression(codec)
            .build();
        write(folder.root.path(), "x.parquet", vec![("interval_start", hours(72))], properties);
        let want = want(Vec::new());
        let splits = folder.reader.splits(&folder.file(), &want).await.expect("reads");
        assert_eq!(splits.len(), expected, "{statistics:?}");
        assert_eq!(splits[0].rows, 24);
        assert!(splits[0].bytes > 0);
    }
}

#[tokio::test]
async fn a_whole_partition_is_read_whatever_the_days() {
    let folder = Folder::new();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(24)).build();
    write(folder.root.path(), "x.parquet", vec![("interval_start", hours(72))], properties);
    let want = Selection { days: None, ..want(Vec::new()) };
    let rows: usize = folder.read(&want).await.expect("reads").iter().map(RecordBatch::num_rows).sum();
    assert_eq!(rows, 72);
}

#[tokio::test]
async fn chunks_hold_no_more_rows_than_asked() {
    let folder = Folder::with(vec![("interval_start", hours(10))]);
    let want = Selection { chunk_rows: 4, ..want(Vec::new()) };
    let rows: Vec<_> = folder.read(&want).await.expect("reads").iter().map(RecordBatch::num_rows).collect();
    assert_eq!(rows, [4, 4, 2]);
}

#[tokio::test]
async fn a_damaged_file_is_named() {
    let folder = Folder::with(vec![("interval_start", hours(500))]);
    let path = folder.root.path().join("x.parquet");
    let bytes = fs::read(&path).expect("bytes");
    for damaged in [&bytes[..bytes.len() / 2], &[][..], b"PAR1", b"no parquet at all"] {
        fs::write(&path, damaged).expect("written");
        let folder = Folder { root: tempfile::tempdir().expect("a folder"), reader: Arc::clone(&folder.reader) };
        let file = DataFile {
            path: "x.parquet".into(),
            shown: "shown/x.parquet".into(),
            bytes: damaged.len() as u64,
            version: None,
        };
        let error = folder.reader.splits(&file, &want(Vec::new())).await.expect_err("damaged");
        assert_eq!(error.kind(), ErrorKind::Parquet, "{error}");
        assert_eq!(error.place().file.as_deref(), Some("shown/x.parquet"));
    }
}
