//! Worked examples of the rules, and the laws (ocp-on-aws § 14).

use std::sync::Arc;

use proptest::prelude::*;
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
fn derived_tables_are_sums_over_the_project_table() {
    let mut data = billed(0, "i-1", "{}", 1.0);
    data.cells.insert("product_productfamily", Text("Data Transfer"));
    data.cells.insert("lineitem_usagetype", Text("DataTransfer-In-Bytes"));
    let mut database = billed(0, "db-i-1", "{}", 4.0);
    database.cells.insert("lineitem_productcode", Text("AmazonRDS"));
    database.cells.insert("product_instancetype", Text("db.m5"));
    let lines = [
        pod(ALPHA, 0, "n1", "shop", WEB, 1.0),
        pod(ALPHA, 1, "n1", "bank", DB, 1.0),
        volume(ALPHA, 0, "shop", "pv-1", "vol-1", 25.0),
        billed(0, "i-1", "{}", 8.0),
        billed(0, "vol-1", "{}", 0.125),
        data,
        database,
    ];
    let mut job = job(Attribution::Corrected, &[(ALPHA, "alpha")]);
    job.own = settings(Attribution::Corrected, true);
    let finished = job.finished("ocp_on_aws", &lines, 2).expect("runs");
    let outputs = job.aggregator("ocp_on_aws").expect("builds").outputs();
    let tables: Vec<_> =
        outputs.iter().filter_map(|output| output.destination.as_ref()).map(|to| to.table.name).collect();
    let rows = |name: &str, columns: &[&str]| {
        let position = tables.iter().position(|table| *table == name).expect("a table");
        shown(&finished.outputs[position], columns)
    };
    assert_eq!(rows("reporting_ocpaws_cost_summary_p", &["cluster_id", "unblended_cost"]), ["alpha 13.125"]);
    let service = rows("reporting_ocpaws_cost_summary_by_service_p", &["product_code", "unblended_cost"]);
    assert_eq!(service, ["AmazonEC2 8.125", "AmazonEC2 1", "AmazonRDS 4"]);
    let compute = rows("reporting_ocpaws_compute_summary_p", &["instance_type", "resource_id", "unblended_cost"]);
    assert_eq!(compute, ["db.m5 db-i-1 4"]);
    assert_eq!(rows("reporting_ocpaws_database_summary_p", &["product_code", "unit"]), ["AmazonRDS GB-Mo"]);
    assert_eq!(rows("reporting_ocpaws_network_summary_p", &["product_code"]), Vec::<String>::new());
    assert_eq!(rows("reporting_ocpaws_storage_summary_p", &["product_family"]), Vec::<String>::new());

    // What is called unblended cost there is the amortized cost, and namespaces stay apart.
    let all_clouds = "reporting_ocpallcostlineitem_daily_summary_p";
    let columns = ["namespace", "source_type", "product_code", "resource_id", "unblended_cost", "markup_cost"];
    let daily = rows(all_clouds, &columns);
    assert!(daily.contains(&r#"["shop"] AWS AmazonEC2 i-1 1 0.5"#.to_owned()), "{daily:?}");
    let named = finished.findings.iter().filter(|finding| finding.what.contains("cut in the tables of all clouds"));
    assert_eq!(named.count(), 0);

    let columns =
        ["data_source", "namespace", "resource_id", "infrastructure_raw_cost", "infrastructure_data_in_gigabytes"];
    let infrastructure = rows("reporting_ocpusagelineitem_daily_summary", &columns);
    assert!(infrastructure.contains(&"Pod Network unattributed i-1 1.5 1".to_owned()), "{infrastructure:?}");
    assert!(infrastructure.contains(&"Pod shop i-1 1.5 -".to_owned()), "{infrastructure:?}");
    assert_eq!(infrastructure.iter().filter(|row| row.starts_with("Storage")).count(), 2);
}

#[test]
fn a_product_code_that_koku_cannot_store_everywhere_is_cut_and_told() {
    const NAME: &str = "Red Hat OpenShift Service on AWS with hosted control planes";
    let mut sold = billed(0, "i-1", "{}", 8.0);
    sold.cells.insert("bill_billingentity", Text("AWS Marketplace"));
    sold.cells.insert("product_productname", Text(NAME));
    let mut job = job(Attribution::Parity, &[(ALPHA, "alpha")]);
    job.own = settings(Attribution::Parity, true);
    let finished = job.finished("ocp_on_aws", &[pod(ALPHA, 0, "n1", "shop", WEB, 1.0), sold], 2).expect("runs");
    let outputs = job.aggregator("ocp_on_aws").expect("builds").outputs();
    for (output, rows) in outputs.iter().zip(&finished.outputs) {
        let table = output.destination.as_ref().expect("a table").table.name;
        if rows.column_by_name("product_code").is_none() || rows.num_rows() == 0 {
            continue;
        }
        let code = if table.contains("ocpall") { &NAME[..50] } else { NAME };
        assert_eq!(shown(rows, &["product_code"])[0], code, "{table}");
    }
    let named: Vec<_> = finished.findings.iter().filter(|finding| finding.what.contains("of all clouds")).collect();
    assert_eq!((named.len(), named[0].subject.as_str(), named[0].amounts[0].value), (1, NAME, 2.0));
}

#[test]
fn keys_and_values_are_summed_up_by_bill_and_account() {
    let mut tagged = billed(0, "bucket", r#"{"app": "web", "openshift_cluster": "alpha"}"#, 8.0);
    tagged.cells.insert("costcategory", Text(r#"{"Product": "shop", "Owner": "me"}"#));
    let other = billed(0, "i-1", r#"{"app": "api"}"#, 8.0);
    let mut job = job(Attribution::Parity, &[(ALPHA, "alpha")]);
    job.own = settings(Attribution::Parity, true);
    let bill = job.reference.bill.as_mut().expect("a bill");
    bill.enabled_category_keys = Some(vec!["Product".to_owned()]);
    bill.account_aliases =
        vec![tokaki_core::AccountAlias { id: 11, account_id: "1".to_owned(), account_alias: Some("one".to_owned()) }];
    let lines = [pod(ALPHA, 0, "n1", "shop", WEB, 1.0), tagged, other];
    let finished = job.finished("ocp_on_aws", &lines, 2).expect("runs");
    let [.., tags, values, categories] = finished.outputs.as_slice() else { panic!("outputs are missing") };
    let columns = ["key", "values", "cost_entry_bill_id", "report_period_id", "usage_account_id", "namespace", "node"];
    assert_eq!(shown(tags, &columns), [r#"app ["api","web"] 7 1 1 shop n1"#]);
    let columns = ["key", "value", "usage_account_ids", "account_aliases", "cluster_aliases", "namespaces", "nodes"];
    let by_value = shown(values, &columns);
    assert_eq!(by_value[0], r#"app api ["1"] ["one"] ["alpha-alias"] ["shop"] ["n1"]"#);
    assert_eq!(by_value.len(), 2);
    let columns = ["key", "values", "cost_entry_bill_id", "usage_account_id", "account_alias_id"];
    assert_eq!(shown(categories, &columns), [r#"Product ["shop"] 7 1 11"#]);
}

#[test]
fn trap_6_volumes_without_a_name_are_told_with_what_they_cost() {
    let lines = |name: &'static str| {
        let pod = pod(ALPHA, 0, "n1", "shop", WEB, 1.0);
        [pod, volume(ALPHA, 0, "shop", name, "vol-1", 25.0), billed(0, "vol-1", "{}", 0.125)]
    };
    let told = |attribution: Attribution, lines: &[Line]| {
        let finished = job(attribution, &[(ALPHA, "alpha")]).finished("ocp_on_aws", lines, 2).expect("runs");
        amount(
            &finished.findings,
            "trap 6: volumes without a name, whose handle finds no row or whose claim gets no part",
        )
    };
    assert_eq!(told(Attribution::Parity, &lines("")), 0.125);
    assert_eq!(told(Attribution::Parity, &lines("pv-1")), 0.0);
    assert_eq!(told(Attribution::Corrected, &lines("")), 0.0);

    // Beside one with a name the handle is found, and a fifth of the disk, which has 125 GB, is nobody's.
    let mut nameless = volume(ALPHA, 0, "bank", "pv-2", "vol-1", 25.0);
    nameless.cells.remove("persistentvolume");
    let [pod, named, billed] = lines("pv-1");
    let both = [pod, named, nameless, billed];
    assert!((told(Attribution::Parity, &both) - 0.025).abs() < 1e-12);
    let finished = job(Attribution::Parity, &[(ALPHA, "alpha")]).finished("ocp_on_aws", &both, 2).expect("runs");
    let disks = "traps 4 and 5: parts of disks come to more (or less) than the disk";
    assert_eq!(amount(&finished.findings, disks), 0.0);
}

#[test]
fn trap_12_what_loses_the_name_of_a_virtual_machine_is_told() {
    const VM: &str = r#"{"vm_kubevirt_io_name": "vm1"}"#;
    let lines = [pod(ALPHA, 0, "n1", "shop", VM, 1.0), billed(0, "i-1", "{}", 8.0)];
    let told = |keys: &[&str], attribution: Attribution| {
        let mut job = job(attribution, &[(ALPHA, "alpha")]);
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        job.reference.enabled_tag_keys.clone_from(&keys);
        let bill = job.reference.bill.as_mut().expect("a bill");
        bill.enabled_tag_keys.clone_from(&keys);
        let finished = job.finished("ocp_on_aws", &lines, 2).expect("runs");
        amount(&finished.findings, "trap 12: parts that lost the name of a virtual machine, since no key is enabled")
    };
    // A quarter of the machine is the pod's.
    assert_eq!(told(&[], Attribution::Parity), 2.0);
    assert_eq!(told(&["app"], Attribution::Parity), 0.0);
    assert_eq!(told(&[], Attribution::Corrected), 0.0);
}

#[test]
fn trap_21_rows_that_are_tied_by_other_keys_only_are_told() {
    const LABELS: &str = r#"{"app": "web", "tier": "front"}"#;
    let told = |tags: &'static str, attribution: Attribution| {
        let lines = [pod(ALPHA, 0, "n1", "shop", LABELS, 1.0), billed(0, "bucket", tags, 8.0)];
        let mut job = job(attribution, &[(ALPHA, "alpha")]);
        // Labels of the cluster have both keys, and the bill's tags one of them.
        let bill = job.reference.bill.as_mut().expect("a bill");
        let mut reference = bill.clusters[0].reference.as_ref().clone();
        reference.enabled_tag_keys = vec!["app".to_owned(), "tier".to_owned()];
        bill.clusters[0].reference = Arc::new(reference);
        job.reference.enabled_tag_keys = vec!["app".to_owned(), "tier".to_owned()];
        let finished = job.finished("ocp_on_aws", &lines, 2).expect("runs");
        amount(&finished.findings, "trap 21: tied to a cluster only by tags whose keys are not enabled")
    };
    // The text of the tags has an enabled key, in a value.
    assert_eq!(told(r#"{"tier": "front", "note": "app"}"#, Attribution::Parity), 8.0);
    assert_eq!(told(r#"{"tier": "front", "app": "web"}"#, Attribution::Parity), 0.0);
    assert_eq!(told(r#"{"tier": "front", "note": "app"}"#, Attribution::Corrected), 0.0);
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

/// Lines of two clusters on two days whose volumes and machines are told apart by their ids.
fn any_lines() -> impl Strategy<Value = Vec<Line>> {
    let hour = prop::sample::select(&[0_i64, 1, 24, 30][..]);
    let namespace = prop::sample::select(&["shop", "bank"][..]);
    let app = prop::sample::select(&[WEB, DB, "{}"][..]);
    let pods = (hour.clone(), prop::bool::ANY, namespace.clone(), app, 0.0..3.0_f64).prop_map(
        |(hour, of_alpha, namespace, app, cores)| {
            let (of, node) = if of_alpha { (ALPHA, "n1") } else { (BETA, "n9") };
            pod(of, hour, node, namespace, app, cores)
        },
    );
    let volumes =
        (hour.clone(), prop::bool::ANY, namespace, 1.0..150.0_f64).prop_map(|(hour, of_alpha, namespace, size)| {
            let (of, name, handle) = if of_alpha { (ALPHA, "pv-1", "vol-1") } else { (BETA, "pv-shared", "") };
            volume(of, hour, namespace, name, handle, size)
        });
    let id = prop::sample::select(&["x/i-1", "i-9", "vol-1", "a-pv-shared", "bucket", ""][..]);
    let tags = prop::sample::select(
        &[
            "{}",
            r#"{"app": "web"}"#,
            r#"{"app": "DB"}"#,
            r#"{"openshift_cluster": "beta"}"#,
            r#"{"openshift_node": "n1"}"#,
        ][..],
    );
    let bill = (hour, id, tags, 0.0..10.0_f64).prop_map(|(hour, id, tags, cost)| billed(hour, id, tags, cost));
    (prop::collection::vec(pods, 1..6), prop::collection::vec(volumes, 0..4), prop::collection::vec(bill, 1..8))
        .prop_map(|(pods, volumes, bill)| pods.into_iter().chain(volumes).chain(bill).collect())
}

fn two_clusters(attribution: Attribution) -> Job {
    job(attribution, &[(ALPHA, "alpha"), (BETA, "beta")])
}

const ALL: [&str; 12] = [
    "uuid",
    "usage_start",
    "data_source",
    "namespace",
    "node",
    "persistentvolume",
    "resource_id",
    "tags",
    "usage_amount",
    "unblended_cost",
    "markup_cost",
    "calculated_amortized_cost",
];

fn all_rows(job: &Job, lines: &[Line], piece: usize) -> Vec<Vec<String>> {
    let finished = job.finished("ocp_on_aws", lines, piece).expect("runs");
    finished.outputs.iter().map(|rows| shown(rows, &ALL)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn corrected_neither_makes_nor_loses_cost(lines in any_lines()) {
        let finished = two_clusters(Attribution::Corrected).finished("ocp_on_aws", &lines, 4).expect("runs");
        let amount = |what: &str| amount(&finished.findings, what);
        let with_parts = amount("bill: of rows with parts");
        let all = amount("bill: out of scope") + amount("bill: lost") + with_parts;
        prop_assert!((amount("bill") - all).abs() < 1e-9);
        let parts: f64 = ["storage", "compute", "tag", "network"].iter().map(|class| amount(&format!("bill: parts by {class}"))).sum();
        prop_assert!((parts - with_parts).abs() < 1e-9, "{parts} of {with_parts}");
    }

    #[test]
    fn corrected_days_do_not_depend_on_each_other(lines in any_lines()) {
        let job = two_clusters(Attribution::Corrected);
        let whole = all_rows(&job, &lines, 4);
        let mut split = vec![Vec::new(); 2];
        for day in [1, 2] {
            let job = Job { days: [day, day], ..job.clone() };
            let of_day: Vec<Line> = lines.iter().filter(|line| line.hour / 24 + 1 == i64::from(day)).cloned().collect();
            for (cluster, rows) in split.iter_mut().zip(all_rows(&job, &of_day, 4)) {
                cluster.extend(rows);
            }
        }
        prop_assert_eq!(whole, split);
    }

    #[test]
    fn pieces_and_order_change_no_bit(mut lines in any_lines(), piece in 1_usize..5) {
        for attribution in BOTH {
            let job = two_clusters(attribution);
            let whole = all_rows(&job, &lines, 100);
            lines.reverse();
            prop_assert_eq!(whole, all_rows(&job, &lines, piece));
        }
    }
}
