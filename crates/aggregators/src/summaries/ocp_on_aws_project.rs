//! `reporting_ocpawscostlineitem_project_daily_summary_p`: cost of an AWS bill by cluster and namespace (ocp-on-aws § 9).

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, Int32Array, RecordBatch, StringArray};
use tokaki_core::{AccountAlias, Bill, Cluster, Condition, Error, FieldKind, Index, Output, Result, Scope, Table};

use super::columns::{constant, field, required, texts};
use super::row_id::{RowIds, day_text};
use crate::words::units::storable;

/// The table as Koku defines it.
pub static TABLE: Table = Table {
    name: "reporting_ocpawscostlineitem_project_daily_summary_p",
    fields: &[
        required("uuid", FieldKind::Uuid),
        field("report_period_id", FieldKind::Integer),
        field("cluster_id", FieldKind::Text(50)),
        field("cluster_alias", FieldKind::Text(256)),
        field("data_source", FieldKind::Text(64)),
        field("namespace", FieldKind::Text(253)),
        field("node", FieldKind::Text(253)),
        field("persistentvolumeclaim", FieldKind::Text(253)),
        field("persistentvolume", FieldKind::Text(253)),
        field("storageclass", FieldKind::Text(50)),
        field("resource_id", FieldKind::Text(253)),
        required("usage_start", FieldKind::Date),
        required("usage_end", FieldKind::Date),
        field("product_code", FieldKind::Text(0)),
        field("product_family", FieldKind::Text(150)),
        field("instance_type", FieldKind::Text(50)),
        field("cost_entry_bill_id", FieldKind::Integer),
        field("usage_account_id", FieldKind::Text(50)),
        field("account_alias_id", FieldKind::Integer),
        field("availability_zone", FieldKind::Text(50)),
        field("region", FieldKind::Text(50)),
        field("unit", FieldKind::Text(63)),
        field("usage_amount", FieldKind::Measure),
        field("infrastructure_data_in_gigabytes", FieldKind::Measure),
        field("infrastructure_data_out_gigabytes", FieldKind::Measure),
        field("data_transfer_direction", FieldKind::Text(0)),
        field("currency_code", FieldKind::Text(10)),
        field("unblended_cost", FieldKind::Measure),
        field("markup_cost", FieldKind::Measure),
        field("blended_cost", FieldKind::Measure),
        field("markup_cost_blended", FieldKind::Measure),
        field("savingsplan_effective_cost", FieldKind::Measure),
        field("markup_cost_savingsplan", FieldKind::Measure),
        field("calculated_amortized_cost", FieldKind::Measure),
        field("markup_cost_amortized", FieldKind::Measure),
        field("pod_labels", FieldKind::Json),
        field("tags", FieldKind::Json),
        field("aws_cost_category", FieldKind::Json),
        field("cost_category_id", FieldKind::Integer),
        field("source_uuid", FieldKind::Uuid),
    ],
    day_field: Some("usage_start"),
    primary_key: &["usage_start", "uuid"],
    indexes: &[
        Index::Ordered("usage_start"),
        Index::TextPrefix("namespace"),
        Index::TextPrefix("node"),
        Index::Json("tags"),
    ],
    headline: &["usage_start", "cluster_alias", "data_source", "namespace", "node", "product_code", "unblended_cost"],
};

/// Names of the amounts, in the order of [`Row::amounts`]: usage, data in and out, and each cost with its markup.
pub const AMOUNTS: [&str; 11] = [
    "usage_amount",
    "infrastructure_data_in_gigabytes",
    "infrastructure_data_out_gigabytes",
    "unblended_cost",
    "markup_cost",
    "blended_cost",
    "markup_cost_blended",
    "savingsplan_effective_cost",
    "markup_cost_savingsplan",
    "calculated_amortized_cost",
    "markup_cost_amortized",
];

/// Names of the texts, in the order of [`Row::texts`].
const TEXTS: [&str; 16] = [
    "namespace",
    "node",
    "persistentvolumeclaim",
    "persistentvolume",
    "storageclass",
    "resource_id",
    "product_code",
    "product_family",
    "instance_type",
    ACCOUNT,
    "availability_zone",
    "region",
    "unit",
    "currency_code",
    "aws_cost_category",
    "pod_labels",
];
/// The account that is billed.
pub const ACCOUNT: &str = "usage_account_id";

/// One row, without what is the same in all rows of a cluster.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// `usage_start` and `usage_end`, days since 1970-01-01.
    pub day: i32,
    /// `Pod` or `Storage`.
    pub data_source: &'static str,
    /// `IN`, `OUT` or null.
    pub direction: Option<&'static str>,
    /// Cost category.
    pub cost_category_id: Option<i32>,
    /// Namespace, node, claim, volume, storage class, resource id, product code and family, instance type, account,
    /// availability zone, region, unit, currency, category, labels.
    pub texts: [Option<&'a str>; 16],
    /// The labels again, under the keys that child keys are mapped to (§ 10.5).
    pub tags: Option<&'a str>,
    /// In the order of [`AMOUNTS`].
    pub amounts: [Option<f64>; AMOUNTS.len()],
}

/// Where a row has a text. Looked up once by those who ask many rows.
#[derive(Debug, Clone, Copy)]
pub enum TextOf {
    /// [`Row::data_source`].
    DataSource,
    /// [`Row::tags`].
    Tags,
    /// Position in [`Row::texts`].
    Text(usize),
}

impl TextOf {
    /// Where the text of this name is; `None` if no row has one.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "data_source" => Some(Self::DataSource),
            "tags" => Some(Self::Tags),
            _ => TEXTS.iter().position(|known| *known == name).map(Self::Text),
        }
    }
}

impl<'a> Row<'a> {
    /// The text that is there.
    pub fn text_of(&self, place: TextOf) -> Option<&'a str> {
        match place {
            TextOf::DataSource => Some(self.data_source),
            TextOf::Tags => self.tags,
            TextOf::Text(position) => self.texts[position],
        }
    }

    /// The text of this name.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        TextOf::named(name).and_then(|place| self.text_of(place))
    }

    /// The amount of this name.
    pub fn amount(&self, name: &str) -> Option<f64> {
        AMOUNTS.iter().position(|known| *known == name).and_then(|position| self.amounts[position])
    }
}

/// Names of accounts.
#[derive(Debug)]
pub struct AccountAliases<'a>(BTreeMap<&'a str, &'a AccountAlias>);

impl<'a> AccountAliases<'a> {
    /// Those that are known with the bill.
    pub fn new(bill: &'a Bill) -> Self {
        Self(bill.account_aliases.iter().map(|alias| (alias.account_id.as_str(), alias)).collect())
    }

    /// The id of the account's alias.
    pub fn of(&self, account: Option<&str>) -> Option<i32> {
        self.0.get(account?).map(|alias| alias.id)
    }

    /// The account's alias itself.
    pub fn name_of(&self, account: Option<&str>) -> Option<&'a str> {
        self.0.get(account?).and_then(|alias| alias.account_alias.as_deref())
    }
}

/// The output of one cluster's rows. They are those of the AWS source and the cluster (ocp-on-aws § 11).
pub fn output(scope: &Scope, cluster: &Cluster) -> Output {
    let written: Vec<&str> = TABLE.fields.iter().map(|field| field.name).collect();
    let owned = vec![
        Condition::UuidEquals("source_uuid", scope.source_uuid.clone()),
        Condition::TextEquals("cluster_id", cluster.reference.cluster_id.clone().into()),
    ];
    Output::to_table(&TABLE, &written, owned)
}

/// The rows as a batch of [`output`], in the given order.
///
/// # Errors
/// `Type` for an amount that does not fit.
pub fn batch(
    rows: &[Row<'_>],
    scope: &Scope,
    bill: &Bill,
    cluster: &Cluster,
    aliases: &AccountAliases<'_>,
) -> Result<RecordBatch> {
    let output = output(scope, cluster);
    let mut columns = Vec::with_capacity(output.fields.len());
    for field in &output.fields {
        columns.push(column(field.name, rows, scope, bill, cluster, aliases)?);
    }
    RecordBatch::try_new(output.schema(), columns).map_err(|error| Error::bug(error.to_string()))
}

fn column(
    name: &'static str,
    rows: &[Row<'_>],
    scope: &Scope,
    bill: &Bill,
    cluster: &Cluster,
    aliases: &AccountAliases<'_>,
) -> Result<ArrayRef> {
    let reference = &cluster.reference;
    let same = |number: i32| Arc::new(Int32Array::from(vec![number; rows.len()]));
    Ok(match name {
        "uuid" => Arc::new(ids(rows, scope, cluster)),
        "report_period_id" => same(reference.report_period_id),
        "cost_entry_bill_id" => same(bill.id),
        "cluster_id" => constant(&reference.cluster_id, rows.len()),
        "cluster_alias" => constant(&reference.cluster_alias, rows.len()),
        "source_uuid" => constant(&scope.source_uuid, rows.len()),
        "usage_start" | "usage_end" => Arc::new(rows.iter().map(|row| Some(row.day)).collect::<Date32Array>()),
        "tags" => texts(rows, |row| row.tags),
        "data_source" => texts(rows, |row| Some(row.data_source)),
        "data_transfer_direction" => texts(rows, |row| row.direction),
        "cost_category_id" => Arc::new(rows.iter().map(|row| row.cost_category_id).collect::<Int32Array>()),
        "account_alias_id" => {
            let alias = |row: &Row<'_>| aliases.of(row.text(ACCOUNT));
            Arc::new(rows.iter().map(alias).collect::<Int32Array>())
        }
        _ => {
            if let Some(position) = TEXTS.iter().position(|known| *known == name) {
                return Ok(texts(rows, |row| row.texts[position]));
            }
            let position = AMOUNTS.iter().position(|known| *known == name);
            let position = position.ok_or_else(|| Error::bug("a column is written that no row has").column(name))?;
            let amounts = rows.iter().map(|row| row.amounts[position].map(|value| storable(name, value)).transpose());
            Arc::new(amounts.collect::<Result<Float64Array>>()?)
        }
    })
}

fn ids(rows: &[Row<'_>], scope: &Scope, cluster: &Cluster) -> StringArray {
    let mut ids = RowIds::default();
    let id = |row: &Row<'_>| {
        let day = day_text(row.day);
        let category = row.cost_category_id.map(|id| id.to_string());
        let mut key = vec![
            Some(scope.source_uuid.as_str()),
            Some(cluster.source_uuid.as_str()),
            Some(day.as_str()),
            Some(row.data_source),
            row.direction,
            category.as_deref(),
        ];
        key.extend(row.texts);
        ids.next(&key).to_string()
    };
    StringArray::from_iter_values(rows.iter().map(id))
}
