//! `reporting_ocpusagelineitem_daily_summary`: the table that Koku reports OpenShift usage from (spec § 10).

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, Int32Array, RecordBatch, StringArray, StringBuilder};
use tokaki_core::{Condition, Error, FieldKind, Index, Output, ReferenceData, Result, Scope, Table};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use super::columns::{constant, field, required, texts};
use super::row_id::{RowIds, day_text};
use crate::words::units::storable;

/// The table as Koku defines it. The columns behind `cost_category_id` belong to others and are never written here.
pub static TABLE: Table = Table {
    name: "reporting_ocpusagelineitem_daily_summary",
    fields: &[
        required("uuid", FieldKind::Uuid),
        field("report_period_id", FieldKind::Integer),
        field("cluster_id", FieldKind::Text(50)),
        field("cluster_alias", FieldKind::Text(256)),
        field("data_source", FieldKind::Text(64)),
        required("usage_start", FieldKind::Date),
        required("usage_end", FieldKind::Date),
        field("namespace", FieldKind::Text(253)),
        field("node", FieldKind::Text(253)),
        field("resource_id", FieldKind::Text(253)),
        field("pod_labels", FieldKind::Json),
        field("pod_usage_cpu_core_hours", FieldKind::Measure),
        field("pod_request_cpu_core_hours", FieldKind::Measure),
        field("pod_effective_usage_cpu_core_hours", FieldKind::Measure),
        field("pod_limit_cpu_core_hours", FieldKind::Measure),
        field("pod_usage_memory_gigabyte_hours", FieldKind::Measure),
        field("pod_request_memory_gigabyte_hours", FieldKind::Measure),
        field("pod_effective_usage_memory_gigabyte_hours", FieldKind::Measure),
        field("pod_limit_memory_gigabyte_hours", FieldKind::Measure),
        field("node_capacity_cpu_cores", FieldKind::Measure),
        field("node_capacity_cpu_core_hours", FieldKind::Measure),
        field("node_capacity_memory_gigabytes", FieldKind::Measure),
        field("node_capacity_memory_gigabyte_hours", FieldKind::Measure),
        field("cluster_capacity_cpu_core_hours", FieldKind::Measure),
        field("cluster_capacity_memory_gigabyte_hours", FieldKind::Measure),
        field("persistentvolumeclaim", FieldKind::Text(253)),
        field("persistentvolume", FieldKind::Text(253)),
        field("storageclass", FieldKind::Text(253)),
        field("volume_labels", FieldKind::Json),
        field("all_labels", FieldKind::Json),
        field("persistentvolumeclaim_capacity_gigabyte", FieldKind::Measure),
        field("persistentvolumeclaim_capacity_gigabyte_months", FieldKind::Measure),
        field("volume_request_storage_gigabyte_months", FieldKind::Measure),
        field("persistentvolumeclaim_usage_gigabyte_months", FieldKind::Measure),
        field("infrastructure_usage_cost", FieldKind::Json),
        field("source_uuid", FieldKind::Uuid),
        field("cost_category_id", FieldKind::Integer),
        field("infrastructure_raw_cost", FieldKind::Measure),
        field("infrastructure_project_raw_cost", FieldKind::Measure),
        field("infrastructure_data_in_gigabytes", FieldKind::Measure),
        field("infrastructure_data_out_gigabytes", FieldKind::Measure),
        field("infrastructure_markup_cost", FieldKind::Measure),
        field("infrastructure_project_markup_cost", FieldKind::Measure),
        field("infrastructure_monthly_cost", FieldKind::Measure),
        field("infrastructure_monthly_cost_json", FieldKind::Json),
        field("infrastructure_project_monthly_cost", FieldKind::Json),
        field("supplementary_usage_cost", FieldKind::Json),
        field("supplementary_monthly_cost", FieldKind::Measure),
        field("supplementary_monthly_cost_json", FieldKind::Json),
        field("supplementary_project_monthly_cost", FieldKind::Json),
        field("cost_model_cpu_cost", FieldKind::Measure),
        field("cost_model_memory_cost", FieldKind::Measure),
        field("cost_model_volume_cost", FieldKind::Measure),
        field("cost_model_gpu_cost", FieldKind::Measure),
        field("cost_model_rate_type", FieldKind::Text(0)),
        field("monthly_cost_type", FieldKind::Text(0)),
        field("raw_currency", FieldKind::Text(0)),
        field("distributed_cost", FieldKind::Measure),
    ],
    day_field: Some("usage_start"),
    primary_key: &["usage_start", "uuid"],
    indexes: &[
        Index::Ordered("usage_start"),
        Index::TextPrefix("namespace"),
        Index::TextPrefix("node"),
        Index::Ordered("data_source"),
        Index::Ordered("monthly_cost_type"),
        Index::Ordered("cost_model_rate_type"),
        Index::Json("all_labels"),
        Index::Json("pod_labels"),
        Index::Json("volume_labels"),
    ],
    headline: &[
        "usage_start",
        "data_source",
        "namespace",
        "node",
        "pod_usage_cpu_core_hours",
        "pod_usage_memory_gigabyte_hours",
        "persistentvolumeclaim_usage_gigabyte_months",
    ],
};

/// Number of leading columns of [`TABLE`] that are written: up to `cost_category_id`.
const WRITTEN: usize = 37;

/// Number of measures.
pub const MEASURE_COUNT: usize = 18;

/// The values of a row's measures, in the order of [`MEASURES`].
pub type Measures = [Option<f64>; MEASURE_COUNT];

/// Names of the measures.
pub const MEASURES: [&str; MEASURE_COUNT] = [
    "pod_usage_cpu_core_hours",
    "pod_request_cpu_core_hours",
    "pod_effective_usage_cpu_core_hours",
    "pod_limit_cpu_core_hours",
    "pod_usage_memory_gigabyte_hours",
    "pod_request_memory_gigabyte_hours",
    "pod_effective_usage_memory_gigabyte_hours",
    "pod_limit_memory_gigabyte_hours",
    "node_capacity_cpu_cores",
    "node_capacity_cpu_core_hours",
    "node_capacity_memory_gigabytes",
    "node_capacity_memory_gigabyte_hours",
    "cluster_capacity_cpu_core_hours",
    "cluster_capacity_memory_gigabyte_hours",
    "persistentvolumeclaim_capacity_gigabyte",
    "persistentvolumeclaim_capacity_gigabyte_months",
    "volume_request_storage_gigabyte_months",
    "persistentvolumeclaim_usage_gigabyte_months",
];

/// `infrastructure_usage_cost` of Pod and Storage rows.
pub const NO_USAGE_COST: &str = r#"{"cpu": 0.0, "memory": 0.0, "storage": 0.0}"#;

/// `data_source` of Pod and unallocated rows.
pub const POD: &str = "Pod";
/// `data_source` of Storage rows.
pub const STORAGE: &str = "Storage";

/// Which of the table's rows an aggregator owns (spec § 11). Together the three are all rows of the report period
/// without a cloud cost, which is what Koku deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Pod rows: neither storage nor unallocated.
    Pod,
    /// Storage rows.
    Storage,
    /// Unallocated rows: no storage, and pod labels that are null.
    Unallocated,
}

/// The output of an aggregator that writes to this table.
pub fn output(owner: Owner, reference: &ReferenceData) -> Output {
    let mut owned = vec![
        Condition::IntegerEquals("report_period_id", reference.report_period_id),
        Condition::NullOrZero("infrastructure_raw_cost"),
    ];
    owned.extend(match owner {
        Owner::Pod => vec![Condition::TextDiffers("data_source", STORAGE.into()), Condition::IsNotNull("pod_labels")],
        Owner::Storage => vec![Condition::TextEquals("data_source", STORAGE.into())],
        Owner::Unallocated => {
            vec![Condition::TextDiffers("data_source", STORAGE.into()), Condition::IsNull("pod_labels")]
        }
    });
    let written: Vec<&str> = TABLE.fields[..WRITTEN].iter().map(|field| field.name).collect();
    Output::to_table(&TABLE, &written, owned)
}

/// One row, without what is the same in all rows.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// `usage_start` and `usage_end`, days since 1970-01-01.
    pub day: i32,
    /// [`POD`] or [`STORAGE`].
    pub data_source: &'static str,
    /// Namespace.
    pub namespace: Option<&'a str>,
    /// Node.
    pub node: Option<&'a str>,
    /// Machine id of the node.
    pub resource_id: Option<&'a str>,
    /// Canonical labels of a Pod row.
    pub pod_labels: Option<&'a str>,
    /// Canonical labels of a Storage row.
    pub volume_labels: Option<&'a str>,
    /// Canonical labels of any row.
    pub all_labels: &'a str,
    /// Claim, volume and storage class of a Storage row.
    pub volume: [Option<&'a str>; 3],
    /// In the order of [`MEASURES`].
    pub measures: Measures,
    /// Usage cost JSON, null in unallocated rows.
    pub infrastructure_usage_cost: Option<&'static str>,
    /// Cost category.
    pub cost_category_id: Option<i32>,
    /// What tells apart rows that look alike, such as the volume handle (spec § 7). Goes into the id only.
    pub hidden: Option<&'a str>,
}

impl Row<'_> {
    /// The row, if the destination can store its measures (spec § 10, Numbers).
    ///
    /// # Errors
    /// `Type`, with the column and what the row is of.
    pub fn storable(self) -> Result<Self> {
        for (name, measure) in MEASURES.into_iter().zip(self.measures) {
            if let Some(value) = measure {
                storable(name, value).map_err(|error| error.help(self.line_items()))?;
            }
        }
        Ok(self)
    }

    /// Where to look for what is wrong with the row.
    fn line_items(&self) -> String {
        let [namespace, node] = [self.namespace, self.node].map(|name| name.unwrap_or("(null)"));
        format!("look at the line items of {}, namespace {namespace}, node {node}", day_text(self.day))
    }
}

/// The rows as a batch of `output`, in the given order.
///
/// # Errors
/// `Bug` only.
pub fn batch(rows: &[Row<'_>], output: &Output, scope: &Scope, reference: &ReferenceData) -> Result<RecordBatch> {
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(output.fields.len());
    for field in &output.fields {
        // Labels are most of what a row has, and those of a Pod row are all that it has.
        let known = output.fields.iter().position(|known| known.name == "pod_labels").and_then(|of| columns.get(of));
        columns.push(match known {
            Some(pod_labels) if field.name == "all_labels" && have_pod_labels_alone(rows) => Arc::clone(pod_labels),
            _ => column(field.name, rows, scope, reference)?,
        });
    }
    RecordBatch::try_new(output.schema(), columns).map_err(|error| Error::bug(error.to_string()))
}

fn have_pod_labels_alone(rows: &[Row<'_>]) -> bool {
    rows.iter().all(|row| row.pod_labels.is_some_and(|labels| std::ptr::eq(labels, row.all_labels)))
}

fn column(name: &str, rows: &[Row<'_>], scope: &Scope, reference: &ReferenceData) -> Result<ArrayRef> {
    let constant = |text: &str| constant(text, rows.len());
    Ok(match name {
        "uuid" => Arc::new(ids(rows, scope, reference)),
        "report_period_id" => Arc::new(Int32Array::from(vec![reference.report_period_id; rows.len()])),
        "cluster_id" => constant(&reference.cluster_id),
        "cluster_alias" => constant(&reference.cluster_alias),
        "source_uuid" => constant(&scope.source_uuid),
        "data_source" => texts(rows, |row| Some(row.data_source)),
        "usage_start" | "usage_end" => Arc::new(rows.iter().map(|row| Some(row.day)).collect::<Date32Array>()),
        "namespace" => texts(rows, |row| row.namespace),
        "node" => texts(rows, |row| row.node),
        "resource_id" => texts(rows, |row| row.resource_id),
        "pod_labels" => texts(rows, |row| row.pod_labels),
        "volume_labels" => texts(rows, |row| row.volume_labels),
        "all_labels" => texts(rows, |row| Some(row.all_labels)),
        "persistentvolumeclaim" => texts(rows, |row| row.volume[0]),
        "persistentvolume" => texts(rows, |row| row.volume[1]),
        "storageclass" => texts(rows, |row| row.volume[2]),
        "infrastructure_usage_cost" => texts(rows, |row| row.infrastructure_usage_cost),
        "cost_category_id" => Arc::new(rows.iter().map(|row| row.cost_category_id).collect::<Int32Array>()),
        measure => {
            let index = MEASURES
                .iter()
                .position(|name| *name == measure)
                .ok_or_else(|| Error::bug("a summary column is written that no row has").column(measure))?;
            Arc::new(rows.iter().map(|row| row.measures[index]).collect::<Float64Array>())
        }
    })
}

fn ids(rows: &[Row<'_>], scope: &Scope, reference: &ReferenceData) -> StringArray {
    let report_period = reference.report_period_id.to_string();
    let mut ids = RowIds::default();
    let mut texts = StringBuilder::with_capacity(rows.len(), rows.len() * Hyphenated::LENGTH);
    let mut day = (0, day_text(0));
    for row in rows {
        // Rows are sorted by day.
        if day.0 != row.day {
            day = (row.day, day_text(row.day));
        }
        let key = [
            Some(scope.source_uuid.as_str()),
            Some(report_period.as_str()),
            Some(day.1.as_str()),
            Some(row.data_source),
            row.namespace,
            row.node,
            row.resource_id.filter(|_| row.data_source == STORAGE),
            row.pod_labels,
            row.volume_labels,
            row.volume[0],
            row.volume[1],
            row.volume[2],
            row.hidden,
        ];
        texts.append_value(ids.next(&key).hyphenated().encode_lower(&mut Uuid::encode_buffer()));
    }
    texts.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_owners_share_no_row() {
        let reference = ReferenceData::default();
        let of = |owner| output(owner, &reference).destination.expect("a table");
        assert!(!of(Owner::Pod).overlaps(&of(Owner::Storage)));
        assert!(!of(Owner::Pod).overlaps(&of(Owner::Unallocated)));
        assert!(!of(Owner::Storage).overlaps(&of(Owner::Unallocated)));
    }

    #[test]
    fn written_columns_end_with_the_cost_category() {
        assert_eq!(TABLE.fields[WRITTEN - 1].name, "cost_category_id");
        for measure in MEASURES {
            assert!(TABLE.fields[..WRITTEN].iter().any(|field| field.name == measure), "{measure}");
        }
    }
}
