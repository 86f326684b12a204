//! Rows of `reporting_ocpusagelineitem_daily_summary` that carry the cost of a cluster's infrastructure
//! (ocp-on-aws § 10.2). They are sums over the rows of a cloud provider's project table.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, Int32Array, RecordBatch, StringArray};
use tokaki_core::rollup::{ExactSum, Resolution};
use tokaki_core::{Cluster, Condition, Error, FieldKind, Output, Result};

use super::columns::constant;
use super::ocp_daily_summary::{POD, TABLE};
use super::ocp_on_aws_project::Row;
use super::row_id::{RowIds, day_text};
use crate::words::label_map::NO_LABELS;
use crate::words::units::storable;

/// What cost models add to, as yet nothing.
const NO_USAGE_COST: &str = r#"{"cpu": 0.000000000, "memory": 0.000000000, "storage": 0.000000000}"#;

/// Columns of the table that these rows leave null.
const LEFT_NULL: [&str; 15] = [
    "infrastructure_markup_cost",
    "infrastructure_project_markup_cost",
    "infrastructure_monthly_cost",
    "infrastructure_monthly_cost_json",
    "infrastructure_project_monthly_cost",
    "supplementary_monthly_cost",
    "supplementary_monthly_cost_json",
    "supplementary_project_monthly_cost",
    "cost_model_cpu_cost",
    "cost_model_memory_cost",
    "cost_model_volume_cost",
    "cost_model_gpu_cost",
    "cost_model_rate_type",
    "monthly_cost_type",
    "distributed_cost",
];

/// The output of one cluster's rows. No other rows of the table have a currency.
pub fn output(cluster: &Cluster) -> Output {
    let names = TABLE.fields.iter().map(|field| field.name);
    let written: Vec<&str> = names.filter(|name| !LEFT_NULL.contains(name)).collect();
    let owned = vec![
        Condition::IntegerEquals("report_period_id", cluster.reference.report_period_id),
        Condition::UuidEquals("source_uuid", cluster.source_uuid.clone()),
        Condition::IsNotNull("raw_currency"),
    ];
    Output::to_table(&TABLE, &written, owned).also_of(&cluster.source_uuid)
}

/// What a row is grouped by, beside what is the same in all rows of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    day: i32,
    namespace: Option<&'a str>,
    data_source: &'static str,
    node: Option<&'a str>,
    claim: Option<&'a str>,
    resource_id: Option<&'a str>,
    labels: Option<&'a str>,
    direction: Option<&'static str>,
}

#[derive(Default)]
struct Group<'a> {
    cost: Option<ExactSum>,
    data_in: Option<ExactSum>,
    data_out: Option<ExactSum>,
    volume: Option<&'a str>,
    storage_class: Option<&'a str>,
    currency: Option<&'a str>,
    cost_category_id: Option<i32>,
}

/// A group with its key.
type Grouped<'g, 'a> = (&'g Key<'a>, &'g Group<'a>);

/// The sums over a cluster's rows of the project table.
///
/// # Errors
/// `Type` for an amount that does not fit.
pub fn batch(rows: &[Row<'_>], cluster: &Cluster) -> Result<RecordBatch> {
    let mut groups: BTreeMap<Key<'_>, Group<'_>> = BTreeMap::new();
    for row in rows {
        let key = Key {
            day: row.day,
            namespace: row.text("namespace"),
            data_source: row.data_source,
            node: row.text("node"),
            claim: row.text("persistentvolumeclaim"),
            resource_id: row.text("resource_id"),
            labels: row.text("pod_labels"),
            direction: row.direction,
        };
        groups.entry(key).or_default().add(row)?;
    }
    let groups: Vec<Grouped<'_, '_>> = groups.iter().collect();
    let output = output(cluster);
    let mut columns = Vec::with_capacity(output.fields.len());
    for field in &output.fields {
        columns.push(column(field.name, field.kind, &groups, cluster)?);
    }
    RecordBatch::try_new(output.schema(), columns).map_err(|error| Error::bug(error.to_string()))
}

impl<'a> Group<'a> {
    fn add(&mut self, row: &Row<'a>) -> Result<()> {
        // A row without cost has no markup either.
        for amount in ["calculated_amortized_cost", "markup_cost_amortized"] {
            add(&mut self.cost, row.amount(amount))?;
        }
        if row.direction == Some("IN") {
            add(&mut self.data_in, row.amount("infrastructure_data_in_gigabytes"))?;
        } else if row.direction == Some("OUT") {
            add(&mut self.data_out, row.amount("infrastructure_data_out_gigabytes"))?;
        }
        self.volume = self.volume.max(row.text("persistentvolume"));
        self.storage_class = self.storage_class.max(row.text("storageclass"));
        self.currency = self.currency.max(row.text("currency_code"));
        self.cost_category_id = self.cost_category_id.max(row.cost_category_id);
        Ok(())
    }
}

fn add(sum: &mut Option<ExactSum>, amount: Option<f64>) -> Result<()> {
    match amount {
        Some(amount) => sum.get_or_insert_default().add(Resolution::AMOUNTS.units(amount)?),
        None => Ok(()),
    }
}

fn column(name: &'static str, kind: FieldKind, groups: &[Grouped<'_, '_>], cluster: &Cluster) -> Result<ArrayRef> {
    let reference = &cluster.reference;
    let texts = |of: &dyn Fn(&Grouped<'_, '_>) -> Option<String>| -> ArrayRef {
        Arc::new(groups.iter().map(of).collect::<StringArray>())
    };
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let sums = |of: &dyn Fn(&Grouped<'_, '_>) -> Option<ExactSum>| -> Result<ArrayRef> {
        let value = |sum: ExactSum| storable(name, Resolution::AMOUNTS.value(sum.0));
        let values = groups.iter().map(|group| of(group).map(value).transpose());
        Ok(Arc::new(values.collect::<Result<Float64Array>>()?))
    };
    let labels_if = |is_pod: bool| {
        texts(&|(key, _)| {
            let labels = if (key.data_source == POD) == is_pod { key.labels } else { Some(NO_LABELS) };
            owned(labels)
        })
    };
    Ok(match name {
        "uuid" => Arc::new(ids(groups, cluster)),
        "report_period_id" => Arc::new(Int32Array::from(vec![reference.report_period_id; groups.len()])),
        "cluster_id" => constant(&reference.cluster_id, groups.len()),
        "cluster_alias" => constant(&reference.cluster_alias, groups.len()),
        "source_uuid" => constant(&cluster.source_uuid, groups.len()),
        "data_source" => texts(&|(key, _)| owned(Some(key.data_source))),
        "usage_start" | "usage_end" => Arc::new(groups.iter().map(|(key, _)| Some(key.day)).collect::<Date32Array>()),
        "namespace" => texts(&|(key, _)| owned(key.namespace)),
        "node" => texts(&|(key, _)| owned(key.node)),
        "resource_id" => texts(&|(key, _)| owned(key.resource_id)),
        "persistentvolumeclaim" => texts(&|(key, _)| owned(key.claim)),
        "persistentvolume" => texts(&|(_, group)| owned(group.volume)),
        "storageclass" => texts(&|(_, group)| owned(group.storage_class)),
        "pod_labels" => labels_if(true),
        "volume_labels" => labels_if(false),
        "all_labels" => texts(&|(key, _)| owned(key.labels)),
        // Rows are known by their currency; one that the bill does not name is empty.
        "raw_currency" => texts(&|(_, group)| owned(Some(group.currency.unwrap_or_default()))),
        "cost_category_id" => Arc::new(groups.iter().map(|(_, group)| group.cost_category_id).collect::<Int32Array>()),
        "infrastructure_raw_cost" | "infrastructure_project_raw_cost" => sums(&|(_, group)| group.cost)?,
        "infrastructure_data_in_gigabytes" => sums(&|(_, group)| group.data_in)?,
        "infrastructure_data_out_gigabytes" => sums(&|(_, group)| group.data_out)?,
        "infrastructure_usage_cost" | "supplementary_usage_cost" => constant(NO_USAGE_COST, groups.len()),
        _ if kind == FieldKind::Measure => Arc::new(Float64Array::from(vec![0.0; groups.len()])),
        name => return Err(Error::bug("a column is written that no row has").column(name)),
    })
}

fn ids(groups: &[Grouped<'_, '_>], cluster: &Cluster) -> StringArray {
    let mut ids = RowIds::default();
    let id = |(key, _): &Grouped<'_, '_>| {
        let day = day_text(key.day);
        let key = [
            Some("infrastructure"),
            Some(cluster.source_uuid.as_str()),
            Some(day.as_str()),
            key.namespace,
            Some(key.data_source),
            key.node,
            key.claim,
            key.resource_id,
            key.labels,
            key.direction,
        ];
        ids.next(&key).to_string()
    };
    StringArray::from_iter_values(groups.iter().map(id))
}
