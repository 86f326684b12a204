//! The input is broken.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, TimeUnit, TimestampMillisecondType};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use tokaki_tests::command::Outcome;
use tokaki_tests::destination::{Destination, Sink};
use tokaki_tests::faults::{mutate, rounds};
use tokaki_tests::parallel;
use tokaki_tests::rows::Row;

use crate::support::job::{Job, content, error};
use crate::support::koku::Koku;
use crate::support::tokaki;

/// A job on a folder whose files can be changed, and a destination that holds other rows.
struct Bench {
    job: Job,
    clean: Vec<Row>,
}

impl Bench {
    fn new() -> Self {
        let job = Job::new();
        let clean = job.clean_rows(&Destination::new(&Sink::Sqlite).expect("a destination"));
        Self { job, clean }
    }

    /// Runs the job with `file` damaged by `damage`; the destination must be as before or complete.
    fn run_damaged(&self, file: &Path, damage: impl FnOnce(&Path)) -> Outcome {
        let sink = Sink::Sqlite;
        let destination = Destination::new(&sink).expect("a destination");
        let whole = fs::read(file).expect("a file");
        assert_eq!(self.job.run_on_folder(&destination, &["semantics=conserving"]).code, Some(0));
        let before = content(&destination);
        damage(file);
        let outcome = self.job.run_on_folder(&destination, &[]);
        if outcome.code != Some(0) {
            assert!(content(&destination) == before, "changed although it failed: {}", outcome.stderr);
        }
        fs::write(file, whole).expect("repaired");
        assert_eq!(self.job.run_on_folder(&destination, &[]).code, Some(0), "a plain rerun");
        assert!(content(&destination) == self.clean, "a plain rerun gives other rows");
        outcome
    }
}

/// The file's only batch.
fn batch(file: &Path) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file).expect("a file")).expect("Parquet");
    let batches: Vec<_> =
        reader.with_batch_size(1 << 20).build().expect("a reader").map(|batch| batch.expect("rows")).collect();
    assert_eq!(batches.len(), 1);
    batches.into_iter().next().expect("just counted")
}

fn write(file: &Path, columns: Vec<(String, ArrayRef)>, properties: WriterProperties) {
    let batch = RecordBatch::try_from_iter(columns).expect("a batch");
    let mut writer =
        ArrowWriter::try_new(File::create(file).expect("created"), batch.schema(), Some(properties)).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
}

/// Writes the file anew, each column as `change` wants it.
fn rewrite(file: &Path, change: impl Fn(&str, &ArrayRef) -> ArrayRef) {
    let batch = batch(file);
    let columns = batch
        .schema()
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| (field.name().clone(), change(field.name(), column)))
        .collect();
    write(file, columns, WriterProperties::default());
}

/// The label text of the first row, and the rest as it was.
pub(super) fn with_label(file: &Path, column: &str, text: &str) {
    rewrite(file, |name, values| {
        if name != column {
            return Arc::clone(values);
        }
        let plain = cast(values, &DataType::Utf8).expect("text");
        let plain = plain.as_any().downcast_ref::<StringArray>().expect("text");
        Arc::new(
            plain
                .iter()
                .enumerate()
                .map(|(row, value)| if row == 0 { Some(text) } else { value })
                .collect::<StringArray>(),
        )
    });
}

/// Broken input, with the file named in the one error.
pub(super) fn check_refused(outcome: &Outcome, file: &Path) {
    assert_eq!(outcome.code, Some(12), "{}", outcome.stderr);
    let name = file.file_name().expect("a name").to_string_lossy();
    assert!(error(outcome).contains(name.as_ref()), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
}

#[test]
fn i1_a_file_cut_at_every_boundary() {
    let bench = Bench::new();
    for report_type in ["pod_usage", "storage_usage", "node_labels"] {
        let file = bench.job.files(report_type).swap_remove(1);
        let whole = fs::read(&file).expect("a file");
        for length in mutate::boundaries(&whole) {
            let outcome = bench.run_damaged(&file, |file| fs::write(file, &whole[..length]).expect("written"));
            check_refused(&outcome, &file);
        }
    }
}

#[test]
fn i1_no_magic_word_and_a_footer_longer_than_the_file() {
    let bench = Bench::new();
    let file = bench.job.files("pod_usage").swap_remove(0);
    let whole = fs::read(&file).expect("a file");
    let end = whole.len();
    for (at, bytes) in
        [(end - 4, *b"PAR2"), (end - 8, [0xff; 4]), (end - 8, [0xff, 0xff, 0xff, 0x7f]), (end - 8, [0; 4])]
    {
        let mut damaged = whole.clone();
        damaged[at..at + 4].copy_from_slice(&bytes);
        let outcome = bench.run_damaged(&file, |file| fs::write(file, damaged).expect("written"));
        check_refused(&outcome, &file);
    }
}

/// Memory of a run on damaged files. Whoever believes a size in a damaged header asks for more.
const MEBIBYTES: u32 = 256;

#[test]
fn i2_any_damage_is_an_error_or_no_damage() {
    let job = Job::new();
    let seeds: Vec<u64> = (0..rounds("TOKAKI_TEST_MUTATIONS", 200)).collect();
    let complaints = parallel::map(&seeds, |&seed| {
        // A folder of its own: the others run at the same time.
        let own = tempfile::tempdir().expect("a folder");
        crate::support::copy(&job.folder(), own.path());
        let mut chance = fastrand::Rng::with_seed(seed);
        let file = chance.choice(job.all_files()).expect("a file");
        let file = own.path().join(file.strip_prefix(job.folder()).expect("in the folder"));
        let mut damaged = fs::read(&file).expect("a file");
        let mut kinds = Vec::new();
        // Damage on top of damage gets past the first check.
        for _ in 0..chance.usize(1..=3) {
            if damaged.len() > 64 {
                let (more, kind) = mutate::parquet(&damaged, chance.u64(..));
                damaged = more;
                kinds.push(kind);
            }
        }
        fs::write(&file, damaged).expect("written");
        let destination = Destination::new(&Sink::Sqlite).expect("a destination");
        let mut command = tokaki::within(MEBIBYTES);
        command.args(["run", "--quiet", "--config"]).arg(Job::config()).args(destination.arguments());
        command.args(["--set", &format!("reference.path={}", Job::reference().display())]);
        command.args(["--set", &format!("store.url={}", own.path().display())]);
        let output = command.output().expect("starts");
        let told = String::from_utf8_lossy(&output.stderr);
        let errors = told.lines().filter(|line| line.starts_with("error:")).count();
        let names_file = told.contains(&*file.file_name().expect("a name").to_string_lossy());
        match output.status.code() {
            Some(0) => String::new(),
            Some(12) if errors == 1 && names_file && !told.contains("panicked") => String::new(),
            code => format!("seed {seed}, {kinds:?} in {}: {code:?} {told}\n", file.display()),
        }
    });
    assert!(complaints.iter().all(String::is_empty), "{}", complaints.concat());
}

#[test]
fn i3_types_of_other_writers() {
    let bench = Bench::new();
    let texts =
        [DataType::LargeUtf8, DataType::Utf8View, DataType::Dictionary(DataType::Int32.into(), DataType::Utf8.into())];
    let instants = [TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond]
        .into_iter()
        .flat_map(|unit| [None, Some("+00:00".into())].map(|zone| DataType::Timestamp(unit, zone)));
    for wanted in texts.into_iter().chain(instants) {
        for report_type in ["pod_usage", "storage_usage", "node_labels", "namespace_labels"] {
            let file = bench.job.files(report_type).swap_remove(0);
            let outcome = bench.run_damaged(&file, |file| {
                rewrite(file, |_, values| {
                    let alike = |data_type: &DataType| match data_type {
                        DataType::Timestamp(..) => 1,
                        data_type if data_type.is_string() || matches!(data_type, DataType::Dictionary(..)) => 2,
                        _ => 0,
                    };
                    let changes = alike(values.data_type()) == alike(&wanted);
                    if changes { cast(values, &wanted).expect("alike") } else { Arc::clone(values) }
                });
                let destination = Destination::new(&Sink::Sqlite).expect("a destination");
                let rows = bench.job.clean_rows(&destination);
                assert!(rows == bench.clean, "{report_type} as {wanted}: other rows");
            });
            assert_eq!(outcome.code, Some(0), "{report_type} as {wanted}: {}", outcome.stderr);
        }
    }
}

#[test]
fn i3_text_where_a_number_belongs() {
    let bench = Bench::new();
    for (report_type, column) in
        [("pod_usage", "pod_usage_cpu_core_seconds"), ("storage_usage", "persistentvolumeclaim_usage_byte_seconds")]
    {
        let file = bench.job.files(report_type).swap_remove(0);
        let outcome = bench.run_damaged(&file, |file| {
            rewrite(file, |name, values| {
                if name == column {
                    Arc::new(StringArray::from_iter_values((0..values.len()).map(|_| "much")))
                } else {
                    Arc::clone(values)
                }
            });
        });
        check_refused(&outcome, &file);
        assert!(outcome.stderr.contains(column), "{}", outcome.stderr);
    }
}

#[test]
fn i4_columns_missing_further_and_in_another_order() {
    let bench = Bench::new();
    let file = bench.job.files("pod_usage").swap_remove(0);
    let without = |name: &'static str| {
        move |file: &Path| {
            let batch = batch(file);
            let schema = batch.schema();
            let columns = schema.fields().iter().zip(batch.columns());
            let kept = columns
                .filter(|(field, _)| field.name() != name)
                .map(|(field, column)| (field.name().clone(), Arc::clone(column)));
            let mut kept: Vec<_> = kept.collect();
            kept.reverse();
            kept.push(("column_of_tomorrow".to_owned(), Arc::clone(&kept[0].1)));
            write(file, kept, WriterProperties::default());
        }
    };
    let outcome = bench.run_damaged(&file, without("interval_start"));
    check_refused(&outcome, &file);
    assert!(outcome.stderr.contains("interval_start"), "{}", outcome.stderr);
    let outcome = bench.run_damaged(&file, without("nothing"));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
}

#[test]
fn i6_a_page_that_says_it_is_larger_than_memory() {
    let bench = Bench::new();
    let file = bench.job.files("pod_usage").swap_remove(0);
    let whole = fs::read(&file).expect("a file");
    // A page header is thrift: 0x15 0x00 (kind) 0x15 n (size) 0x15 n (compressed size) …; sizes of five bytes do not
    // fit, so the size's own bytes become continuation bytes that run into whatever follows.
    for at in (4..whole.len().min(400)).step_by(3) {
        let mut damaged = whole.clone();
        damaged[at..at + 4].copy_from_slice(&[0xfe, 0xff, 0xff, 0x0f]);
        let destination = Destination::new(&Sink::Sqlite).expect("a destination");
        fs::write(&file, damaged).expect("written");
        let outcome = bench.job.run_on_folder(&destination, &[]);
        assert!(matches!(outcome.code, Some(0 | 12)), "at {at}: {:?} {}", outcome.code, outcome.stderr);
        assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
    }
}

#[test]
fn i7_labels_that_are_hard_to_read() {
    let bench = Bench::new();
    let file = bench.job.files("namespace_labels").swap_remove(0);
    let many = (0..100_000).map(|key| format!("\"key_{key}\": \"v\"")).collect::<Vec<_>>().join(", ");
    let deep = format!("{}1{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let cases: [(&str, String, &[i32]); 12] = [
        ("100,000 keys", format!("{{{many}}}"), &[0, 12]),
        ("a text of 10 MiB", format!("{{\"app\": \"{}\"}}", "x".repeat(10 << 20)), &[0, 12]),
        ("a key twice", r#"{"app": "a", "app": "b"}"#.into(), &[0]),
        ("nested", r#"{"app": {"b": 1}}"#.into(), &[0, 12]),
        ("very deep", deep.clone(), &[12]),
        ("very deep inside", format!("{{\"app\": {deep}}}"), &[12]),
        ("a lone surrogate", r#"{"app": "\ud800"}"#.into(), &[12]),
        ("NUL", r#"{"app": "a\u0000b"}"#.into(), &[12]),
        ("nothing", String::new(), &[0, 12]),
        ("null", "null".into(), &[0, 12]),
        ("an array", "[\"app\"]".into(), &[12]),
        ("no JSON", "app=a".into(), &[12]),
    ];
    for (what, text, codes) in cases {
        let outcome = bench.run_damaged(&file, |file| with_label(file, "namespace_labels", &text));
        assert!(codes.contains(&outcome.code.unwrap_or(-1)), "{what}: {:?} {:.400}", outcome.code, outcome.stderr);
        assert!(outcome.stderr.len() < 100_000, "{what}: the text is repeated in {} bytes", outcome.stderr.len());
        if outcome.code != Some(0) {
            check_refused(&outcome, &file);
        }
    }
}

#[test]
fn i6_a_small_file_that_becomes_large() {
    let bench = Bench::new();
    let file = bench.job.files("namespace_labels").swap_remove(0);
    let outcome = bench.run_damaged(&file, |file| {
        // 256 MiB of one label text, a few kilobytes as zstd.
        let one = batch(file).slice(0, 1);
        let text = format!("{{\"app\": \"{}\"}}", "x".repeat(1 << 20));
        let schema = one.schema();
        let columns = schema.fields().iter().zip(one.columns()).map(|(field, column)| {
            let all =
                arrow::compute::take(column, &arrow::array::UInt32Array::from(vec![0; 256]), None).expect("repeated");
            let texts = || {
                Arc::new(StringArray::from_iter_values(
                    (0..256).map(|row| text.replacen("app", &format!("app{row}"), 1)),
                ))
            };
            (field.name().clone(), if field.name() == "namespace_labels" { texts() as ArrayRef } else { all })
        });
        let columns = columns.collect();
        let zstd = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_dictionary_enabled(false);
        write(file, columns, zstd.build());
        assert!(fs::metadata(file).expect("a file").len() < 1 << 20, "it is small");
    });
    assert!(matches!(outcome.code, Some(0 | 12 | 22)), "{:?} {:.400}", outcome.code, outcome.stderr);
}

/// Writes the file anew with `value` in every row of the number columns that `of` names.
fn with_numbers(file: &Path, of: impl Fn(&str) -> bool, value: Option<f64>) {
    rewrite(file, |name, values| match values.as_primitive_opt::<Float64Type>() {
        Some(numbers) if of(name) => Arc::new(numbers.iter().map(|_| value).collect::<Float64Array>()),
        _ => Arc::clone(values),
    });
}

#[test]
fn i9_numbers_that_are_almost_nothing_are_nothing_and_negative_ones_count() {
    let koku = Koku::empty();
    let with = |value: Option<f64>| {
        let job = Job::new();
        for file in job.all_files() {
            with_numbers(&file, |_| true, value);
        }
        let outcome = job.run_on_folder(&koku.destination(), &["sink.create_missing=false"]);
        assert_eq!(outcome.code, Some(0), "{value:?}: {}", outcome.stderr);
        koku.digest()
    };
    assert_eq!(with(Some(f64::NAN)), with(None), "no number is null");
    assert_eq!(with(Some(-0.0)), with(Some(0.0)));
    assert_eq!(with(Some(f64::from_bits(1))), with(Some(0.0)), "less than the last digit that is stored");
    assert_ne!(with(None), with(Some(0.0)));
    assert_ne!(with(Some(-1e6)), with(Some(0.0)), "negative usage is a number like any other");
}

#[test]
fn i9_numbers_that_fit_nowhere_are_refused_with_their_column_and_where_they_are() {
    let job = Job::new();
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    let before = job.clean_rows(&destination);
    let hourly = |report_type: &str| {
        let path = format!("/parquet/org1234567/OCP/{report_type}/");
        job.all_files().into_iter().find(|file| file.to_string_lossy().contains(&path)).expect("a file")
    };
    let [pods, hours, volumes] =
        [job.files("pod_usage").swap_remove(0), hourly("pod_usage"), job.files("storage_usage").swap_remove(0)];
    let sums = [
        (&pods, "pod_usage_cpu_core_seconds"),
        (&pods, "pod_request_cpu_core_seconds"),
        (&pods, "pod_effective_usage_cpu_core_seconds"),
        (&pods, "pod_limit_cpu_core_seconds"),
        (&pods, "pod_usage_memory_byte_seconds"),
        (&pods, "pod_request_memory_byte_seconds"),
        (&pods, "pod_effective_usage_memory_byte_seconds"),
        (&pods, "pod_limit_memory_byte_seconds"),
        (&volumes, "persistentvolumeclaim_capacity_byte_seconds"),
        (&volumes, "volume_request_storage_byte_seconds"),
        (&volumes, "persistentvolumeclaim_usage_byte_seconds"),
    ];
    // Of these the largest counts, so that which row is to blame shows only when all are read.
    let maxima = [
        (&pods, "node_capacity_cpu_cores", "node_capacity_cpu_cores"),
        (&pods, "node_capacity_memory_bytes", "node_capacity_memory_gigabytes"),
        (&hours, "node_capacity_cpu_core_seconds", "node_capacity_cpu_core_seconds"),
        (&hours, "node_capacity_memory_byte_seconds", "node_capacity_memory_byte_seconds"),
        (&volumes, "persistentvolumeclaim_capacity_bytes", "persistentvolumeclaim_capacity_gigabyte"),
    ];
    let refused = |file: &Path, column: &str, value: f64| {
        let whole = fs::read(file).expect("a file");
        with_numbers(file, |name| name == column, Some(value));
        let outcome = job.run_on_folder(&destination, &[]);
        fs::write(file, whole).expect("repaired");
        assert_eq!(outcome.code, Some(12), "{column} {value:e}: {}", outcome.stderr);
        error(&outcome).to_owned()
    };
    for (file, column) in sums {
        for value in [f64::INFINITY, f64::NEG_INFINITY, 1e308, -1e308] {
            let error = refused(file, column, value);
            let name = file.file_name().expect("a name").to_string_lossy();
            assert!(error.contains(column) && error.contains(name.as_ref()), "{column} {value:e}: {error}");
        }
    }
    for (file, column, told) in maxima {
        let error = refused(file, column, f64::INFINITY);
        let name = file.file_name().expect("a name").to_string_lossy();
        assert!(error.contains(column) && error.contains(name.as_ref()), "{column}: {error}");
        let error = refused(file, column, 1e308);
        assert!(error.contains(told) && error.contains("look at the ") && error.contains("node "), "{column}: {error}");
    }
    // Each of the values may be stored, and their sum may not.
    let error = refused(&pods, "pod_usage_cpu_core_seconds", 1.9e21);
    assert!(error.contains("a sum is too large") && error.contains("pod_usage_cpu_core_seconds"), "{error}");
    assert!(content(&destination) == before, "changed although all of them failed");
}

#[test]
fn i10_rows_of_no_time_or_of_another_age_are_as_if_they_were_not_there() {
    let job = Job::new();
    let sink = Sink::Sqlite;
    for report_type in ["pod_usage", "storage_usage", "namespace_labels"] {
        let file = job.files(report_type).swap_remove(1);
        let whole = fs::read(&file).expect("a file");
        let batch = batch(&file);
        let without = batch.slice(1, batch.num_rows() - 1);
        let schema = without.schema();
        let columns = schema.fields().iter().zip(without.columns());
        let columns = columns.map(|(field, column)| (field.name().clone(), Arc::clone(column))).collect();
        write(&file, columns, WriterProperties::default());
        let expected = job.clean_rows(&Destination::new(&sink).expect("a destination"));
        // In milliseconds: the beginning of all clocks, a favourite for `never`, the oldest that nanoseconds can tell.
        let (never, oldest) = (253_402_300_799_000, -9_223_372_036_854);
        for instant in [None, Some(0), Some(never), Some(oldest), Some(i64::MIN), Some(i64::MAX)] {
            fs::write(&file, &whole).expect("repaired");
            rewrite(&file, |name, values| {
                if name != "interval_start" {
                    return Arc::clone(values);
                }
                let milliseconds = cast(values, &DataType::Timestamp(TimeUnit::Millisecond, None)).expect("an instant");
                let milliseconds = milliseconds.as_primitive::<TimestampMillisecondType>();
                let with = milliseconds.iter().enumerate().map(|(row, old)| if row == 0 { instant } else { old });
                Arc::new(with.collect::<TimestampMillisecondArray>())
            });
            let rows = job.clean_rows(&Destination::new(&sink).expect("a destination"));
            assert!(rows == expected, "{report_type} at {instant:?}: other rows");
        }
        fs::write(&file, whole).expect("repaired");
    }
}
