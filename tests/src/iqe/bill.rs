//! Checks of a case about a bill besides those of its table (ocp-on-aws § 16).

use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokaki_core::Semantics;

use super::report::{Check, Difference};
use crate::Result;
use crate::cases::{Case, LAKE, SUMMARY};
use crate::command::{Outcome, Tokaki};
use crate::compare::findings;
use crate::destination::{DAILY_SUMMARY, Destination, Sink};
use crate::rows::files;

/// Id and subject of [`amounts`].
pub(super) const AMOUNTS: (&str, &str) =
    ("ocp-on-aws-amounts", "amounts by class add up to the bill, and are those of expected/summary.json");
/// Id and subject of [`clusters`].
pub(super) const CLUSTERS: (&str, &str) =
    ("ocp-on-aws-clusters", "the daily summary of each cluster, as the attribution takes it");

/// Classes in `expected/summary.json`, and how a run tells them.
const CLASSES: [(&str, &str); 8] = [
    ("bill", "bill"),
    ("out of scope", "bill: out of scope"),
    ("lost", "bill: lost"),
    ("of rows with parts", "bill: of rows with parts"),
    ("storage", "bill: parts by storage"),
    ("compute", "bill: parts by compute"),
    ("tag", "bill: parts by tag"),
    ("network", "bill: parts by network"),
];

/// Expected amounts are written with nine decimals.
const TOLERANCE: f64 = 1e-8;

/// Compares the amounts that a run told with the expected ones, and each with the bill.
///
/// # Errors
/// The expected ones cannot be read, or the run did not tell in JSON.
pub(super) fn amounts(case: &Case, semantics: Semantics, outcome: &Outcome) -> Result<Check> {
    let expected: Json = serde_json::from_str(&fs::read_to_string(case.path(SUMMARY))?)?;
    let expected = expected.get(case.semantics_name(semantics)).unwrap_or(&expected["parity"]);
    let told: Json = serde_json::from_str(outcome.stdout.lines().last().unwrap_or_default())?;
    let mut differences = Vec::new();
    for (measure, expected) in expected["amounts"].as_object().into_iter().flatten() {
        let mut differ = |class: &str, expected: f64, actual: f64| {
            if (expected - actual).abs() > TOLERANCE {
                differences.push(Difference {
                    table: "the report of the run".to_owned(),
                    row: class.to_owned(),
                    column: Some(measure.clone()),
                    expected: json!(expected),
                    actual: json!(actual),
                });
            }
        };
        let actual = |class: &str| amount(&told, class, measure);
        for (class, told_as) in CLASSES {
            differ(class, expected[class].as_f64().unwrap_or_default(), actual(told_as));
        }
        let all = actual("bill: out of scope") + actual("bill: lost") + actual("bill: of rows with parts");
        differ("sum of all classes", actual("bill"), all);
    }
    Ok(Check::of_differences(AMOUNTS.0.to_owned(), AMOUNTS.1, differences))
}

fn amount(told: &Json, class: &str, measure: &str) -> f64 {
    let findings = told["findings"].as_array().into_iter().flatten();
    let amounts =
        findings.filter(|finding| finding["what"] == class).filter_map(|finding| finding["amounts"].as_array());
    amounts.flatten().filter(|amount| amount["measure"] == measure).filter_map(|amount| amount["value"].as_f64()).sum()
}

/// Runs each cluster of the case as a source of its own and compares its daily summary.
///
/// # Errors
/// A run fails, or the expected rows cannot be read.
pub(super) fn clusters(tokaki: &Tokaki, case: &Case) -> Result<Check> {
    let reference: Json = serde_json::from_str(&fs::read_to_string(case.path("reference.json"))?)?;
    let mut columns = files::columns(&case.path(LAKE))?;
    // The lake form has two columns that the table has not, or not by this name.
    columns.retain(|column| !["source", "csi_volume_handle"].contains(&&*column.name));
    let expected = files::read(&case.path(LAKE), &columns)?;
    let mut actual = Vec::new();
    for cluster in reference["clusters"].as_array().into_iter().flatten() {
        let folder = TempDir::new()?;
        fs::write(folder.path().join("reference.json"), of_cluster(&reference, cluster).to_string())?;
        let store = std::path::absolute(case.path("input"))?;
        let destination = Destination::new(&Sink::Parquet)?;
        let mut arguments = ["run", "--case", shown(folder.path())?, "--allow-empty"].map(str::to_owned).to_vec();
        arguments.extend(["--set".to_owned(), format!("store.url={}", shown(&store)?)]);
        arguments.extend(destination.arguments());
        tokaki.run(&arguments)?.require_success()?;
        actual.extend(destination.read(DAILY_SUMMARY, &columns)?);
    }
    let differences = findings(&expected, &actual).into_iter().map(|finding| Difference {
        table: DAILY_SUMMARY.to_owned(),
        row: finding.to_string(),
        column: None,
        expected: json!("as in expected/ocp-lake.parquet"),
        actual: json!("different"),
    });
    Ok(Check::of_differences(CLUSTERS.0.to_owned(), CLUSTERS.1, differences.collect()))
}

/// The reference data of a run of one cluster.
fn of_cluster(reference: &Json, cluster: &Json) -> Json {
    let mut own = cluster.clone();
    for name in ["org", "start_date", "end_date", "cost_categories"] {
        own[name] = reference[name].clone();
    }
    own["enabled_tag_keys"] = reference["enabled_tag_keys"]["OCP"].clone();
    own
}

fn shown(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| format!("{} is no UTF-8", path.display()).into())
}
