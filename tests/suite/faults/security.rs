//! Hostile names and values, and secrets.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokaki_tests::compare::differences;
use tokaki_tests::destination::{DAILY_SUMMARY, Destination, Sink};
use tokaki_tests::faults::proxy::Trouble;
use tokaki_tests::folder::files_below;
use tokaki_tests::rows::Row;
use tokaki_tests::s3::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};
use url::Url;

use super::database::{TERMINATE, WRITING};
use super::input::{check_refused, with_label};
use crate::support::job::{BUCKET, Job, columns, error, run};
use crate::support::koku::Koku;
use crate::support::tokaki;

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
fn i15_cluster_names_are_stored_as_they_are_or_refused_and_never_cut() {
    let job = Job::new();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("reference.json");
    let sinks = [Sink::Sqlite, Sink::Parquet, Sink::postgres().expect("a database")];
    let run_with_alias = |sink: &Sink, alias: &str| {
        let mut reference: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(Job::reference()).expect("reference data")).expect("JSON");
        reference["cluster_alias"] = alias.into();
        fs::write(&path, reference.to_string()).expect("written");
        let destination = Destination::new(sink).expect("a destination");
        let settings = [format!("reference.path={}", path.display()), format!("store.url={}", job.folder().display())];
        let outcome = run(&[], &destination, &settings);
        let rows =
            if outcome.code == Some(0) { destination.read(DAILY_SUMMARY, &columns()).expect("rows") } else { vec![] };
        (outcome, rows)
    };
    let longest = "\u{fc}".repeat(256);
    for alias in HOSTILE.into_iter().chain([" with blanks ", "\u{5d0}\u{5d1} right to left", longest.as_str()]) {
        for sink in &sinks {
            let (outcome, rows) = run_with_alias(sink, alias);
            assert_eq!(outcome.code, Some(0), "{alias:?}: {}", outcome.stderr);
            let stored = |row: &Row| row["cluster_alias"].text().is_some_and(|text| text == alias);
            assert!(!rows.is_empty() && rows.iter().all(stored), "{alias:?}: {:?}", rows[0]["cluster_alias"]);
        }
    }
    for alias in [longest + "x", "with\0zero".to_owned()] {
        for sink in &sinks {
            let (outcome, _) = run_with_alias(sink, &alias);
            assert_eq!(outcome.code, Some(12), "{}", outcome.stderr);
            assert!(error(&outcome).contains("cluster_alias"), "{}", outcome.stderr);
        }
    }
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

/// All bytes in a folder and below it.
fn bytes_below(folder: &Path) -> Vec<u8> {
    files_below(folder).iter().flat_map(|file| fs::read(file).expect("a file")).collect()
}

/// What a process has open that has no name any more.
fn nameless_files(process: u32) -> Vec<u8> {
    let files = fs::read_dir(format!("/proc/{process}/fd")).expect("its files");
    let files = files.map(|file| file.expect("an entry").path());
    let nameless =
        |file: &PathBuf| fs::read_link(file).is_ok_and(|target| target.to_string_lossy().ends_with("(deleted)"));
    files.filter(nameless).flat_map(|file| fs::read(file).expect("a file")).collect()
}

#[test]
fn x2_no_secret_in_anything_that_is_kept() {
    let (job, koku) = (Job::new(), Koku::with_foreign_rows());
    let proxy = koku.proxy();
    let Sink::Postgres { database } = koku.behind(&proxy) else { unreachable!("Koku's database is PostgreSQL") };
    let mut url = Url::parse(&database).expect("a url");
    // The server of the tests takes any password.
    url.set_password(Some("canary-9b2e-database")).expect("a password");
    let canaries = [ACCESS_KEY_ID, SECRET_ACCESS_KEY, "5d1c0ffee7secret", "canary-9b2e-database"];
    let folder = tempfile::tempdir().expect("a folder");
    let [temporary, cache, written] = ["temporary", "cache", "written"].map(|name| folder.path().join(name));
    fs::create_dir_all(&temporary).expect("created");
    fs::create_dir_all(&written).expect("created");
    let start = |format: &str| {
        let mut command = Command::new(tokaki::command().binary());
        command.args(["run", "--config"]).arg(Job::config());
        for setting in [
            &format!("reference.path={}", Job::reference().display()),
            &format!("store.url=s3://{BUCKET}"),
            &format!("cache.url={}", cache.display()),
            &format!("log.format={format}"),
            "log.level=trace",
        ] {
            command.args(["--set", setting]);
        }
        command.envs(job.server.variables()).env("TOKAKI_SINK__URL", url.as_str()).env("TMPDIR", &temporary);
        let file = |name: &str| File::create(written.join(format!("{format}.{name}"))).expect("created");
        command.stdout(file("stdout")).stderr(file("stderr")).spawn().expect("starts")
    };
    let check = |what: &str, bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        for canary in canaries {
            assert!(!text.contains(canary), "{what} holds a secret");
        }
    };

    for format in ["text", "json"] {
        proxy.set(Trouble::None);
        assert_eq!(start(format).wait().expect("ended").code(), Some(0));
        let commit_sent = proxy.sent()[WRITING] - TERMINATE;
        let [told, kept] = [&written, &cache].map(|folder| bytes_below(folder));
        assert!(told.len() > 1000 && kept.len() > 10_000, "{} bytes told, {} kept", told.len(), kept.len());
        check("what was told", &told);
        check("the cache", &kept);

        // And while all rows wait for their commit.
        proxy.set_for(WRITING, Trouble::HoldAfterSent(commit_sent - 1));
        let mut child = start(format);
        while proxy.sent().get(WRITING) != Some(&(commit_sent - 1)) {
            assert!(child.try_wait().expect("a child").is_none(), "it ended before its commit");
            std::thread::sleep(Duration::from_millis(1));
        }
        let spool = nameless_files(child.id());
        assert!(spool.len() > 10_000, "{} bytes in the spool", spool.len());
        check("the spool", &spool);
        check("the command line", &fs::read(format!("/proc/{}/cmdline", child.id())).expect("a command line"));
        check("what the server shows", koku.ask("SELECT string_agg(a::text, ' ') FROM pg_stat_activity a").as_bytes());
        child.kill().expect("killed");
        child.wait().expect("ended");
        check("the folder for temporary files", &bytes_below(&temporary));
        check("what was told", &bytes_below(&written));
        koku.digest();
        let rows = "SELECT string_agg(t::text, ' ') FROM org1234567.reporting_ocpusagelineitem_daily_summary t";
        check("the table", koku.ask(rows).as_bytes());
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
