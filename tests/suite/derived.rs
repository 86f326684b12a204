//! Tables that are derived from the project table of a bill, computed a second time by the database (ocp-on-aws § 10).

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokaki_core::Semantics;
use tokaki_tests::cases::{self, Case, repository};
use tokaki_tests::compare::differences;
use tokaki_tests::destination::{DAILY_SUMMARY, Destination, Sink};
use tokaki_tests::rows::{Column, Kind, Row, Value};

use crate::support::{copy, sinks, tokaki};

const PROJECT: &str = "reporting_ocpawscostlineitem_project_daily_summary_p";

/// What the tables of the user interface sum up.
const COSTS: [&str; 8] = [
    "unblended_cost",
    "markup_cost",
    "blended_cost",
    "markup_cost_blended",
    "savingsplan_effective_cost",
    "markup_cost_savingsplan",
    "calculated_amortized_cost",
    "markup_cost_amortized",
];

/// The tables of the user interface: name, rows that count, columns to group by, and whether usage is summed up too.
const USER_INTERFACE: [(&str, &str, &[&str], bool); 8] = [
    ("cost_summary", "TRUE", &[], false),
    ("cost_summary_by_account", "TRUE", ACCOUNT, false),
    ("cost_summary_by_region", "TRUE", &["usage_account_id", "account_alias_id", "region", "availability_zone"], false),
    (
        "cost_summary_by_service",
        "TRUE",
        &["usage_account_id", "account_alias_id", "product_code", "product_family"],
        false,
    ),
    (
        "compute_summary",
        "instance_type IS NOT NULL",
        &["usage_account_id", "account_alias_id", "instance_type", "resource_id"],
        true,
    ),
    (
        "storage_summary",
        "product_family GLOB '*Storage*' AND unit = 'GB-Mo'",
        &["usage_account_id", "account_alias_id", "product_family"],
        true,
    ),
    (
        "network_summary",
        "product_code IN ('AmazonVPC', 'AmazonCloudFront', 'AmazonRoute53', 'AmazonAPIGateway')",
        &["usage_account_id", "account_alias_id", "product_code"],
        true,
    ),
    (
        "database_summary",
        "product_code IN ('AmazonRDS', 'AmazonDynamoDB', 'AmazonElastiCache', 'AmazonNeptune', 'AmazonRedshift', \
         'AmazonDocumentDB')",
        &["usage_account_id", "account_alias_id", "product_code"],
        true,
    ),
];
const ACCOUNT: &[&str] = &["usage_account_id", "account_alias_id"];

/// Columns of the product in the tables of all clouds.
const PRODUCT: &str = "resource_id, product_code, product_family, instance_type, region, availability_zone";

/// Each table with the statement that computes its rows.
fn tables() -> Vec<(String, String)> {
    let sums = COSTS.map(|cost| format!("sum({cost}) AS {cost}")).join(", ");
    let user_interface = USER_INTERFACE.iter().map(|(name, counts, keys, has_usage)| {
        let keys: String = keys.iter().map(|key| format!("{key}, ")).collect();
        let own = match (*has_usage, *name) {
            (true, _) => "sum(usage_amount) AS usage_amount, max(unit) AS unit, ",
            (false, "cost_summary") => "max(cost_category_id) AS cost_category_id, ",
            (false, _) => "",
        };
        let statement = format!(
            "SELECT usage_start, usage_end, cluster_id, max(cluster_alias) AS cluster_alias, {keys}{own}{sums}, \
             max(currency_code) AS currency_code, source_uuid FROM {PROJECT} WHERE {counts} \
             GROUP BY {keys}usage_start, usage_end, cluster_id, source_uuid"
        );
        (format!("reporting_ocpaws_{name}_p"), statement)
    });
    let of_all_clouds = |own: &str, keys: &str, markup: &str| {
        format!(
            "SELECT 'AWS' AS source_type, cluster_id, max(cluster_alias) AS cluster_alias, {own}, node, {PRODUCT}, \
             usage_start, usage_end, max(usage_account_id) AS usage_account_id, max(account_alias_id) AS account_alias_id, \
             sum(usage_amount) AS usage_amount, max(unit) AS unit, sum(calculated_amortized_cost) AS unblended_cost, \
             sum(markup_cost_amortized) AS {markup}, max(currency_code) AS currency_code, \
             max(cost_category_id) AS cost_category_id, source_uuid FROM {PROJECT} \
             GROUP BY {keys}, node, {PRODUCT}, usage_start, usage_end, cluster_id, source_uuid"
        )
    };
    let by_project = of_all_clouds(
        "data_source, namespace, pod_labels",
        "data_source, namespace, pod_labels, usage_account_id",
        "project_markup_cost",
    );
    let daily = of_all_clouds(
        "json_array(namespace) AS namespace, tags, 1 AS shared_projects",
        "namespace, tags, account_alias_id",
        "markup_cost",
    );
    user_interface
        .chain([
            ("reporting_ocpallcostlineitem_project_daily_summary_p".to_owned(), by_project),
            ("reporting_ocpallcostlineitem_daily_summary_p".to_owned(), daily),
        ])
        .collect()
}

/// The infrastructure rows of the daily summary, where they can be told by their currency.
const INFRASTRUCTURE: &str = "SELECT report_period_id, usage_start, usage_end, cluster_id, cluster_alias, namespace, \
    data_source, node, persistentvolumeclaim, max(persistentvolume) AS persistentvolume, \
    max(storageclass) AS storageclass, resource_id, \
    CASE data_source WHEN 'Pod' THEN pod_labels ELSE '{}' END AS pod_labels, \
    CASE data_source WHEN 'Storage' THEN pod_labels ELSE '{}' END AS volume_labels, pod_labels AS all_labels, \
    sum(calculated_amortized_cost + markup_cost_amortized) AS infrastructure_raw_cost, \
    sum(calculated_amortized_cost + markup_cost_amortized) AS infrastructure_project_raw_cost, \
    CASE data_transfer_direction WHEN 'IN' THEN sum(infrastructure_data_in_gigabytes) END \
        AS infrastructure_data_in_gigabytes, \
    CASE data_transfer_direction WHEN 'OUT' THEN sum(infrastructure_data_out_gigabytes) END \
        AS infrastructure_data_out_gigabytes, \
    coalesce(max(currency_code), '') AS raw_currency, max(cost_category_id) AS cost_category_id, \
    0.0 AS pod_usage_cpu_core_hours, 0.0 AS persistentvolumeclaim_capacity_gigabyte \
    FROM reporting_ocpawscostlineitem_project_daily_summary_p \
    GROUP BY report_period_id, usage_start, usage_end, cluster_id, cluster_alias, namespace, data_source, node, \
        persistentvolumeclaim, resource_id, pod_labels, data_transfer_direction";

/// The cases of this repository, and those of the folder that is named for it.
fn all_cases() -> Vec<Case> {
    let further = std::env::var_os("TOKAKI_CASES_AWS").map(PathBuf::from);
    let folders = std::iter::once(repository("scenarios-aws")).chain(further);
    folders.flat_map(|folder| cases::in_folder(&folder).expect("cases")).collect()
}

/// Columns of the statement's rows, with the types that the table declares.
fn columns(destination: &Destination<'_>, table: &str, statement: &str) -> Vec<Column> {
    let mut columns = destination.columns(table).expect("columns");
    columns.retain(|column| !["id", "uuid"].contains(&&*column.name) && statement.contains(&*column.name));
    columns
}

#[test]
fn each_derived_table_is_what_the_database_makes_of_the_project_table() {
    let sqlite = Sink::Sqlite;
    let mut tables = tables();
    tables.push((DAILY_SUMMARY.to_owned(), INFRASTRUCTURE.to_owned()));
    let mut compared = vec![0; tables.len()];
    for case in all_cases() {
        let destination = Destination::new(&sqlite).expect("a destination");
        let outcome = tokaki::run_case(&case, Semantics::Koku, &destination).expect("runs");
        outcome.require_success().expect("succeeds");
        for ((table, statement), compared) in tables.iter().zip(&mut compared) {
            let columns = columns(&destination, table, statement);
            let expected = destination.read(&format!("({statement})"), &columns).expect("computed rows");
            let actual = destination.read(table, &columns).expect("rows");
            let differences = differences(&expected, &actual);
            assert!(differences.is_empty(), "{}, {table}:\n{}", case.folder.display(), differences.join("\n"));
            *compared += expected.len();
        }
    }
    let empty: Vec<_> =
        tables.iter().zip(&compared).filter(|(_, rows)| **rows == 0).map(|((table, _), _)| table).collect();
    // Our own cases bill no network service and no database.
    let without = if std::env::var_os("TOKAKI_CASES_AWS").is_some() { 0 } else { 2 };
    assert!(empty.len() <= without, "nothing was compared of {empty:?}");
}

/// The rows of each table in the form that they have in every sink, without columns of other writers.
fn rows_of(destination: &Destination<'_>, tables: &[String]) -> Vec<Vec<Row>> {
    let rows = |table: &String| {
        let mut columns = destination.columns(table).expect("columns");
        columns.retain(|column| !of_others(&column.name));
        destination.read(table, &columns).expect("rows").into_iter().map(with_lists_as_arrays).collect()
    };
    tables.iter().map(rows).collect()
}

/// Lists as PostgreSQL writes them.
fn with_lists_as_arrays(row: Row) -> Row {
    let cell = |(name, value): (Arc<str>, Value)| {
        let list = match &value {
            Value::Text(text) if text.starts_with('[') => serde_json::from_str::<Vec<Option<String>>>(text).ok(),
            _ => None,
        };
        let text = |text: Option<String>| match text {
            None => "NULL".to_owned(),
            Some(text) if text.contains([' ', ',']) => format!("\"{text}\""),
            Some(text) => text,
        };
        let array =
            |list: Vec<_>| Value::Text(format!("{{{}}}", list.into_iter().map(text).collect::<Vec<_>>().join(",")));
        (name, list.map_or(value, array))
    };
    row.into_iter().map(cell).collect()
}

fn assert_same(expected: &[Vec<Row>], actual: &[Vec<Row>], tables: &[String], about: &str) {
    for ((table, expected), actual) in tables.iter().zip(expected).zip(actual) {
        let mut expected = expected.clone();
        if let Some(row) = actual.first() {
            // A file has the columns that were written.
            expected.iter_mut().for_each(|expected| expected.retain(|name, _| row.contains_key(name)));
        }
        let differences = differences(&expected, actual);
        assert!(differences.is_empty(), "{about}, {table}:\n{}", differences.join("\n"));
    }
}

fn of_others(column: &str) -> bool {
    let others = ["supplementary_", "infrastructure_monthly", "cost_model_", "monthly_", "distributed_"];
    others.iter().any(|prefix| column.starts_with(prefix))
}

#[test]
fn derived_tables_are_the_same_in_every_sink_and_after_a_second_run() {
    let mut tables: Vec<_> = tables().into_iter().map(|(table, _)| table).collect();
    tables.push(DAILY_SUMMARY.to_owned());
    tables.extend(KEYS.map(str::to_owned));
    let (_folder, case) = with_mapping();
    let run = |sink: &Sink, times: usize| {
        let destination = Destination::new(sink).expect("a destination");
        for _ in 0..times {
            let outcome = tokaki::run_case(&case, Semantics::Koku, &destination).expect("runs");
            outcome.require_success().expect("succeeds");
        }
        rows_of(&destination, &tables)
    };
    let expected = run(&Sink::Sqlite, 1);
    for sink in sinks() {
        assert_same(&expected, &run(&sink, 2), &tables, &sink.to_string());
    }
}

/// Summaries of keys and values.
const KEYS: [&str; 3] =
    ["reporting_ocpawstags_summary", "reporting_ocpawstags_values", "reporting_ocpawscategory_summary"];

/// A case of two clusters and days, in which the tag `team` stands for `group`.
fn with_mapping() -> (TempDir, Case) {
    let folder = TempDir::new().expect("a folder");
    let case = Case { folder: folder.path().join("two-clusters-one-account") };
    copy(&repository("scenarios-aws").join("two-clusters-one-account"), &case.folder);
    change(&case, |reference| {
        reference["tag_mappings"] = json!([{ "child": "team", "parent": "group" }]);
        reference["aws"]["enabled_category_keys"] = json!(["Product"]);
    });
    (folder, case)
}

fn change(case: &Case, change: impl FnOnce(&mut Json)) {
    let file = case.path("reference.json");
    let mut reference = serde_json::from_str(&fs::read_to_string(&file).expect("a file")).expect("JSON");
    change(&mut reference);
    fs::write(file, reference.to_string()).expect("written");
}

fn texts(destination: &Destination<'_>, columns: &[&str], statement: &str) -> Vec<Row> {
    let columns: Vec<_> = columns.iter().map(|name| Column { name: (*name).into(), kind: Kind::Text }).collect();
    destination.read(&format!("({statement})"), &columns).expect("rows")
}

#[test]
fn keys_and_values_of_tags_are_united_over_runs_and_disabled_ones_go() {
    let (_folder, case) = with_mapping();
    let keys = KEYS.map(str::to_owned);
    for sink in sinks() {
        let run = |destination: &Destination<'_>, days: &[&str]| {
            let mut further = Vec::new();
            if let [first, last] = days {
                // A table may lose its only row of a day when a key is disabled.
                further = ["--start-date", first, "--end-date", last, "--accept-shrink"].map(str::to_owned).to_vec();
            }
            let command = tokaki::command();
            let outcome = command.run_case_with(&further, &case, Semantics::Conserving, destination).expect("runs");
            outcome.require_success().expect("succeeds");
        };
        let (whole, by_day) = (Destination::new(&sink).expect("one"), Destination::new(&sink).expect("another"));
        run(&whole, &[]);
        for day in ["2025-10-02", "2025-10-01"] {
            run(&by_day, &[day, day]);
        }
        let expected = rows_of(&whole, &keys);
        assert!(expected[0].len() > 4 && expected[1].len() > 4, "{expected:?}");
        assert_same(&expected, &rows_of(&by_day, &keys), &keys, &sink.to_string());
        if sink == Sink::Sqlite {
            let pairs = ["key", "value", "report_period_id", "usage_account_id", "namespace", "node"];
            let told = "SELECT summary.key, listed.value, report_period_id, usage_account_id, namespace, node \
                FROM reporting_ocpawstags_summary summary, json_each(\"values\") listed";
            let counted = format!(
                "SELECT DISTINCT label.key, label.value, report_period_id, usage_account_id, namespace, node \
                 FROM {PROJECT}, json_each(pod_labels) label"
            );
            let told = texts(&whole, &pairs, told);
            assert_eq!(differences(&texts(&whole, &pairs, &counted), &told), Vec::<String>::new());
            let mapped = format!("SELECT DISTINCT tag.key FROM {PROJECT}, json_each(tags) tag");
            let mapped: Vec<_> = texts(&whole, &["key"], &mapped)
                .iter()
                .filter_map(|row| row["key"].text().map(str::to_owned))
                .collect();
            assert!(mapped.contains(&"group".to_owned()) && !mapped.contains(&"team".to_owned()), "{mapped:?}");
        }
        change(&case, |reference| reference["enabled_tag_keys"]["AWS"] = json!(["Name", "app", "team"]));
        run(&whole, &["2025-10-01", "2025-10-01"]);
        let left = rows_of(&whole, &keys);
        let has = |rows: &[Row], key: &str| rows.iter().any(|row| row["key"].text() == Some(key));
        for rows in &left[..2] {
            assert!(has(rows, "team") && !has(rows, "env"), "{sink}: {rows:?}");
        }
        change(&case, |reference| reference["enabled_tag_keys"]["AWS"] = json!(["Name", "app", "env", "team"]));
    }
}
