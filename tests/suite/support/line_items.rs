//! Line items in a form that can be compared.

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use serde_json::Value;
use tokaki_tests::table;

/// A table's rows in a comparable form; null and the empty text are one, as in CSV, and so are labels without a pair.
pub(crate) fn rows(files: &[PathBuf], columns: &[String]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for batch in files.iter().map(|file| table::read(file).expect("is Parquet")) {
        let cells: Vec<_> = columns.iter().map(|name| cells(&batch, name)).collect();
        rows.extend((0..batch.num_rows()).map(|row| cells.iter().map(|cells| cells[row].clone()).collect::<Vec<_>>()));
    }
    rows.sort();
    rows
}

fn cells(batch: &RecordBatch, name: &str) -> Vec<String> {
    let Some(column) = batch.column_by_name(name) else { return vec![String::new(); batch.num_rows()] };
    if column.data_type().is_numeric() {
        let numbers = cast(column, &DataType::Float64).expect("is a number");
        let numbers = numbers.as_primitive::<Float64Type>().iter();
        return numbers.map(|number| number.map(|number| format!("{number:.9e}")).unwrap_or_default()).collect();
    }
    let texts = cast(column, &DataType::Utf8).expect("has a text");
    let texts = texts.as_string::<i32>().iter().map(Option::unwrap_or_default);
    texts.map(|text| if name.ends_with("_labels") { canonical(text) } else { text.to_owned() }).collect()
}

fn canonical(labels: &str) -> String {
    let labels: BTreeMap<String, Value> = serde_json::from_str(labels).unwrap_or_default();
    serde_json::to_string(&labels).expect("is JSON")
}
