//! Payloads that overlap: an operator that reports by day sends the day again as it grows, and both came through.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch, TimestampNanosecondArray};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, TimeUnit, TimestampNanosecondType};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use tokaki_tests::destination::{Destination, Sink};
use tokaki_tests::rows::Row;
use tokaki_tests::table;

use crate::support::job::{BUCKET, Job, content};

const DAY: &str = "2025-10-01";
const HOUR: i64 = 3_600_000_000_000;

/// Where a test notes which payload a file came with.
#[derive(Clone, Copy)]
enum Notes {
    /// As Koku does.
    Object,
    /// As `tokaki convert` does.
    Footer,
    Nowhere,
}

/// A payload of the day: its manifest and how many hours it has.
struct Payload {
    manifest: &'static str,
    hours: i64,
}

/// Files of the day, hourly and daily.
fn files_of_day(job: &Job) -> Vec<PathBuf> {
    let mut files = job.all_files();
    files.retain(|file| file.to_string_lossy().contains(DAY));
    files
}

/// The rows of the first `hours` hours; all of a daily file, which has midnight alone.
fn rows(file: &Path, hours: i64) -> RecordBatch {
    let batch = table::read(file).expect("Parquet");
    let starts = batch.column_by_name("interval_start").expect("the one required column");
    let starts = cast(starts, &DataType::Timestamp(TimeUnit::Nanosecond, None)).expect("instants");
    let starts = starts.as_primitive::<TimestampNanosecondType>();
    let early: BooleanArray =
        starts.iter().map(|start| start.map(|start| start.rem_euclid(24 * HOUR) < hours * HOUR)).collect();
    filter_record_batch(&batch, &early).expect("rows")
}

/// Puts the file of a payload into the job's folder; hourly files have its hours alone.
fn put(job: &Job, original: &Path, payload: &Payload, notes: Notes) {
    let Payload { manifest, hours } = payload;
    let batch = rows(original, *hours);
    let name = original.file_name().expect("a name").to_string_lossy().replace(".1.0", &format!(".{manifest}.0"));
    let file = original.with_file_name(name);
    let noted = [
        ("ManifestId", (*manifest).to_owned()),
        ("ReportDateStart", DAY.to_owned()),
        ("ReportNumHours", hours.to_string()),
    ];
    let mut footer = WriterProperties::builder();
    match notes {
        Notes::Footer => {
            let noted = noted.into_iter().map(|(name, value)| KeyValue::new(name.to_owned(), value));
            footer = footer.set_key_value_metadata(Some(noted.collect()));
        }
        Notes::Object => {
            let key = file.strip_prefix(job.folder()).expect("in the bucket").to_string_lossy().into_owned();
            let [bucket, key] = [BUCKET, &key].map(|text| BASE64_URL_SAFE_NO_PAD.encode(text));
            let notes = format!(".bucket-{bucket}.object-{key}.metadata.json");
            let noted: serde_json::Map<_, _> =
                noted.into_iter().map(|(name, value)| (name.to_lowercase(), value.into())).collect();
            let text = serde_json::json!({ "user_metadata": noted }).to_string();
            fs::write(job.folder().parent().expect("the server's root").join(notes), text).expect("written");
        }
        Notes::Nowhere => {}
    }
    table::write_as(&file, &batch, footer.build()).expect("written");
}

/// A job whose first day came with these payloads.
fn job_of(payloads: &[Payload], notes: Notes) -> Job {
    let job = Job::new();
    for file in files_of_day(&job) {
        let original = file.with_extension("original");
        fs::rename(&file, &original).expect("moved");
        for payload in payloads {
            let named = original.with_extension("parquet");
            fs::copy(&original, &named).expect("copied");
            put(&job, &named, payload, notes);
        }
        // The first payload of each list has the number of the sample's own files.
        if payloads.iter().all(|payload| payload.manifest != "1") {
            fs::remove_file(original.with_extension("parquet")).expect("removed");
        }
        fs::remove_file(&original).expect("removed");
    }
    job
}

fn rows_of(job: &Job, from_bucket: bool) -> (Vec<Row>, String) {
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    let settings = ["log.format=json", "reader.pods=hourly"];
    let outcome =
        if from_bucket { job.run(&destination, &settings) } else { job.run_on_folder(&destination, &settings) };
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    (content(&destination), outcome.stdout)
}

#[test]
fn i11_the_payload_with_more_hours_counts_in_any_order() {
    let few = |manifest| Payload { manifest, hours: 17 };
    let many = |manifest| Payload { manifest, hours: 18 };
    let (expected, _) = rows_of(&job_of(&[many("2")], Notes::Nowhere), false);
    let (fewer, _) = rows_of(&job_of(&[few("2")], Notes::Nowhere), false);
    assert!(expected != fewer, "an hour more makes a difference");
    for (notes, from_bucket) in [(Notes::Footer, false), (Notes::Footer, true), (Notes::Object, true)] {
        for payloads in [[few("2"), many("3")], [many("2"), few("3")], [few("10"), many("9")]] {
            let (rows, said) = rows_of(&job_of(&payloads, notes), from_bucket);
            assert!(rows == expected, "{said}");
            assert!(
                said.contains("superseded: another payload has more hours") && said.contains("17 h of manifest"),
                "{said}"
            );
        }
    }
}

#[test]
fn i11_of_equally_many_hours_the_later_manifest_counts() {
    let of = |manifest, hours| Payload { manifest, hours };
    let job = job_of(&[of("9", 18), of("10", 18)], Notes::Footer);
    let (rows, said) = rows_of(&job, false);
    let (expected, _) = rows_of(&job_of(&[of("2", 18)], Notes::Nowhere), false);
    assert!(rows == expected);
    assert!(said.contains("h of manifest 9; 18 h of manifest 10"), "{said}");
}

#[test]
fn i11_files_that_tell_nothing_all_count() {
    let halves = [Payload { manifest: "2", hours: 24 }, Payload { manifest: "3", hours: 24 }];
    let (rows, said) = rows_of(&job_of(&halves, Notes::Nowhere), false);
    let (once, _) = rows_of(&job_of(&[Payload { manifest: "2", hours: 24 }], Notes::Nowhere), false);
    assert!(rows != once && !said.contains("superseded"), "{said}");
}

#[test]
fn i11_the_same_file_under_both_spellings_of_a_month_counts_once() {
    for from_bucket in [false, true] {
        let job = Job::new();
        let other_month = |file: &Path| PathBuf::from(file.to_string_lossy().replace("month=10", "month=9"));
        // The sample is of October, which has one spelling: its days become September's.
        for file in job.all_files() {
            let moved = PathBuf::from(file.to_string_lossy().replace("month=10", "month=09"));
            fs::create_dir_all(moved.parent().expect("a folder")).expect("created");
            rewrite_a_month_earlier(&file, &moved);
            fs::remove_file(&file).expect("removed");
        }
        let september = ["scope.start_date=2025-09-01", "scope.end_date=2025-09-03", "log.format=json"];
        let run = |job: &Job| {
            let destination = Destination::new(&Sink::Sqlite).expect("a destination");
            let outcome = if from_bucket {
                job.run(&destination, &september)
            } else {
                job.run_on_folder(&destination, &september)
            };
            assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
            (content(&destination), outcome.stdout)
        };
        let (once, _) = run(&job);
        for file in job.all_files() {
            let copy = other_month(Path::new(&file.to_string_lossy().replace("month=09", "month=10")));
            fs::create_dir_all(copy.parent().expect("a folder")).expect("created");
            fs::copy(&file, &copy).expect("copied");
        }
        let (twice, said) = run(&job);
        assert!(once == twice, "{said}");
        assert!(said.contains("superseded: the same file under another name") && said.contains("month=9/"), "{said}");
        // Of the same name and other rows, it is another file.
        let file = job.files("pod_usage").into_iter().find(|file| file.to_string_lossy().contains("month=9/"));
        let file = file.expect("just copied");
        rewrite_a_month_earlier(&file, &file);
        let (_, said) = run(&job);
        assert!(!said.contains(&file.file_name().expect("a name").to_string_lossy().into_owned()), "{said}");
    }
}

/// The rows, all 30 days earlier.
fn rewrite_a_month_earlier(from: &Path, to: &Path) {
    let earlier = table::changed(&rows(from, 24), |name, column| {
        if name != "interval_start" {
            return Arc::clone(column);
        }
        let instants = cast(column, &DataType::Timestamp(TimeUnit::Nanosecond, None)).expect("instants");
        let instants = instants.as_primitive::<TimestampNanosecondType>();
        let earlier: TimestampNanosecondArray = instants.unary(|instant| instant - 30 * 24 * HOUR);
        Arc::new(earlier)
    });
    table::write(to, &earlier.expect("a batch")).expect("written");
}
