//! Koku's database refuses rows that another database would take, or takes its time.

use std::sync::{Arc, Mutex, PoisonError};

use tokaki_tests::destination::{Destination, Sink};
use tokaki_tests::faults::{Fault, Operation, Rule};

use crate::support::job::{Job, error};
use crate::support::koku::{Koku, SCHEMA};

const TABLE: &str = "org1234567.reporting_ocpusagelineitem_daily_summary";

/// How many rows the summary has.
fn rows(koku: &Koku) -> String {
    koku.ask(&format!("SELECT count(*)::text FROM {TABLE}"))
}

#[test]
fn p7_rows_that_the_table_refuses_are_told_and_change_nothing() {
    for (change, told) in [
        ("ADD CONSTRAINT no_dns CHECK (namespace <> 'openshift-dns') NOT VALID", "no_dns"),
        ("ALTER COLUMN namespace TYPE varchar(3) USING 'x'", "namespace"),
        ("ALTER COLUMN pod_usage_cpu_core_hours TYPE numeric(3, 2) USING 0", "pod_usage_cpu_core_hours"),
        ("ALTER COLUMN persistentvolumeclaim SET NOT NULL", "persistentvolumeclaim"),
        ("ADD CONSTRAINT one_a_day UNIQUE (usage_start, namespace)", "usage_start_namespace"),
    ] {
        let (job, koku) = (Job::new(), Koku::empty());
        koku.execute(&format!("ALTER TABLE {TABLE} {change}"));
        let outcome = job.run_on_folder(&koku.destination(), &["sink.create_missing=false"]);
        assert!(matches!(outcome.code, Some(10 | 12 | 21)), "{change}: {:?} {}", outcome.code, outcome.stderr);
        assert!(error(&outcome).contains(told), "{change}: {}", outcome.stderr);
        assert_eq!(rows(&koku), "0", "{change}");
        // A mistake that stays the same is not tried again.
        assert!(!outcome.stderr.contains("the transaction is repeated"), "{}", outcome.stderr);
    }
}

#[test]
fn c5_a_source_that_is_deleted_during_the_run_gets_no_rows() {
    let (job, koku) = (Job::new(), Koku::empty());
    let sink = Sink::Postgres { database: koku.url.to_string() };
    let destination = Destination::in_schema(&sink, SCHEMA).expect("a destination");
    let koku = Arc::new(Mutex::new(koku));
    let own = Arc::clone(&koku);
    let delete = move || {
        let koku = Arc::clone(&own);
        // The server that asks for this is asynchronous, and this waits.
        let deleted = std::thread::spawn(move || {
            let koku = koku.lock().unwrap_or_else(PoisonError::into_inner);
            koku.execute(&format!("DELETE FROM {SCHEMA}.reporting_ocpusagereportperiod"));
        });
        deleted.join().expect("deleted");
    };
    job.server.set_faults([Rule::always(Fault::before(delete)).on(Operation::Get).after(2).times(1)]);
    let outcome = job.run(&destination, &["sink.create_missing=false"]);
    assert!(matches!(outcome.code, Some(12 | 21)), "{:?}: {}", outcome.code, outcome.stderr);
    assert!(error(&outcome).contains("report_period"), "{}", outcome.stderr);
    assert_eq!(rows(&koku.lock().unwrap_or_else(PoisonError::into_inner)), "0");
}
