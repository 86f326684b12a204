//! `reference.json` of a new scenario (spec § 3), as far as the line items tell: all labels are kept, every node is a
//! worker. What a scenario is about is edited by hand.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Map, Value as Json, json};

use super::generate::{ORG, source};
use crate::Result;
use crate::cases::Case;
use crate::rows::{Column, Kind, Row, Value, files};

/// Hourly tables with the label columns of each.
const LABELS: [(&str, &[&str]); 4] = [
    ("pod_usage", &["pod_labels"]),
    ("storage_usage", &["persistentvolume_labels", "persistentvolumeclaim_labels"]),
    ("node_labels", &["node_labels"]),
    ("namespace_labels", &["namespace_labels"]),
];

/// Writes the file.
pub(super) fn write(case: &Case) -> Result<()> {
    let pods = read(case, "pod_usage", &["interval_start", "node", "resource_id"])?;
    let text = |row: &Row, column: &str| row[column].text().unwrap_or_default().to_owned();
    let days: BTreeSet<String> =
        pods.iter().map(|row| text(row, "interval_start").chars().take(10).collect()).collect();
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return Err("nise made no pod: a scenario needs one, and days in which something runs".into());
    };
    let nodes: BTreeSet<(String, String)> = pods
        .iter()
        .map(|row| (text(row, "node"), text(row, "resource_id")))
        .filter(|(node, _)| !node.is_empty())
        .collect();
    let nodes: Vec<_> = nodes
        .iter()
        .map(|(node, resource_id)| json!({"node": node, "resource_id": resource_id, "node_role": "worker"}))
        .collect();
    let categories = ["openshift-%", "kube-%", "Platform unallocated"]
        .map(|pattern| json!({"namespace_pattern": pattern, "cost_category_id": 1}));
    let reference = json!({
        "org": ORG,
        "source_uuid": source(case).to_string(),
        "cluster_id": case.name(),
        "cluster_alias": format!("Cluster {}", case.name()),
        "report_period_id": 1,
        "start_date": first,
        "end_date": last,
        "year": &first[..4],
        "month": &first[5..7],
        "enabled_tag_keys": keys(case)?,
        "cost_categories": categories,
        "nodes": nodes,
    });
    Ok(fs::write(case.path("reference.json"), format!("{reference:#}\n"))?)
}

/// Every label key of the input.
fn keys(case: &Case) -> Result<BTreeSet<String>> {
    let mut keys = BTreeSet::new();
    for (table, columns) in LABELS {
        for row in read(case, table, columns)? {
            for labels in row.values().filter_map(Value::text) {
                keys.extend(serde_json::from_str::<Map<String, Json>>(labels)?.into_iter().map(|(key, _)| key));
            }
        }
    }
    Ok(keys)
}

/// The columns of an hourly table, as text.
fn read(case: &Case, table: &str, columns: &[&str]) -> Result<Vec<Row>> {
    let columns: Vec<_> = columns.iter().map(|name| Column { name: (*name).into(), kind: Kind::Text }).collect();
    let files = case.path(&format!("input/data/parquet/{ORG}/OCP/{table}/**/*.parquet"));
    let mut rows = Vec::new();
    for file in glob::glob(files.to_str().ok_or("the folder's name is not UTF-8")?)? {
        rows.extend(files::read(&file?, &columns)?);
    }
    Ok(rows)
}
