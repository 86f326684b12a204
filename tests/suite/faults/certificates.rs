//! The object store must prove who it is.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use tokaki_tests::compare::differences;
use tokaki_tests::destination::{DAILY_SUMMARY, Destination, Sink};
use tokaki_tests::s3::{Authority, Identity};

use crate::support::job::{BUCKET, Job, columns, error, run};
use crate::support::koku::Koku;

/// Authorities, and files that name them.
struct Trust {
    ours: Authority,
    folder: TempDir,
}

impl Trust {
    fn new() -> Self {
        let [ours, other] = ["ours", "other"].map(|name| Authority::new(name).expect("an authority"));
        let folder = tempfile::tempdir().expect("a folder");
        let both = format!("{}{}", other.pem(), ours.pem());
        let garbage = "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n".to_owned();
        for (name, text) in [
            ("ours.pem", ours.pem()),
            ("other.pem", other.pem()),
            ("both.pem", both),
            ("garbage.pem", garbage),
            ("empty.pem", String::new()),
        ] {
            fs::write(folder.path().join(name), text).expect("written");
        }
        Self { ours, folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn localhost(&self) -> Identity {
        self.ours.sign("localhost").expect("a certificate")
    }
}

#[test]
fn s15_from_a_bucket_over_tls_into_kokus_own_table_as_from_a_folder_into_a_file() {
    let trust = Trust::new();
    let job = Job::secure(trust.localhost());
    let in_file = Destination::new(&Sink::Sqlite).expect("a destination");
    assert_eq!(job.run_on_folder(&in_file, &[]).code, Some(0));
    let koku = Koku::with_foreign_rows();
    let in_koku = koku.destination();
    let expected = in_file.read(DAILY_SUMMARY, &columns()).expect("rows");
    let bundle = trust.file("ours.pem").display().to_string();
    // By the setting, and by Koku's own variable.
    let by_setting = job.run(&in_koku, &["sink.create_missing=false", &format!("store.ca_bundle={bundle}")]);
    assert_eq!(by_setting.code, Some(0), "{}", by_setting.stderr);
    let ours = "DELETE FROM org1234567.reporting_ocpusagelineitem_daily_summary WHERE usage_start = '2025-10-09' \
         OR infrastructure_raw_cost > 0";
    koku.execute(ours);
    assert_eq!(differences(&expected, &in_koku.read(DAILY_SUMMARY, &columns()).expect("rows")), [""; 0]);

    let variables = [job.server.variables(), vec![("AWS_CA_BUNDLE".to_owned(), bundle)]].concat();
    let by_variable = run(&variables, &in_koku, &[format!("store.url=s3://{BUCKET}")]);
    assert_eq!(by_variable.code, Some(0), "{}", by_variable.stderr);
    assert_eq!(differences(&expected, &in_koku.read(DAILY_SUMMARY, &columns()).expect("rows")), [""; 0]);
}

#[test]
fn s15_a_server_that_proves_nothing_is_refused_with_the_reason() {
    let trust = Trust::new();
    let good = trust.localhost();
    let elsewhere = trust.ours.sign("elsewhere.example").expect("a certificate");
    let expired = trust.ours.sign_expired("localhost").expect("a certificate");
    for (identity, bundle, reason) in [
        (&good, None, "UnknownIssuer"),
        (&good, Some("other.pem"), "UnknownIssuer"),
        (&elsewhere, Some("ours.pem"), "elsewhere.example"),
        (&expired, Some("ours.pem"), "expired"),
    ] {
        let job = Job::secure(identity.clone());
        let destination = Destination::new(&Sink::Sqlite).expect("a destination");
        let bundle = bundle.map(|name| format!("store.ca_bundle={}", trust.file(name).display()));
        let outcome = job.run(&destination, &bundle.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(outcome.code, Some(10), "{reason}: {}", outcome.stderr);
        let error = error(&outcome);
        assert!(error.contains("certificate") && error.contains(reason), "{reason}: {error}");
        assert!(error.contains("store.ca_bundle") && !error.contains("ACCESS_KEY"), "{reason}: {error}");
        assert!(!outcome.stderr.contains("trying again"), "{reason} will not pass: {}", outcome.stderr);
        assert_eq!(job.server.take_requests(), [], "nothing was asked of whom nobody trusts");
    }
}

#[test]
fn s15_files_that_name_nobody_are_mistakes_of_the_configuration() {
    let trust = Trust::new();
    let job = Job::secure(trust.localhost());
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    for name in ["missing.pem", "garbage.pem", "empty.pem"] {
        let bundle = format!("store.ca_bundle={}", trust.file(name).display());
        let outcome = job.run(&destination, &[&bundle]);
        assert_eq!(outcome.code, Some(10), "{name}: {}", outcome.stderr);
        assert!(error(&outcome).contains(name), "{}", outcome.stderr);
    }
}

#[test]
fn s15_whom_to_trust_may_be_one_of_many_and_may_be_anybody() {
    let trust = Trust::new();
    let job = Job::secure(trust.localhost());
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    let outcome = job.run(&destination, &[&format!("store.ca_bundle={}", trust.file("both.pem").display())]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let outcome = job.run(&destination, &["store.verify_tls=false"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.matches("store.verify_tls is off").count(), 1, "{}", outcome.stderr);
    // Who speaks without TLS to a server that wants it is not understood.
    let plain = job.server.endpoint().replace("https:", "http:");
    let outcome = job.run(&destination, &[&format!("store.endpoint={plain}"), "store.retries=1"]);
    assert_eq!(outcome.code, Some(20), "{}", outcome.stderr);
    error(&outcome);
}
