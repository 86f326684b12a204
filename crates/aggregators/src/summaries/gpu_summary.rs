//! `reporting_ocp_gpu_summary_p`: the GPUs of each namespace and day (vm-gpu-summary § 1).

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, Int32Array, RecordBatch, StringArray};
use chrono::NaiveDate;
use tokaki_core::{Condition, Error, FieldKind, Index, Output, ReferenceData, Result, Scope, Table};

use super::columns::{constant, field, required, texts};
use super::row_id::RowIds;

/// The table as Koku defines it. The columns behind `cost_category_id` belong to others and are never written here.
pub static TABLE: Table = Table {
    name: "reporting_ocp_gpu_summary_p",
    fields: &[
        required("id", FieldKind::Uuid),
        required("cluster_id", FieldKind::Text(0)),
        field("cluster_alias", FieldKind::Text(0)),
        required("usage_start", FieldKind::Date),
        required("usage_end", FieldKind::Date),
        field("namespace", FieldKind::Text(253)),
        field("node", FieldKind::Text(253)),
        field("vendor_name", FieldKind::Text(128)),
        field("model_name", FieldKind::Text(128)),
        field("memory_capacity_gb", FieldKind::Measure),
        field("gpu_count", FieldKind::Integer),
        field("mig_instance_id", FieldKind::Text(128)),
        field("gpu_uuid", FieldKind::Text(128)),
        field("gpu_mode", FieldKind::Text(32)),
        field("mig_profile", FieldKind::Text(64)),
        field("mig_slice_count", FieldKind::Integer),
        field("gpu_max_slices", FieldKind::Integer),
        field("mig_strategy", FieldKind::Text(10)),
        field("mig_memory_capacity_gb", FieldKind::Measure),
        field("source_uuid", FieldKind::Uuid),
        field("cost_category_id", FieldKind::Integer),
        field("cost_model_gpu_cost", FieldKind::Measure),
        field("raw_currency", FieldKind::Text(0)),
        field("cost_model_cpu_cost", FieldKind::Measure),
        field("cost_model_memory_cost", FieldKind::Measure),
        field("cost_model_volume_cost", FieldKind::Measure),
        field("cost_model_rate_type", FieldKind::Text(0)),
    ],
    day_field: Some("usage_start"),
    primary_key: &["usage_start", "id"],
    indexes: &[
        Index::Ordered("usage_start"),
        Index::Ordered("cluster_id"),
        Index::Ordered("namespace"),
        Index::Ordered("node"),
        Index::Ordered("vendor_name"),
        Index::Ordered("model_name"),
        Index::Ordered("mig_profile"),
    ],
    headline: &["usage_start", "namespace", "node", "model_name", "gpu_uuid", "gpu_count"],
};

/// Number of leading columns of [`TABLE`] that are written.
const WRITTEN: usize = 21;

/// The output of the `gpu` aggregator: all rows of the source, whose table is left alone if it has no GPU.
pub fn output(scope: &Scope) -> Output {
    let written: Vec<&str> = TABLE.fields[..WRITTEN].iter().map(|field| field.name).collect();
    let owned = vec![Condition::UuidEquals("source_uuid", scope.source_uuid.to_lowercase())];
    Output::to_table(&TABLE, &written, owned).left_alone_if_empty()
}

/// One row, without what is the same in all rows.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// `usage_start` and `usage_end`, days since 1970-01-01.
    pub day: i32,
    /// Namespace.
    pub namespace: Option<&'a str>,
    /// Node.
    pub node: Option<&'a str>,
    /// Vendor.
    pub vendor: Option<&'a str>,
    /// Model.
    pub model: Option<&'a str>,
    /// Part of a divided GPU.
    pub mig_instance: Option<&'a str>,
    /// GPU.
    pub gpu_uuid: Option<&'a str>,
    /// Profile as the line items spell it: null and `''` are two.
    pub mig_profile: Option<&'a str>,
    /// How the GPU is divided.
    pub mig_strategy: Option<&'a str>,
    /// Decimal GB.
    pub memory_gb: Option<f64>,
    /// Decimal GB.
    pub mig_memory_gb: Option<f64>,
    /// Slices of the part.
    pub mig_slices: Option<i32>,
    /// Slices of the GPU.
    pub max_slices: Option<i32>,
    /// Cost category.
    pub cost_category_id: Option<i32>,
}

impl<'a> Row<'a> {
    fn is_divided(&self) -> bool {
        self.mig_profile.is_some_and(|profile| !profile.is_empty())
    }

    fn count(&self) -> i32 {
        i32::from(self.mig_instance.is_some() || self.gpu_uuid.is_some())
    }

    fn mode(&self) -> &'a str {
        if self.is_divided() { "MIG" } else { "dedicated" }
    }
}

/// The rows as a batch of [`output`], in the given order.
///
/// # Errors
/// `Bug` only.
pub fn batch(rows: &[Row<'_>], scope: &Scope, reference: &ReferenceData) -> Result<RecordBatch> {
    let output = output(scope);
    let columns: Result<Vec<ArrayRef>> =
        output.fields.iter().map(|field| column(field.name, rows, scope, reference)).collect();
    RecordBatch::try_new(output.schema(), columns?).map_err(|error| Error::bug(error.to_string()))
}

fn column(name: &'static str, rows: &[Row<'_>], scope: &Scope, reference: &ReferenceData) -> Result<ArrayRef> {
    let integers =
        |of: fn(&Row<'_>) -> Option<i32>| -> ArrayRef { Arc::new(rows.iter().map(of).collect::<Int32Array>()) };
    let numbers =
        |of: fn(&Row<'_>) -> Option<f64>| -> ArrayRef { Arc::new(rows.iter().map(of).collect::<Float64Array>()) };
    Ok(match name {
        "id" => Arc::new(ids(rows, scope)),
        "cluster_id" => constant(&reference.cluster_id, rows.len()),
        "cluster_alias" => constant(&reference.cluster_alias, rows.len()),
        "source_uuid" => constant(&scope.source_uuid.to_lowercase(), rows.len()),
        "usage_start" | "usage_end" => Arc::new(rows.iter().map(|row| Some(row.day)).collect::<Date32Array>()),
        "namespace" => texts(rows, |row| row.namespace),
        "node" => texts(rows, |row| row.node),
        "vendor_name" => texts(rows, |row| row.vendor),
        "model_name" => texts(rows, |row| row.model),
        "memory_capacity_gb" => numbers(|row| row.memory_gb),
        "gpu_count" => integers(|row| Some(row.count())),
        "mig_instance_id" => texts(rows, |row| row.mig_instance),
        "gpu_uuid" => texts(rows, |row| row.gpu_uuid),
        "gpu_mode" => texts(rows, |row| Some(row.mode())),
        "mig_profile" => texts(rows, |row| row.mig_profile.filter(|_| row.is_divided())),
        "mig_slice_count" => integers(|row| row.mig_slices),
        "gpu_max_slices" => integers(|row| row.max_slices),
        "mig_strategy" => texts(rows, |row| row.mig_strategy),
        "mig_memory_capacity_gb" => numbers(|row| row.mig_memory_gb),
        "cost_category_id" => integers(|row| row.cost_category_id),
        other => return Err(Error::bug("a GPU column is written that no row has").column(other)),
    })
}

fn ids(rows: &[Row<'_>], scope: &Scope) -> StringArray {
    let source = scope.source_uuid.to_lowercase();
    let mut ids = RowIds::default();
    StringArray::from_iter_values(rows.iter().map(|row| {
        let day = NaiveDate::from_epoch_days(row.day).map(|day| day.to_string());
        let key = [
            Some(TABLE.name),
            Some(source.as_str()),
            day.as_deref(),
            row.namespace,
            row.node,
            row.vendor,
            row.model,
            row.mig_profile,
            row.mig_instance,
            row.gpu_uuid,
        ];
        ids.next(&key).to_string()
    }))
}
