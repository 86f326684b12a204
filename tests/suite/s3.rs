//! The job from a bucket: a real S3 protocol, signatures checked.

use std::fs;
use std::sync::Arc;

use arrow::array::{RecordBatch, TimestampMillisecondArray};
use tokaki_tests::compare::differences;
use tokaki_tests::destination::{DAILY_SUMMARY, Destination, Sink};
use tokaki_tests::faults::Operation;
use tokaki_tests::s3::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};
use tokaki_tests::table;

use crate::support::job::{BUCKET, Job, columns, content, error, run};
use crate::support::koku::Koku;
use crate::support::tokaki;

#[test]
fn from_a_bucket_into_kokus_own_table_as_from_a_folder_into_a_file() {
    let job = Job::new();
    let in_file = Destination::new(&Sink::Sqlite).expect("a destination");
    assert_eq!(job.run_on_folder(&in_file, &[]).code, Some(0));
    let koku = Koku::empty();
    let in_koku = koku.destination();
    for _ in 0..2 {
        let outcome = job.run(&in_koku, &["sink.create_missing=false"]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let expected = in_file.read(DAILY_SUMMARY, &columns()).expect("rows");
        let actual = in_koku.read(DAILY_SUMMARY, &columns()).expect("rows");
        assert_eq!(expected.len(), 127 + 36 + 12);
        assert_eq!(differences(&expected, &actual), [""; 0], "ids included");
    }
}

#[test]
fn kokus_own_variables_are_enough() {
    let job = Job::new();
    let Koku { url, .. } = &Koku::empty();
    let [host, port, name, user] = [
        url.host_str().expect("a host").to_owned(),
        url.port().expect("a port").to_string(),
        url.path().trim_start_matches('/').to_owned(),
        url.username().to_owned(),
    ];
    let variables = [
        ("S3_ENDPOINT", job.server.endpoint()),
        ("S3_ACCESS_KEY", ACCESS_KEY_ID.to_owned()),
        ("S3_SECRET", SECRET_ACCESS_KEY.to_owned()),
        ("REQUESTED_BUCKET", "another".to_owned()),
        ("S3_BUCKET_NAME", BUCKET.to_owned()),
        ("DATABASE_SERVICE_HOST", host),
        ("DATABASE_SERVICE_PORT", port),
        ("DATABASE_NAME", name),
        ("DATABASE_USER", user),
        ("DATABASE_PASSWORD", "canary-of-the-database".to_owned()),
        ("PGSSLMODE", "prefer".to_owned()),
    ];
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let reference = format!("reference.path={}", Job::reference().display());
    let scope = ["--org", "org1234567", "--source", "3f1c0f6e-7f5a-4d0e-9c58-1b7a3a0c9d11"];
    let days = ["--start-date", "2025-10-01", "--end-date", "2025-10-03", "--set", &reference];
    let arguments: Vec<&str> = ["run"].into_iter().chain(scope).chain(days).collect();
    let outcome = tokaki::run_with(&variables, &arguments).expect("runs");
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("127  reporting_ocpusagelineitem_daily_summary"), "{}", outcome.stdout);

    let shown = tokaki::run_with(&variables, ["config", "show"]).expect("runs").stdout;
    for [key, value, origin] in [
        ["store.url", "\"s3://cost\"", "# S3_BUCKET_NAME"],
        ["store.endpoint", "127.0.0.1", "# S3_ENDPOINT"],
        ["store.secret_access_key", "\"***\"", "# S3_SECRET"],
        ["sink.url", ":***@", "# DATABASE_SERVICE_HOST"],
    ] {
        let line = shown.lines().find(|line| line.split_whitespace().next() == Some(key)).expect(key);
        assert!(line.contains(value) && line.ends_with(origin), "{line}");
    }
    assert!(!shown.contains("canary") && !shown.contains(SECRET_ACCESS_KEY), "{shown}");

    let stronger = [variables.as_slice(), &[("TOKAKI_STORE__URL", "s3://ours")]].concat();
    let shown = tokaki::run_with(&stronger, ["config", "show"]).expect("runs").stdout;
    assert!(shown.contains("\"s3://ours\""), "{shown}");
}

#[test]
fn listings_in_pages_are_read_to_their_end_and_no_file_is_asked_about() {
    let job = Job::with_pages(2);
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    let clean = job.clean_rows(&destination);
    let outcome = job.run(&destination, &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(content(&destination) == clean);
    let requests = job.server.take_requests();
    let continued = requests.iter().filter(|seen| seen.target.contains("continuation-token"));
    assert!(continued.count() >= 4, "{requests:?}");
    assert!(requests.iter().all(|seen| seen.operation != Operation::Other), "{requests:?}");
}

#[test]
fn s11_more_than_a_thousand_keys_with_odd_names() {
    let job = Job::new();
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    let file = job.files("pod_usage").remove(0);
    // Files without rows may lack columns, and change nothing; the one with rows comes last.
    let hours = Arc::new(TimestampMillisecondArray::from(Vec::<i64>::new()));
    let empty = RecordBatch::try_from_iter([("interval_start", hours as _)]).expect("a batch");
    let template = file.with_file_name("a-0+%20 ü=1.parquet");
    table::write(&template, &empty).expect("written");
    for number in 1..1005 {
        fs::copy(&template, file.with_file_name(format!("a-{number}+%20 ü=1.parquet"))).expect("copied");
    }
    let clean = job.clean_rows(&destination);
    fs::rename(&file, file.with_file_name("z.parquet")).expect("renamed");
    let outcome = job.run(&destination, &["log.level=info"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(content(&destination) == clean);
}

#[test]
fn a_large_object_is_resumed_where_it_broke() {
    use tokaki_tests::faults::{Fault, Rule};

    let job = Job::new();
    job.enlarge("namespace_labels");
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    let clean = job.clean_rows(&destination);
    let second_piece =
        Rule::always(Fault::CutAfter(3 << 20)).on(Operation::Get).to("/daily/org1234567/OCP/namespace_labels/");
    job.server.take_requests();
    job.server.set_faults([second_piece.after(2).times(2)]);
    let outcome = job.run(&destination, &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(content(&destination) == clean);
    let mut ranges: Vec<String> = job
        .server
        .take_requests()
        .into_iter()
        .filter(|seen| seen.target.contains("/daily/org1234567/OCP/namespace_labels/"))
        .filter_map(|seen| seen.range)
        .collect();
    ranges.sort();
    let repeated: Vec<&String> = ranges.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| &pair[0]).collect();
    assert!(!repeated.is_empty(), "the broken pieces came again: {ranges:?}");
    assert!(ranges.len() > 5, "the object came in pieces: {ranges:?}");
}

#[test]
fn a_wrong_secret_is_refused_at_once() {
    let job = Job::new();
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    let settings = [&format!("store.access_key_id={ACCESS_KEY_ID}"), "store.secret_access_key=wrong-canary"];
    let outcome = job.run_with_own_credentials(&destination, &settings);
    assert_eq!(outcome.code, Some(30), "{}", outcome.stderr);
    assert!(error(&outcome).contains("SignatureDoesNotMatch"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("wrong-canary") && !outcome.stderr.contains("trying again"), "{}", outcome.stderr);
}

#[test]
fn no_credentials_at_all_are_told_so() {
    let job = Job::new();
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    let home = tempfile::tempdir().expect("a folder");
    let variables = [
        ("TOKAKI_STORE__ENDPOINT".to_owned(), job.server.endpoint()),
        ("HOME".to_owned(), home.path().display().to_string()),
    ];
    let outcome = run(&variables, &destination, &[format!("store.url=s3://{BUCKET}")]);
    assert_eq!(outcome.code, Some(30), "{}", outcome.stderr);
    assert!(error(&outcome).contains("store.access_key_id"), "{}", outcome.stderr);
}

#[test]
fn a_bucket_that_is_not_there() {
    let job = Job::new();
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    let outcome = run(&job.server.variables(), &destination, &["store.url=s3://nowhere".to_owned()]);
    assert_eq!(outcome.code, Some(10), "{}", outcome.stderr);
    assert!(error(&outcome).starts_with("error: absent: there is no such bucket"), "{}", outcome.stderr);
}
