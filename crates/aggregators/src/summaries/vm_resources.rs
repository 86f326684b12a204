//! `tokaki_ocp_vm_resources`: virtual machines with what they request and mount (vm-gpu-summary § 2).
//!
//! Koku keeps this list in a temporary table while it makes its VM summary, so there is no table of Koku's to write to;
//! this one is ours. A row holds for the whole range of the run that wrote it.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, RecordBatch, StringArray};
use tokaki_core::scope::days_since_epoch;
use tokaki_core::{Condition, Error, FieldKind, Index, Output, Result, Scope, Table};

use super::columns::{constant, field, required, texts};
use super::row_id::RowIds;

/// Our own table.
pub static TABLE: Table = Table {
    name: "tokaki_ocp_vm_resources",
    fields: &[
        required("id", FieldKind::Uuid),
        required("source_uuid", FieldKind::Uuid),
        required("usage_start", FieldKind::Date),
        required("usage_end", FieldKind::Date),
        required("vm_name", FieldKind::Text(0)),
        field("node", FieldKind::Text(253)),
        field("pvc_name", FieldKind::Text(253)),
        field("cpu_request", FieldKind::Measure),
        field("mem_request", FieldKind::Measure),
    ],
    day_field: Some("usage_start"),
    primary_key: &["usage_start", "id"],
    indexes: &[Index::Ordered("vm_name")],
    headline: &["vm_name", "node", "pvc_name", "cpu_request", "mem_request"],
};

/// The output of the `vm` aggregator: all rows of the source.
pub fn output(scope: &Scope) -> Output {
    let written: Vec<&str> = TABLE.fields.iter().map(|field| field.name).collect();
    Output::to_table(&TABLE, &written, vec![Condition::UuidEquals("source_uuid", scope.source_uuid.to_lowercase())])
}

/// One row, without what is the same in all rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<'a> {
    /// Name of the virtual machine.
    pub vm_name: String,
    /// Node it runs on.
    pub node: Option<&'a str>,
    /// A claim that it mounts; null if it mounts none.
    pub claim: Option<&'a str>,
    /// Requested core-hours of a day.
    pub core_hours: Option<f64>,
    /// Requested GiB-hours of a day.
    pub gibibyte_hours: Option<f64>,
}

/// The rows as a batch of [`output`], in the given order.
///
/// # Errors
/// `Bug` only.
pub fn batch(rows: &[Row<'_>], scope: &Scope) -> Result<RecordBatch> {
    let source = scope.source_uuid.to_lowercase();
    let day = |day| -> ArrayRef { Arc::new(Date32Array::from(vec![days_since_epoch(day) as i32; rows.len()])) };
    let numbers =
        |of: fn(&Row<'_>) -> Option<f64>| -> ArrayRef { Arc::new(rows.iter().map(of).collect::<Float64Array>()) };
    let start = scope.days.start().to_string();
    let mut ids = RowIds::default();
    let ids = StringArray::from_iter_values(rows.iter().map(|row| {
        let key = [Some(TABLE.name), Some(&source), Some(&start), Some(&row.vm_name), row.node, row.claim];
        ids.next(&key).to_string()
    }));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(ids),
        constant(&source, rows.len()),
        day(scope.days.start()),
        day(scope.days.end()),
        texts(rows, |row| Some(&row.vm_name)),
        texts(rows, |row| row.node),
        texts(rows, |row| row.claim),
        numbers(|row| row.core_hours),
        numbers(|row| row.gibibyte_hours),
    ];
    RecordBatch::try_new(output(scope).schema(), columns).map_err(|error| Error::bug(error.to_string()))
}
