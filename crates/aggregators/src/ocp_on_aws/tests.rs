//! Worked examples of the rules.

mod derived;
mod laws;
mod traps;

use std::sync::Arc;

use tokaki_core::{Bill, Cluster, Distribution, Finding, ReferenceData, Section, Semantics};

use crate::cloud::semantics::Attribution;
use crate::testing::Cell::{Number, Text};
use crate::testing::{Job, Line, line, shown};

const ALPHA: &str = "aaaaaaaa-0000-0000-0000-000000000000";
const BETA: &str = "bbbbbbbb-0000-0000-0000-000000000000";

fn job(attribution: Attribution, clusters: &[(&str, &str)]) -> Job {
    let mut job = Job::new(Semantics::Koku, &["app"], &[]);
    let cluster = |(uuid, id): &(&str, &str)| Cluster {
        source_uuid: (*uuid).to_owned(),
        mapped: true,
        distribution: Distribution::Cpu,
        reference: Arc::new(ReferenceData {
            report_period_id: 1,
            cluster_id: (*id).to_owned(),
            cluster_alias: format!("{id}-alias"),
            enabled_tag_keys: vec!["app".to_owned()],
            ..ReferenceData::default()
        }),
    };
    job.reference.bill = Some(Bill {
        id: 7,
        markup_percent: "50".to_owned(),
        enabled_tag_keys: vec!["app".to_owned()],
        clusters: clusters.iter().map(cluster).collect(),
        ..Bill::default()
    });
    job.own = settings(attribution, false);
    job
}

fn settings(attribution: Attribution, derived: bool) -> Section {
    let settings = serde_json::json!({ "semantics": attribution, "derived": derived });
    Section::new("aggregators.ocp_on_aws", settings.as_object().cloned().unwrap_or_default())
}

/// A pod that uses `cores` of the four of its node for an hour.
fn pod(
    of: &'static str,
    hour: i64,
    node: &'static str,
    namespace: &'static str,
    app: &'static str,
    cores: f64,
) -> Line {
    let machine = match node {
        "n1" => "i-1",
        "n2" => "i-12",
        _ => "i-9",
    };
    let cells = [
        ("namespace", Text(namespace)),
        ("node", Text(node)),
        ("pod", Text("p")),
        ("resource_id", Text(machine)),
        ("pod_labels", Text(app)),
        ("pod_usage_cpu_core_seconds", Number(cores * 3600.0)),
        ("pod_effective_usage_cpu_core_seconds", Number(cores * 3600.0)),
        ("pod_effective_usage_memory_byte_seconds", Number(0.0)),
        ("node_capacity_cpu_core_seconds", Number(4.0 * 3600.0)),
    ];
    Line { of: Some(of), ..line("pod_usage", hour, &cells) }
}

/// A volume of `gibibytes` that a pod on n1 mounts.
fn volume(
    of: &'static str,
    hour: i64,
    namespace: &'static str,
    name: &'static str,
    handle: &'static str,
    gibibytes: f64,
) -> Line {
    let bytes = gibibytes * f64::from(1 << 30);
    let cells = [
        ("namespace", Text(namespace)),
        ("pod", Text("p")),
        ("persistentvolumeclaim", Text("claim")),
        ("persistentvolume", Text(name)),
        ("csi_volume_handle", Text(handle)),
        ("persistentvolumeclaim_capacity_bytes", Number(bytes)),
        ("persistentvolumeclaim_capacity_byte_seconds", Number(bytes * 3600.0)),
    ];
    Line { of: Some(of), ..line("storage_usage", hour, &cells) }
}

fn billed(hour: i64, id: &'static str, tags: &'static str, cost: f64) -> Line {
    let cells = [
        ("lineitem_resourceid", Text(id)),
        ("resourcetags", Text(tags)),
        ("lineitem_productcode", Text("AmazonEC2")),
        ("lineitem_usageaccountid", Text("1")),
        ("lineitem_lineitemtype", Text("Usage")),
        ("pricing_unit", Text("GB-Mo")),
        ("lineitem_usageamount", Number(1.0)),
        ("lineitem_unblendedcost", Number(cost)),
        // 100 GB cost 0.1 an hour in a month of 744 hours.
        ("lineitem_unblendedrate", Number(0.744)),
    ];
    line("line_items", hour, &cells)
}

fn rows(job: &Job, lines: &[Line]) -> Vec<String> {
    let finished = job.finished("ocp_on_aws", lines, 3).expect("runs");
    let columns = ["cluster_id", "data_source", "namespace", "unblended_cost", "markup_cost"];
    finished.outputs.iter().flat_map(|rows| shown(rows, &columns)).collect()
}

fn amount(findings: &[Finding], what: &str) -> f64 {
    let finding = findings.iter().find(|finding| finding.what == what);
    let amount = finding.and_then(|finding| finding.amounts.iter().find(|amount| amount.measure == "unblended_cost"));
    amount.map_or(0.0, |amount| amount.value)
}

const WEB: &str = r#"{"app":"web"}"#;
const DB: &str = r#"{"app":"db"}"#;
const BOTH: [Attribution; 2] = [Attribution::Parity, Attribution::Corrected];

fn two_clusters(attribution: Attribution) -> Job {
    job(attribution, &[(ALPHA, "alpha"), (BETA, "beta")])
}

#[test]
fn a_machine_is_shared_by_usage_and_the_rest_is_unallocated() {
    let lines = [
        pod(ALPHA, 0, "n1", "shop", WEB, 1.0),
        pod(ALPHA, 0, "n1", "bank", DB, 2.0),
        billed(0, "arn/i-1", "{}", 8.0),
        billed(0, "i-other", "{}", 5.0),
    ];
    for attribution in BOTH {
        let job = job(attribution, &[(ALPHA, "alpha")]);
        let rows = rows(&job, &lines);
        assert_eq!(rows, ["alpha Pod - 2 1", "alpha Pod bank 4 2", "alpha Pod shop 2 1"], "{attribution:?}");
    }
}

#[test]
fn a_machine_whose_id_is_part_of_anothers_gets_nothing_of_it_unless_koku_says_so() {
    let lines =
        [pod(ALPHA, 0, "n1", "shop", WEB, 4.0), pod(ALPHA, 0, "n2", "bank", WEB, 4.0), billed(0, "i-12", "{}", 8.0)];
    let total = |attribution| {
        let finished = job(attribution, &[(ALPHA, "alpha")]).finished("ocp_on_aws", &lines, 3).expect("runs");
        amount(&finished.findings, "bill: parts by compute")
    };
    assert_eq!(total(Attribution::Parity), 16.0);
    assert_eq!(total(Attribution::Corrected), 8.0);
}

#[test]
fn a_disk_goes_to_its_volume_and_the_rest_to_nobody() {
    let lines = [
        pod(ALPHA, 0, "n1", "shop", WEB, 1.0),
        volume(ALPHA, 0, "shop", "pv-1", "vol-1", 25.0),
        billed(0, "vol-1", "{}", 0.1),
    ];
    let job = job(Attribution::Corrected, &[(ALPHA, "alpha")]);
    let finished = job.finished("ocp_on_aws", &lines, 1).expect("runs");
    let rows = shown(&finished.outputs[0], &["namespace", "persistentvolumeclaim", "usage_amount"]);
    assert_eq!(rows, ["Storage unattributed claim -", "shop claim 1"]);
    assert!((amount(&finished.findings, "bill: parts by storage") - 0.1).abs() < 1e-12);
}

#[test]
fn a_disk_that_is_known_by_its_volumes_name_is_lost_only_with_koku() {
    let lines = [
        pod(ALPHA, 0, "n1", "shop", WEB, 1.0),
        volume(ALPHA, 0, "shop", "pvc-1", "", 100.0),
        billed(0, "kubernetes-dynamic-pvc-1", WEB, 0.125),
    ];
    let lost = |attribution| {
        let finished = job(attribution, &[(ALPHA, "alpha")]).finished("ocp_on_aws", &lines, 1).expect("runs");
        amount(&finished.findings, "bill: lost")
    };
    assert_eq!(lost(Attribution::Parity), 0.125);
    assert_eq!(lost(Attribution::Corrected), 0.0);
}

#[test]
fn clusters_with_the_label_of_a_tag_share_its_cost() {
    let lines = [
        pod(ALPHA, 0, "n1", "shop", WEB, 1.0),
        pod(BETA, 0, "n9", "lab", WEB, 1.0),
        billed(0, "bucket", r#"{"app": "web"}"#, 6.0),
        billed(0, "bucket", r#"{"app": "nobody"}"#, 1.0),
    ];
    for attribution in BOTH {
        let job = job(attribution, &[(ALPHA, "alpha"), (BETA, "beta")]);
        assert_eq!(rows(&job, &lines), ["alpha Pod shop 3 1.5", "beta Pod lab 3 1.5"], "{attribution:?}");
    }
}

#[test]
fn the_tag_of_a_cluster_spreads_over_its_namespaces_and_not_over_what_is_nobodys() {
    let lines = [
        pod(ALPHA, 0, "n1", "shop", WEB, 1.0),
        pod(ALPHA, 0, "n1", "bank", DB, 1.0),
        billed(0, "bucket", r#"{"openshift_cluster": "alpha-alias", "openshift_project": "shop"}"#, 6.0),
    ];
    for attribution in BOTH {
        let job = job(attribution, &[(ALPHA, "alpha")]);
        assert_eq!(rows(&job, &lines), ["alpha Pod bank 3 1.5", "alpha Pod shop 3 1.5"], "{attribution:?}");
    }
}

#[test]
fn a_row_of_a_cluster_that_has_no_rows_on_the_day_is_lost_and_the_run_goes_on() {
    let tags = r#"{"openshift_cluster": "alpha-alias", "openshift_project": "shop"}"#;
    let lines = [pod(ALPHA, 0, "n1", "shop", WEB, 1.0), billed(24, "bucket", tags, 6.0)];
    for attribution in BOTH {
        let job = job(attribution, &[(ALPHA, "alpha")]);
        assert_eq!(rows(&job, &lines), Vec::<String>::new(), "{attribution:?}");
        let findings = job.finished("ocp_on_aws", &lines, 1).expect("runs").findings;
        assert_eq!(amount(&findings, "bill: lost"), 6.0, "{attribution:?}");
    }
}

#[test]
fn a_cluster_without_rows_has_none_and_a_reference_without_bill_is_an_error() {
    let lines = [billed(0, "i-1", "{}", 1.0)];
    let job = job(Attribution::Parity, &[(ALPHA, "alpha")]);
    assert_eq!(rows(&job, &lines), Vec::<String>::new());
    let error = Job::new(Semantics::Koku, &[], &[]).finished("ocp_on_aws", &lines, 1).expect_err("no bill");
    assert_eq!(error.kind(), tokaki_core::ErrorKind::Reference);
}

#[test]
fn rows_that_kokus_table_does_not_take_are_named() {
    let mut nameless = billed(0, "x/i-1", "{}", 1.0);
    nameless.cells.insert("lineitem_productcode", Text(""));
    let lines = [pod(ALPHA, 0, "n1", "shop", WEB, 1.0), nameless, billed(0, "i-1", "{}", 1.0)];
    let finished = job(Attribution::Parity, &[(ALPHA, "alpha")]).finished("ocp_on_aws", &lines, 1).expect("runs");
    let named: Vec<_> = finished.findings.iter().filter(|finding| finding.what.contains("does not take")).collect();
    assert_eq!(named.len(), 1);
    assert_eq!(named[0].subject, "2025-10-01, cluster alpha, resource x/i-1");
    // The pod's, and what no pod used.
    assert_eq!(named[0].amounts[0].value, 2.0);
}

#[test]
fn a_cluster_that_is_not_mapped_gets_its_share_only_if_a_machine_of_it_is_on_the_bill() {
    let lines = [
        pod(ALPHA, 0, "n1", "shop", WEB, 1.0),
        pod(BETA, 0, "n9", "lab", WEB, 1.0),
        billed(0, "i-1", "{}", 8.0),
        billed(0, "bucket", r#"{"app": "web"}"#, 4.0),
    ];
    let of_machine = [&lines[..], &[billed(24, "i-9", "{}", 1.0)]].concat();
    for attribution in BOTH {
        let run = |lines: &[Line]| {
            let mut job = two_clusters(attribution);
            job.reference.bill.as_mut().expect("a bill").clusters[1].mapped = false;
            job.own = settings(attribution, true);
            let finished = job.finished("ocp_on_aws", lines, 2).expect("runs");
            let outputs = job.aggregator("ocp_on_aws").expect("builds").outputs();
            let left_alone: Vec<_> = finished.left_alone.iter().map(|position| outputs[*position].clone()).collect();
            (shown(&finished.outputs[0], &["unblended_cost"]), finished, left_alone)
        };
        let vain = "bill: cluster of which no machine is on it";
        let (alone, finished, left_alone) = run(&lines);
        assert!(alone.contains(&"4".to_owned()), "{alone:?}");
        let named: Vec<_> = finished.findings.iter().filter(|finding| finding.what == vain).collect();
        assert_eq!((named.len(), named[0].subject.as_str()), (1, "beta"));
        // Its infrastructure rows may be those of another account.
        assert_eq!(left_alone.len(), 1);
        let destination = left_alone[0].destination.as_ref().expect("a table");
        assert_eq!(destination.table.name, "reporting_ocpusagelineitem_daily_summary");

        // Found on the second day, it shares what the tags of the first one lead to.
        let (shared, finished, left_alone) = run(&of_machine);
        assert!(shared.contains(&"2".to_owned()), "{shared:?}");
        assert_eq!(finished.findings.iter().filter(|finding| finding.what == vain).count(), 0);
        assert!(left_alone.is_empty());
    }
}
