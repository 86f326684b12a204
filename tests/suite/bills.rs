//! A cloud provider's bill attributed to clusters: every row of every case, and the laws.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::Value as Json;
use tempfile::TempDir;
use tokaki_core::Semantics;
use tokaki_tests::cases::{Case, SUMMARY, repository};
use tokaki_tests::destination::{DAILY_SUMMARY, Destination, Sink};
use tokaki_tests::rows::{Column, Kind, Value};

use crate::support::koku::execute;
use crate::support::{copy, qe, sinks, tokaki};

const TABLE: &str = "reporting_ocpawscostlineitem_project_daily_summary_p.parquet";
const TWO_CLUSTERS: &str = "two-clusters-one-account";

fn case(name: &str) -> Case {
    Case { folder: repository("scenarios-aws").join(name) }
}

/// A copy of a case, to be changed.
fn copied(name: &str) -> (TempDir, Case) {
    let folder = TempDir::new().expect("a folder");
    let copied = Case { folder: folder.path().join(name) };
    copy(&case(name).folder, &copied.folder);
    (folder, copied)
}

/// The table that a run of the case writes, and what it reports.
fn run(case: &Path, settings: &[String]) -> (Vec<u8>, Json) {
    run_with(&["--case".to_owned(), case.display().to_string()], settings)
}

fn run_with(arguments: &[String], settings: &[String]) -> (Vec<u8>, Json) {
    let folder = TempDir::new().expect("a folder");
    let mut all = vec!["run".to_owned(), "--sink".to_owned(), format!("parquet:{}", folder.path().display())];
    all.push("--log-format=json".to_owned());
    all.extend_from_slice(arguments);
    all.extend(settings.iter().flat_map(|setting| ["--set".to_owned(), setting.clone()]));
    let outcome = tokaki::run(&all).expect("runs");
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let report = serde_json::from_str(outcome.stdout.lines().last().expect("a report")).expect("JSON");
    (fs::read(folder.path().join(TABLE)).expect("a result"), report)
}

#[test]
fn every_row_of_every_case_in_both_modes() {
    let ours = repository("scenarios-aws");
    let further = std::env::var_os("TOKAKI_CASES_AWS").map(PathBuf::from);
    for cases in std::iter::once(ours).chain(further) {
        let out = TempDir::new().expect("a folder");
        let folder = |path: &Path| path.to_str().expect("UTF-8").to_owned();
        let (cases, reports) = (folder(&cases), folder(out.path()));
        for sink in ["parquet", "postgres"] {
            let arguments = ["iqe", "--cases", &cases, "--out", &reports, "--sink", sink, "--semantics", "both"];
            let output = qe(&arguments);
            let markdown = fs::read_to_string(out.path().join("report.md")).unwrap_or_default();
            assert_eq!(output.status.code(), Some(0), "{cases}:\n{markdown}{output:?}");
        }
    }
}

#[test]
fn an_amount_that_is_not_as_expected_is_noticed() {
    let (folder, case) = copied("pv-name-suffix");
    let file = case.path(SUMMARY);
    let summary = fs::read_to_string(&file).expect("a file");
    let mut summary: Json = serde_json::from_str(&summary).expect("JSON");
    summary["parity"]["amounts"]["unblended_cost"]["lost"] = 1.0.into();
    fs::write(&file, summary.to_string()).expect("written");
    let out = TempDir::new().expect("a folder");
    let path = |folder: &TempDir| folder.path().to_str().expect("UTF-8").to_owned();
    let output = qe(&["iqe", "--cases", &path(&folder), "--out", &path(&out), "--semantics", "parity"]);
    assert_eq!(output.status.code(), Some(4));
    let report = fs::read_to_string(out.path().join("report.json")).expect("a report");
    let report: Json = serde_json::from_str(&report).expect("JSON");
    let checks = report["scenarios"][0]["checks"].as_array().expect("checks");
    let failed: Vec<_> = checks.iter().filter(|check| check["outcome"] != "passed").map(|check| &check["id"]).collect();
    assert_eq!(failed, ["ocp-on-aws-amounts"]);
}

#[test]
fn days_that_are_derived_from_hours_have_the_same_rows() {
    let cases = TempDir::new().expect("a folder");
    let path = |folder: &TempDir| folder.path().to_str().expect("UTF-8").to_owned();
    for name in [TWO_CLUSTERS, "ebs-rest", "network-in-out", "tag-case-and-signs"] {
        let copied = cases.path().join(name);
        copy(&case(name).folder, &copied);
        fs::remove_dir_all(copied.join("input/data/parquet/daily/org1234567/AWS")).expect("removed");
    }
    let out = TempDir::new().expect("a folder");
    let output = qe(&["iqe", "--cases", &path(&cases), "--out", &path(&out), "--semantics", "both"]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        fs::read_to_string(out.path().join("report.md")).expect("a report")
    );
}

#[test]
fn a_cluster_without_data_is_named_with_those_whose_shares_it_would_change() {
    let (_folder, case) = copied(TWO_CLUSTERS);
    let beta = "source=74a0c684-2ef6-4001-b39b-4ed464cd57d2";
    for folder in ["input/data/parquet/org1234567", "input/data/parquet/daily/org1234567"] {
        fs::remove_dir_all(case.path(folder).join("OCP/pod_usage").join(beta)).expect("removed");
    }
    let (_, report) = run(&case.folder, &[]);
    let findings = report["findings"].as_array().expect("findings");
    let named = findings.iter().find(|finding| finding["what"] == "bill: cluster without data");
    let named = named.unwrap_or_else(|| panic!("{findings:?}"));
    assert_eq!(named["subject"], "beta; to be run again when its data is there: alpha, beta");
    assert_eq!(named["amounts"][0]["value"], 2.0);
}

/// The reference data of a run of the case's first cluster alone, in a folder of its own.
fn of_first_cluster(case: &Case) -> TempDir {
    let text = fs::read_to_string(case.path("reference.json")).expect("a file");
    let reference: Json = serde_json::from_str(&text).expect("JSON");
    let mut own = reference["clusters"][0].clone();
    for name in ["org", "start_date", "end_date", "cost_categories"] {
        own[name] = reference[name].clone();
    }
    own["enabled_tag_keys"] = reference["enabled_tag_keys"]["OCP"].clone();
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("reference.json"), own.to_string()).expect("written");
    folder
}

#[test]
fn infrastructure_rows_lie_beside_the_clusters_own_and_neither_run_takes_the_others() {
    let case = case(TWO_CLUSTERS);
    let cluster = of_first_cluster(&case);
    let columns = ["data_source", "namespace", "node", "raw_currency", "source_uuid"];
    let columns = columns.map(|name| Column { name: name.into(), kind: Kind::Text });
    for sink in sinks() {
        let destination = Destination::new(&sink).expect("a destination");
        let rows = |with_currency: bool| {
            let mut rows = destination.read(DAILY_SUMMARY, &columns).expect("rows");
            rows.retain(|row| (row["raw_currency"] != Value::Null) == with_currency);
            rows.len()
        };
        let run_cluster = || {
            let mut arguments = ["run", "--case"].map(str::to_owned).to_vec();
            arguments.push(cluster.path().display().to_string());
            arguments.extend(["--set".to_owned(), format!("store.url={}", case.path("input").display())]);
            arguments.extend(destination.arguments());
            tokaki::run(&arguments).expect("runs").require_success().expect("succeeds");
        };
        let run_bill = || {
            let outcome = tokaki::run_case(&case, Semantics::Koku, &destination).expect("runs");
            outcome.require_success().expect("succeeds");
        };
        run_bill();
        let infrastructure = rows(true);
        assert!(infrastructure > 0, "{sink}");
        run_cluster();
        let own = rows(false);
        assert_eq!((own > 0, rows(true)), (true, infrastructure), "{sink}");
        run_bill();
        run_cluster();
        assert_eq!((rows(false), rows(true)), (own, infrastructure), "{sink}");
    }
}

#[test]
fn clusters_whose_machines_are_found_on_the_bill_have_the_rows_of_mapped_ones() {
    let (_folder, case) = copied(TWO_CLUSTERS);
    let expected = run(&case.folder, &[]).0;
    let file = case.path("reference.json");
    let mut reference: Json = serde_json::from_str(&fs::read_to_string(&file).expect("a file")).expect("JSON");
    for cluster in reference["clusters"].as_array_mut().expect("clusters") {
        cluster["mapped"] = false.into();
    }
    fs::write(&file, reference.to_string()).expect("written");
    let cache = TempDir::new().expect("a folder");
    let cached = [format!("cache.url={}", cache.path().display())];
    for settings in [&[][..], &cached, &cached] {
        assert!(run(&case.folder, settings).0 == expected, "other rows");
    }

    // One that runs elsewhere has none, and its infrastructure rows stay.
    let sink = Sink::Sqlite;
    let destination = Destination::new(&sink).expect("a destination");
    let columns = ["cluster_id", "raw_currency"].map(|name| Column { name: name.into(), kind: Kind::Text });
    let of_beta = || {
        let rows = destination.read(DAILY_SUMMARY, &columns).expect("rows");
        rows.into_iter().filter(|row| row["cluster_id"].text() == Some("beta")).count()
    };
    let run_case = |further: &[&str]| {
        let further: Vec<String> = further.iter().map(|argument| (*argument).to_owned()).collect();
        let outcome = tokaki::command().run_case_with(&further, &case, Semantics::Koku, &destination).expect("runs");
        outcome.require_success().expect("succeeds").stdout
    };
    run_case(&[]);
    let before = of_beta();
    assert!(before > 0);
    for folder in ["input/data/parquet/org1234567", "input/data/parquet/daily/org1234567"] {
        let folder = case.path(folder).join("OCP/pod_usage/source=74a0c684-2ef6-4001-b39b-4ed464cd57d2");
        if folder.exists() {
            fs::remove_dir_all(folder).expect("removed");
        }
    }
    let told = run_case(&["--accept-shrink"]);
    assert!(told.contains("cluster of which no machine is on it"), "{told}");
    assert_eq!(of_beta(), before);
}

/// Koku's tables with what a case's reference file says.
fn reference_in_tables(reference: &Json) -> String {
    const TABLES: &str = include_str!("../../crates/readers/src/postgres/tests.sql");
    let text = |value: &Json| format!("'{}'", value.as_str().expect("a text").replace('\'', "''"));
    let nullable = |value: &Json| if value.is_null() { "NULL".to_owned() } else { text(value) };
    let list = |value: &Json| value.as_array().expect("a list").clone();
    let (aws, source) = (&reference["aws"], text(&reference["aws"]["source_uuid"]));
    let start = text(&reference["start_date"]);
    let mut sql = format!("CREATE SCHEMA org1234567; SET search_path = org1234567; {TABLES}");
    let mut add = |statement: String| sql.push_str(&format!("INSERT INTO {statement};\n"));
    add(format!("reporting_tenant_api_provider VALUES ({source}, 'account', 'AWS')"));
    add(format!("public.api_provider VALUES ({source}, 'account', 'AWS', NULL, NULL)"));
    add(format!("public.api_providerinfrastructuremap VALUES (1, 'AWS', {source})"));
    add(format!(
        "reporting_awscostentrybill (id, billing_period_start, billing_period_end, provider_id) \
         VALUES ({}, date_trunc('month', {start}::date), {start}, {source})",
        aws["cost_entry_bill_id"]
    ));
    let markup = text(&aws["markup_percent"]);
    add(format!(
        "cost_model VALUES ({source}, 'markup', 'AWS', jsonb_build_object('value', {markup}::text), 'cpu', '{{}}')"
    ));
    add(format!("cost_model_map (provider_uuid, cost_model_id) VALUES ({source}, {source})"));
    for alias in list(&aws["account_aliases"]) {
        let values =
            [alias["id"].to_string(), text(&alias["account_id"]), nullable(&alias["account_alias"])].join(", ");
        add(format!("reporting_awsaccountalias VALUES ({values})"));
    }
    for kind in ["AWS", "OCP"] {
        for key in list(&reference["enabled_tag_keys"][kind]) {
            add(format!(
                "reporting_enabledtagkeys (key, enabled, provider_type) VALUES ({}, true, '{kind}')",
                text(&key)
            ));
        }
    }
    for category in list(&reference["cost_categories"]) {
        add(format!(
            "reporting_ocp_cost_category_namespace (namespace, cost_category_id) VALUES ({}, {})",
            text(&category["namespace_pattern"]),
            category["cost_category_id"]
        ));
    }
    for (number, cluster) in list(&reference["clusters"]).iter().enumerate() {
        let [own, id, alias] = ["source_uuid", "cluster_id", "cluster_alias"].map(|field| text(&cluster[field]));
        add(format!("reporting_tenant_api_provider VALUES ({own}, {alias}, 'OCP')"));
        add(format!(
            "public.api_providerauthentication (id, credentials) VALUES ({number}, jsonb_build_object('cluster_id', {id}::text))"
        ));
        add(format!("public.api_provider VALUES ({own}, {alias}, 'OCP', {number}, 1)"));
        add(format!(
            "reporting_ocpusagereportperiod VALUES ({}, {id}, {alias}, date_trunc('month', {start}::date), {start}, {own})",
            cluster["report_period_id"]
        ));
        let distribution = text(&cluster["distribution"]);
        add(format!(
            "cost_model VALUES ({own}, 'c', 'OCP', '{{}}', 'cpu', jsonb_build_object('distribution_type', {distribution}::text))"
        ));
        add(format!("cost_model_map (provider_uuid, cost_model_id) VALUES ({own}, {own})"));
        add(format!("reporting_ocp_clusters VALUES ({own}, {id}, {alias}, {own})"));
        for node in list(&cluster["nodes"]) {
            let [name, resource, role] = ["node", "resource_id", "node_role"].map(|field| nullable(&node[field]));
            add(format!(
                "reporting_ocp_nodes (node, resource_id, cluster_id, node_role) VALUES ({name}, {resource}, {own}, {role})"
            ));
        }
    }
    sql
}

#[test]
fn a_bill_whose_reference_data_is_in_kokus_tables_has_the_same_rows() {
    for name in [TWO_CLUSTERS, "ebs-rest"] {
        let (_folder, case) = copied(name);
        let file = case.path("reference.json");
        let text = fs::read_to_string(&file).expect("a file");
        let Sink::Postgres { database } = Sink::postgres().expect("a database") else { unreachable!("it is one") };
        let mut reference: Json = serde_json::from_str(&text).expect("JSON");
        // Rows come cluster by cluster, and from the tables by source.
        let clusters = reference["clusters"].as_array_mut().expect("clusters");
        clusters.sort_by_key(|cluster| cluster["source_uuid"].to_string());
        fs::write(&file, reference.to_string()).expect("written");
        execute(&database, &reference_in_tables(&reference));
        let settings = [
            format!("store.url={}", case.path("input").display()),
            "reference.type=postgres".to_owned(),
            format!("reference.url={database}"),
            format!("scope.org={}", reference["org"].as_str().expect("a text")),
            format!("scope.source_uuid={}", reference["aws"]["source_uuid"].as_str().expect("a text")),
            format!("scope.start_date={}", reference["start_date"].as_str().expect("a text")),
            format!("scope.end_date={}", reference["end_date"].as_str().expect("a text")),
        ];
        let (expected, _) = run(&case.folder, &[]);
        let (rows, _) = run_with(&["--aggregators".to_owned(), "ocp_on_aws".to_owned()], &settings);
        assert!(rows == expected, "{name}: other rows than with the reference file");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn chunks_workers_and_cache_never_change_a_byte(
        chunk_rows in prop::sample::select(vec![1, 7, 0]),
        workers in prop::sample::select(vec![1, 2, 8]),
        mode in prop::sample::select(vec!["auto", "serial", "parallel"]),
        corrected: bool,
        name in prop::sample::select(vec![TWO_CLUSTERS, "ebs-rest", "tag-case-and-signs"]),
    ) {
        let cache = TempDir::new().expect("a folder");
        let semantics = if corrected { "corrected" } else { "parity" };
        let semantics = format!("aggregators.ocp_on_aws.semantics={semantics}");
        let case = case(name).folder;
        let (expected, _) = run(&case, std::slice::from_ref(&semantics));
        let settings = [
            semantics,
            format!("run.chunk_rows={chunk_rows}"),
            format!("run.workers={workers}"),
            format!("run.mode={mode}"),
            format!("cache.url={}", cache.path().display()),
        ];
        for _ in ["cold", "warm"] {
            prop_assert!(run(&case, &settings).0 == expected);
        }
    }
}
