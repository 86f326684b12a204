//! The object store fails.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use tokaki_tests::destination::{Destination, Sink};
use tokaki_tests::faults::{Fault, Operation, Rule};

use crate::support::job::{Job, content, error};

/// How often a request is tried again where nothing is said.
const RETRIES: usize = 5;

#[test]
fn s1_nobody_listens() {
    let job = Job::new();
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    let outcome = job.run(&destination, &["store.endpoint=http://127.0.0.1:1"]);
    assert_eq!(outcome.code, Some(20), "{}", outcome.stderr);
    assert!(error(&outcome).contains("Connection refused"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
}

#[test]
fn s2_no_answer_at_all() {
    let job = Job::new();
    let outcome = job.run_through([Rule::always(Fault::Silence).after(2).times(2)], &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let outcome = job.run_through([Rule::always(Fault::Silence).after(2)], &["store.retries=1"]);
    assert_eq!(outcome.code, Some(20), "{}", outcome.stderr);
    assert!(error(&outcome).starts_with("error: store:"), "{}", outcome.stderr);
}

#[test]
fn s2_a_body_that_stalls() {
    let job = Job::new();
    let stall = Rule::always(Fault::StallAfter(100)).on(Operation::Get);
    let outcome = job.run_through([stall.clone().times(2)], &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let outcome = job.run_through([stall], &["store.retries=1"]);
    assert_eq!(outcome.code, Some(20), "{}", outcome.stderr);
    error(&outcome);
}

#[test]
fn s3_server_errors_until_it_works_again() {
    let job = Job::new();
    for status in [500, 502, 503] {
        let fault = Fault::Status { status, code: "", retry_after: None };
        for times in [1, RETRIES] {
            // The first requests are one after the other, so all of the errors meet the same one.
            let outcome = job.run_through([Rule::always(fault.clone()).times(times)], &[]);
            assert_eq!(outcome.code, Some(0), "{status} {times} times: {}", outcome.stderr);
            assert_eq!(outcome.stderr.matches("trying again").count(), times, "{}", outcome.stderr);
        }
        let outcome = job.run_through([Rule::always(fault)], &[]);
        assert_eq!(outcome.code, Some(20), "{status}: {}", outcome.stderr);
        assert!(error(&outcome).starts_with("error: store:"), "{}", outcome.stderr);
    }
}

#[test]
fn s3_errors_at_every_request_in_turn() {
    let job = Job::new();
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    job.server.take_requests();
    assert_eq!(job.run(&destination, &[]).code, Some(0));
    let requests = job.server.take_requests().len();
    assert!(requests > 20, "{requests}");
    for request in 0..requests {
        let rule = Rule::always(Fault::internal_error()).after(request).times(1);
        job.server.set_faults([rule]);
        let outcome = job.run(&destination, &[]);
        assert_eq!(outcome.code, Some(0), "request {request}: {}", outcome.stderr);
    }
}

#[test]
fn s3_faults_by_chance() {
    let job = Job::new();
    let sink = Sink::Sqlite;
    let clean = job.clean_rows(&Destination::new(&sink).expect("a destination"));
    for seed in 0..20 {
        let destination = Destination::new(&sink).expect("a destination");
        job.server.set_random_faults(seed);
        let outcome = job.run(&destination, &["store.retries=20"]);
        assert_eq!(outcome.code, Some(0), "seed {seed}: {}", outcome.stderr);
        assert!(content(&destination) == clean, "seed {seed}: other rows");
    }
}

#[test]
fn s4_a_pause_that_the_server_asks_for() {
    let job = Job::new();
    for fault in
        [Fault::slow_down(Some(1)), Fault::Status { status: 429, code: "TooManyRequests", retry_after: Some(1) }]
    {
        let outcome = job.run_through([Rule::always(fault).after(4).times(1)], &[]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("asks for a pause of 1 s"), "{}", outcome.stderr);
    }
    let outcome = job.run_through([Rule::always(Fault::slow_down(None)).after(4).times(3)], &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
}

#[test]
fn s5_a_body_cut_at_any_byte() {
    let job = Job::new();
    for kept in [0, 1, 4, 100, 4095, 4096, 4097, 8192, 20_000] {
        let outcome = job.run_through([Rule::always(Fault::CutAfter(kept)).on(Operation::Get).times(3)], &[]);
        assert_eq!(outcome.code, Some(0), "after {kept}: {}", outcome.stderr);
    }
    let outcome = job.run_through([Rule::always(Fault::CutAfter(10)).on(Operation::List).times(2)], &[]);
    assert_eq!(outcome.code, Some(0), "a listing: {}", outcome.stderr);
    let outcome = job.run_through([Rule::always(Fault::CutAfter(100)).on(Operation::Get)], &[]);
    assert_eq!(outcome.code, Some(20), "{}", outcome.stderr);
    error(&outcome);
}

#[test]
fn s6_a_body_shorter_than_announced() {
    let job = Job::new();
    for missing in [1, 8, 1000] {
        let rule = Rule::always(Fault::ShortBy(missing)).on(Operation::Get);
        let outcome = job.run_through([rule.clone().times(3)], &[]);
        assert_eq!(outcome.code, Some(0), "short by {missing}: {}", outcome.stderr);
        let outcome = job.run_through([rule], &[]);
        assert_eq!(outcome.code, Some(20), "short by {missing}: {}", outcome.stderr);
        error(&outcome);
    }
}

#[test]
fn s7_an_error_with_status_200() {
    let job = Job::new();
    let rule = Rule::always(Fault::ErrorPage);
    let outcome = job.run_through([rule.clone().on(Operation::Get).times(3)], &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    for operation in [Operation::Get, Operation::List] {
        let outcome = job.run_through([rule.clone().on(operation)], &[]);
        assert_eq!(outcome.code, Some(20), "{}", outcome.stderr);
        error(&outcome);
    }
}

#[test]
fn s7_an_error_instead_of_each_listing_in_turn() {
    let job = Job::new();
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    let clean = job.clean_rows(&destination);
    job.server.take_requests();
    assert_eq!(job.run(&destination, &[]).code, Some(0));
    let listings = job.server.take_requests().iter().filter(|seen| seen.operation == Operation::List).count();
    assert!(listings >= 8, "{listings}");
    for listing in 0..listings {
        let destination = Destination::new(&Sink::Sqlite).expect("a destination");
        job.server.set_faults([Rule::always(Fault::ErrorPage).on(Operation::List).after(listing).times(1)]);
        let outcome = job.run(&destination, &[]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert!(content(&destination) == clean, "listing {listing} was taken for empty");
    }
}

/// What happens to the daily files of a report type, once they were listed and `requests` of them were answered.
fn on_daily(report_type: &str, requests: usize, action: impl Fn() + Send + Sync + 'static) -> Rule {
    Rule::always(Fault::before(action))
        .on(Operation::Get)
        .to(&format!("/daily/org1234567/OCP/{report_type}/"))
        .after(requests)
        .times(1)
}

/// Every file is replaced by one of another length, so that it does not matter which is read when.
fn replaced(files: Vec<PathBuf>) -> impl Fn() + Send + Sync + 'static {
    let other = fs::read(&files[1]).expect("a file");
    move || {
        for file in &files {
            let new = file.with_extension("new");
            fs::write(&new, &other).expect("written");
            fs::rename(&new, file).expect("replaced");
        }
    }
}

#[test]
fn s8_a_file_replaced_during_the_run() {
    for heeds_conditions in [true, false] {
        // Before the first byte, and between the footers and the pieces of the large one.
        for requests in [0, 3] {
            let job = Job::new();
            job.enlarge("namespace_labels");
            if !heeds_conditions {
                job.server.ignore_conditions();
            }
            let rule = on_daily("namespace_labels", requests, replaced(job.files("namespace_labels")));
            let outcome = job.run_through([rule], &[]);
            assert_eq!(outcome.code, Some(20), "{}", outcome.stderr);
            let error = error(&outcome);
            assert!(error.starts_with("error: changed: the file was replaced"), "{error}");
            assert!(error.contains("namespace_labels.2025-10-0"), "{error}");
        }
    }
}

#[test]
fn s8_a_small_file_replaced_after_it_came_whole() {
    let job = Job::new();
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    let clean = job.clean_rows(&destination);
    // It came with its footer, and is not asked for again.
    job.server.set_faults([on_daily("pod_usage", 3, replaced(job.files("pod_usage")))]);
    let outcome = job.run(&destination, &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(content(&destination) == clean);
}

#[test]
fn s9_a_file_removed_after_it_was_listed() {
    for requests in [0, 3] {
        let job = Job::new();
        job.enlarge("namespace_labels");
        let files = job.files("namespace_labels");
        let rule = on_daily("namespace_labels", requests, move || {
            for file in &files {
                fs::remove_file(file).expect("removed");
            }
        });
        let outcome = job.run_through([rule], &[]);
        assert_eq!(outcome.code, Some(20), "{}", outcome.stderr);
        assert!(error(&outcome).starts_with("error: changed:"), "{}", outcome.stderr);
    }
}

#[test]
fn s12_access_refused() {
    let job = Job::new();
    let at_start = job.run_through([Rule::always(Fault::denied())], &[]);
    assert_eq!(at_start.code, Some(30), "{}", at_start.stderr);
    assert!(error(&at_start).starts_with("error: access: the store refused access"), "{}", at_start.stderr);
    assert!(!at_start.stderr.contains("trying again"), "a refusal stays one: {}", at_start.stderr);
    let in_the_middle = job.run_through([Rule::always(Fault::denied()).on(Operation::Get).after(5)], &[]);
    assert_eq!(in_the_middle.code, Some(30), "{}", in_the_middle.stderr);
    error(&in_the_middle);
}

#[test]
fn s12_credentials_renewed_in_their_file() {
    let job = Job::new();
    let folder = tempfile::tempdir().expect("a folder");
    let [id, secret] = ["id", "secret"].map(|name| folder.path().join(name));
    fs::write(&id, tokaki_tests::s3::ACCESS_KEY_ID).expect("written");
    fs::write(&secret, "the secret of yesterday").expect("written");
    let settings = [
        format!("store.access_key_id_file={}", id.display()),
        format!("store.secret_access_key_file={}", secret.display()),
    ];
    let settings = settings.each_ref().map(String::as_str);
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");

    let refused = job.run_with_own_credentials(&destination, &settings);
    assert_eq!(refused.code, Some(30), "{}", refused.stderr);
    assert!(!refused.stderr.contains("yesterday"), "{}", refused.stderr);

    fs::write(&secret, format!("{}\n", tokaki_tests::s3::SECRET_ACCESS_KEY)).expect("written");
    let expired = Fault::Status { status: 400, code: "ExpiredToken", retry_after: None };
    job.server.set_faults([Rule::always(expired).on(Operation::Get).after(5).times(1)]);
    let renewed = job.run_with_own_credentials(&destination, &settings);
    assert_eq!(renewed.code, Some(0), "{}", renewed.stderr);
}

#[test]
fn s13_a_clock_that_is_wrong() {
    let job = Job::new();
    let skewed = Fault::Status { status: 403, code: "RequestTimeTooSkewed", retry_after: None };
    let outcome = job.run_through([Rule::always(skewed)], &[]);
    assert_eq!(outcome.code, Some(30), "{}", outcome.stderr);
    assert!(error(&outcome).contains("set the clock of this machine"), "{}", outcome.stderr);
}

#[test]
fn s14_a_store_that_lives_elsewhere() {
    let job = Job::new();
    for (status, code) in
        [(301, "PermanentRedirect"), (307, "TemporaryRedirect"), (400, "AuthorizationHeaderMalformed")]
    {
        let elsewhere = Fault::Status { status, code, retry_after: None };
        let outcome = job.run_through([Rule::always(elsewhere)], &[]);
        assert!(matches!(outcome.code, Some(10 | 20 | 30)), "{code}: {:?} {}", outcome.code, outcome.stderr);
        assert!(error(&outcome).contains(code), "{}", outcome.stderr);
    }
}

#[test]
fn s16_a_slow_store_is_waited_for() {
    let job = Job::new();
    let outcome = job.run_through([Rule::always(Fault::Delay(Duration::from_millis(50)))], &[]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
}
