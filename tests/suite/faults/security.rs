//! Hostile names and values, and secrets.

use std::fs;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokaki_tests::compare::differences;
use tokaki_tests::destination::{DAILY_SUMMARY, Destination, Sink};

use super::input::{check_refused, with_label};
use crate::support::job::{BUCKET, Job, columns, error, run};

/// What breaks out of a quoted name, a literal or a statement, where anybody lets it.
const HOSTILE: [&str; 8] = [
    "'; DROP TABLE canary; --",
    "\"; DROP TABLE canary; --",
    "$$; DROP TABLE canary; $$",
    "/* */ \\'); DELETE FROM canary; --",
    "%s %n {} ${x} `id`",
    "a\tb\\N\\.",
    "\u{202e}right to left\u{200b}",
    "a name that is longer than the sixty-three bytes that PostgreSQL gives to a name, by far",
];

/// Carries out `statement` and returns its one number.
fn ask(database: &str, statement: &str) -> i64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut connection = PgConnection::connect(database).await.expect("a connection");
        sqlx::query_scalar(AssertSqlSafe(statement.to_owned())).fetch_one(&mut connection).await.expect("a number")
    })
}

/// A database with a table that nobody may touch.
fn with_canary() -> (Sink, String) {
    let sink = Sink::postgres().expect("a database");
    let Sink::Postgres { database } = &sink else { unreachable!("it was just made") };
    let database = database.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut connection = PgConnection::connect(&database).await.expect("a connection");
        sqlx::raw_sql("CREATE TABLE canary AS SELECT 1 AS alive").execute(&mut connection).await.expect("executed");
    });
    (sink, database)
}

#[test]
fn x1_hostile_labels_are_the_same_in_every_sink() {
    let job = Job::new();
    let file = job.files("pod_usage").swap_remove(0);
    let labels: serde_json::Map<String, serde_json::Value> = HOSTILE
        .iter()
        .map(|text| ((*text).to_owned(), (*text).into()))
        .chain([("app".to_owned(), HOSTILE[0].into())])
        .collect();
    with_label(&file, "pod_labels", &serde_json::Value::Object(labels).to_string());
    let enabled: Vec<String> = HOSTILE.iter().map(|text| (*text).to_owned()).chain(["app".to_owned()]).collect();
    let mut reference: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(Job::reference()).expect("reference data")).expect("JSON");
    reference["enabled_tag_keys"] = enabled.into();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("reference.json");
    fs::write(&path, reference.to_string()).expect("written");

    let (postgres, database) = with_canary();
    let settings = [format!("reference.path={}", path.display()), format!("store.url={}", job.folder().display())];
    let rows = [&Sink::Sqlite, &Sink::Parquet, &postgres].map(|sink| {
        let destination = Destination::new(sink).expect("a destination");
        let outcome = run(&[], &destination, &settings);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        destination.read(DAILY_SUMMARY, &columns()).expect("rows")
    });
    assert!(format!("{:?}", rows[0]).contains("DROP TABLE canary"), "the labels are there");
    assert_eq!(differences(&rows[0], &rows[1]), [""; 0]);
    assert_eq!(differences(&rows[0], &rows[2]), [""; 0]);
    assert_eq!(ask(&database, "SELECT count(*) FROM canary"), 1);
}

#[test]
fn x1_hostile_names_in_settings() {
    let job = Job::new();
    let (postgres, database) = with_canary();
    let destination = Destination::new(&postgres).expect("a destination");
    let store = format!("store.url={}", job.folder().display());
    for hostile in HOSTILE {
        for key in ["sink.schema", "scope.org", "scope.source_uuid"] {
            // The last one given counts.
            let outcome = run(&[], &destination, &[store.clone(), format!("{key}={hostile}")]);
            assert!(
                matches!(outcome.code, Some(0 | 10 | 11 | 12 | 21)),
                "{key}={hostile}: {:?} {}",
                outcome.code,
                outcome.stderr
            );
            assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
        }
        for url in [format!("store.url=s3://{BUCKET}/{hostile}"), format!("store.url=s3://{hostile}")] {
            let outcome = run(&job.server.variables(), &destination, &[url.clone(), "store.retries=1".to_owned()]);
            assert!(matches!(outcome.code, Some(10 | 11 | 20 | 30)), "{url}: {:?} {}", outcome.code, outcome.stderr);
            error(&outcome);
        }
    }
    assert_eq!(ask(&database, "SELECT count(*) FROM canary"), 1);
}

#[test]
fn x2_no_secret_in_anything_that_is_written() {
    let job = Job::new();
    let canary = "canary-7d1f-database";
    let destination = Destination::new(&Sink::Parquet).expect("a destination");
    // `run` looks for the store's secrets itself, at trace level.
    for settings in [
        vec![format!("store.url=s3://{BUCKET}")],
        vec![format!("store.url=s3://{BUCKET}"), format!("sink.url=postgresql://me:{canary}@127.0.0.1:1/koku")],
        vec![format!("store.url=s3://{BUCKET}"), format!("sink.url=postgresql://me:{canary}%zz@[::1/koku")],
        vec![format!("store.url=s3://{BUCKET}"), "store.session_token=canary-7d1f-database".to_owned()],
        vec![format!("store.url=s3://{BUCKET}"), "log.format=json".to_owned(), "store.region=elsewhere".to_owned()],
    ] {
        let outcome = run(&job.server.variables(), &destination, &settings);
        let written = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(!written.contains(canary), "{written}");
    }
}

#[test]
fn x6_no_line_of_the_log_can_be_forged() {
    let job = Job::new();
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    let store = format!("store.url={}", job.folder().display());
    for (column, text) in [
        ("namespace_labels", "no JSON\nerror: forged\u{1b}[31m\r"),
        ("namespace_labels", "{\"a\nerror: forged\u{1b}[31m\": [}"),
        ("namespace", "shop\nerror: forged\u{1b}[31m"),
    ] {
        let file = job.files("namespace_labels").swap_remove(0);
        let whole = fs::read(&file).expect("a file");
        with_label(&file, column, text);
        let outcome = run(&[], &destination, std::slice::from_ref(&store));
        assert!(!outcome.stderr.contains('\u{1b}') && !outcome.stdout.contains('\u{1b}'), "{:?}", outcome.stderr);
        assert!(!outcome.stderr.contains("\nerror: forged"), "{}", outcome.stderr);
        if outcome.code != Some(0) {
            check_refused(&outcome, &file);
        }
        fs::write(&file, whole).expect("repaired");
    }
    // Names of files are shown as well.
    let file = job.files("pod_usage").swap_remove(0);
    let odd = file.with_file_name("a\nerror: forged\u{1b}[31m.parquet");
    fs::write(&odd, "no Parquet").expect("written");
    let outcome = run(&[], &destination, &[store]);
    assert_eq!(outcome.code, Some(12), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains('\u{1b}') && !outcome.stderr.contains("\nerror: forged"), "{:?}", outcome.stderr);
}
