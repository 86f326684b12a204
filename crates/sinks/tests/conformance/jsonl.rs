//! The JSON Lines sink.

use std::collections::HashMap;
use std::fs;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::lines::{self, LinesBench};
use crate::replacing::{replace, sink_of};
use tokaki_core::testkit::sinks::{pods, scope, volumes};

/// Values of a line; texts without their quotes, labels as they are spelled.
fn rows(text: &str) -> Vec<String> {
    let row = |line: &str| {
        let cells: HashMap<String, Box<RawValue>> = serde_json::from_str(line).expect("an object");
        lines::shown(|column| {
            let cell = cells.get(column)?.get();
            match serde_json::from_str(cell).expect("JSON") {
                Value::Null => None,
                Value::String(text) => Some(text),
                Value::Number(number) => number.as_f64().map(|number| number.to_string()),
                _ => Some(cell.to_owned()),
            }
        })
    };
    text.lines().map(row).collect()
}

tokaki_core::testkit::fixture!(Anew, "jsonl", || Box::new(LinesBench::new("jsonl", rows)));

#[tokio::test]
async fn each_line_is_an_object_with_labels_as_objects() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("usage.jsonl");
    let sink = sink_of("jsonl", &format!("jsonl:{}", file.display()));
    let parts: [(_, &[_]); 2] = [
        (pods(), &[("2025-09-01", Some("it's new"), Some(1234.5)), ("2025-09-02", None, None)]),
        (volumes(), &[("2025-09-01", Some("shop"), Some(-3.0))]),
    ];
    let receipt = replace(sink.as_ref(), &scope("2025-09-01", "2025-09-02"), &parts).await.expect("a run");
    assert_eq!(receipt.rows_inserted, 3);
    let text = fs::read_to_string(&file).expect("a file");
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of =
        |row: &Value| [&row["data_source"], &row["namespace"], &row["pod_labels"], &row["cpu_hours"]].map(Clone::clone);
    assert_eq!(of(&rows[0]), [json!("Pod"), json!("it's new"), json!({"app": "it's new"}), json!(1234.5)]);
    assert_eq!(of(&rows[1]), [json!("Pod"), Value::Null, Value::Null, Value::Null]);
    assert_eq!(of(&rows[2]), [json!("Storage"), json!("shop"), Value::Null, json!(-3.0)]);
    assert_eq!(rows[0]["usage_start"], "2025-09-01");
    assert_eq!(rows[0].as_object().expect("an object").len(), 9);
    assert_eq!(rows[0]["nodes"], json!(["it's new", null]));
}
