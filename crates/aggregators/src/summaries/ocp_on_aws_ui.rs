//! `reporting_ocpaws_…_summary_p`: what the user interface shows of an AWS bill's cost in clusters (ocp-on-aws § 10.1).
//! They are sums over the rows of the project table.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, Int32Array, RecordBatch, StringArray};
use tokaki_core::rollup::{ExactSum, Resolution};
use tokaki_core::{Cluster, Condition, Error, Field, FieldKind, Index, Output, Result, Scope, Table};

use super::columns::{constant, field, required};
use super::ocp_on_aws_project::{AMOUNTS, AccountAliases, Row};
use super::row_id::{RowIds, day_text};
use crate::words::units::storable;

/// One of the tables.
pub struct UiTable {
    /// Its definition.
    pub table: &'static Table,
    /// The rows of the project table that it counts.
    counts: fn(&Row<'_>) -> bool,
    /// Texts that it groups by, beside the day.
    keys: &'static [&'static str],
}

/// All eight.
pub static TABLES: [UiTable; 8] = [
    UiTable { table: &COST, counts: |_| true, keys: &[] },
    UiTable { table: &BY_ACCOUNT, counts: |_| true, keys: &["usage_account_id"] },
    UiTable { table: &BY_REGION, counts: |_| true, keys: &["usage_account_id", "region", "availability_zone"] },
    UiTable { table: &BY_SERVICE, counts: |_| true, keys: &["usage_account_id", "product_code", "product_family"] },
    UiTable {
        table: &COMPUTE,
        counts: |row| row.text("instance_type").is_some(),
        keys: &["usage_account_id", "instance_type", "resource_id"],
    },
    UiTable {
        table: &STORAGE,
        counts: |row| {
            row.text("unit") == Some("GB-Mo") && row.text("product_family").is_some_and(|it| it.contains("Storage"))
        },
        keys: &["usage_account_id", "product_family"],
    },
    UiTable {
        table: &NETWORK,
        counts: |row| row.text("product_code").is_some_and(|code| NETWORK_SERVICES.contains(&code)),
        keys: &["usage_account_id", "product_code"],
    },
    UiTable {
        table: &DATABASE,
        counts: |row| row.text("product_code").is_some_and(|code| DATABASE_SERVICES.contains(&code)),
        keys: &["usage_account_id", "product_code"],
    },
];

const NETWORK_SERVICES: [&str; 4] = ["AmazonVPC", "AmazonCloudFront", "AmazonRoute53", "AmazonAPIGateway"];
const DATABASE_SERVICES: [&str; 6] =
    ["AmazonRDS", "AmazonDynamoDB", "AmazonElastiCache", "AmazonNeptune", "AmazonRedshift", "AmazonDocumentDB"];

/// A table with the columns of all, and its own.
macro_rules! ui_table {
    ($table:ident, $name:literal, [$($own:expr),*]) => {
        static $table: Table = Table {
            name: concat!("reporting_ocpaws_", $name, "_p"),
            fields: &[
                required("id", FieldKind::Uuid),
                required("usage_start", FieldKind::Date),
                required("usage_end", FieldKind::Date),
                field("cluster_id", FieldKind::Text(50)),
                field("cluster_alias", FieldKind::Text(256)),
                $($own,)*
                field("unblended_cost", FieldKind::Measure),
                field("markup_cost", FieldKind::Measure),
                field("blended_cost", FieldKind::Measure),
                field("markup_cost_blended", FieldKind::Measure),
                field("savingsplan_effective_cost", FieldKind::Measure),
                field("markup_cost_savingsplan", FieldKind::Measure),
                field("calculated_amortized_cost", FieldKind::Measure),
                field("markup_cost_amortized", FieldKind::Measure),
                field("currency_code", FieldKind::Text(10)),
                field("source_uuid", FieldKind::Uuid),
            ],
            day_field: "usage_start",
            primary_key: &["usage_start", "id"],
            indexes: &[Index::Ordered("usage_start")],
            headline: &["usage_start", "cluster_alias", "unblended_cost", "calculated_amortized_cost"],
        };
    };
}

const ACCOUNT: Field = field("usage_account_id", FieldKind::Text(50));
const ALIAS: Field = field("account_alias_id", FieldKind::Integer);
const PRODUCT: Field = field("product_code", FieldKind::Text(0));
const FAMILY: Field = field("product_family", FieldKind::Text(150));
const USAGE: Field = field("usage_amount", FieldKind::Measure);
const UNIT: Field = field("unit", FieldKind::Text(63));
const CATEGORY: Field = field("cost_category_id", FieldKind::Integer);

ui_table!(COST, "cost_summary", [CATEGORY]);
ui_table!(BY_ACCOUNT, "cost_summary_by_account", [ACCOUNT, ALIAS]);
ui_table!(
    BY_REGION,
    "cost_summary_by_region",
    [ACCOUNT, ALIAS, field("region", FieldKind::Text(50)), field("availability_zone", FieldKind::Text(50))]
);
ui_table!(BY_SERVICE, "cost_summary_by_service", [ACCOUNT, ALIAS, PRODUCT, FAMILY]);
ui_table!(
    COMPUTE,
    "compute_summary",
    [
        ACCOUNT,
        ALIAS,
        field("instance_type", FieldKind::Text(50)),
        field("resource_id", FieldKind::Text(253)),
        USAGE,
        UNIT
    ]
);
ui_table!(STORAGE, "storage_summary", [ACCOUNT, ALIAS, FAMILY, USAGE, UNIT]);
ui_table!(NETWORK, "network_summary", [ACCOUNT, ALIAS, PRODUCT, USAGE, UNIT]);
ui_table!(DATABASE, "database_summary", [ACCOUNT, ALIAS, PRODUCT, USAGE, UNIT]);

/// The sums of a group.
#[derive(Default)]
struct Group<'a> {
    amounts: [Option<ExactSum>; AMOUNTS.len()],
    currency: Option<&'a str>,
    unit: Option<&'a str>,
    cost_category_id: Option<i32>,
}

/// A group by day and texts.
type Groups<'a> = BTreeMap<(i32, Vec<Option<&'a str>>), Group<'a>>;

impl UiTable {
    /// The output of one cluster's rows: those of the AWS source and the cluster (ocp-on-aws § 11).
    pub fn output(&self, scope: &Scope, cluster: &Cluster) -> Output {
        let written: Vec<&str> = self.table.fields.iter().map(|field| field.name).collect();
        let owned = vec![
            Condition::UuidEquals("source_uuid", scope.source_uuid.clone()),
            Condition::TextEquals("cluster_id", cluster.reference.cluster_id.clone().into()),
        ];
        Output::to_table(self.table, &written, owned)
    }

    /// The sums over a cluster's rows of the project table.
    ///
    /// # Errors
    /// `Type` for an amount that does not fit.
    pub fn batch(
        &self,
        rows: &[Row<'_>],
        scope: &Scope,
        cluster: &Cluster,
        aliases: &AccountAliases<'_>,
    ) -> Result<RecordBatch> {
        let groups = self.groups(rows)?;
        let output = self.output(scope, cluster);
        let mut columns = Vec::with_capacity(output.fields.len());
        for field in &output.fields {
            columns.push(self.column(field.name, &groups, scope, cluster, aliases)?);
        }
        RecordBatch::try_new(output.schema(), columns).map_err(|error| Error::bug(error.to_string()))
    }

    fn groups<'a>(&self, rows: &[Row<'a>]) -> Result<Groups<'a>> {
        let mut groups = Groups::new();
        for row in rows.iter().filter(|row| (self.counts)(row)) {
            let key = (row.day, self.keys.iter().map(|name| row.text(name)).collect());
            let group = groups.entry(key).or_default();
            for (sum, amount) in group.amounts.iter_mut().zip(row.amounts) {
                if let Some(amount) = amount {
                    sum.get_or_insert_default().add(Resolution::AMOUNTS.units(amount)?)?;
                }
            }
            group.currency = group.currency.max(row.text("currency_code"));
            group.unit = group.unit.max(row.text("unit"));
            group.cost_category_id = group.cost_category_id.max(row.cost_category_id);
        }
        Ok(groups)
    }

    fn column(
        &self,
        name: &'static str,
        groups: &Groups<'_>,
        scope: &Scope,
        cluster: &Cluster,
        aliases: &AccountAliases<'_>,
    ) -> Result<ArrayRef> {
        let texts =
            |texts: &mut dyn Iterator<Item = Option<&str>>| -> ArrayRef { Arc::new(texts.collect::<StringArray>()) };
        let key = |name: &str| self.keys.iter().position(|key| *key == name);
        if let Some(position) = key(name) {
            return Ok(texts(&mut groups.keys().map(|(_, texts)| texts[position])));
        }
        Ok(match name {
            "id" => Arc::new(self.ids(groups, scope, cluster)),
            "usage_start" | "usage_end" => Arc::new(groups.keys().map(|(day, _)| Some(*day)).collect::<Date32Array>()),
            "cluster_id" => constant(&cluster.reference.cluster_id, groups.len()),
            "cluster_alias" => constant(&cluster.reference.cluster_alias, groups.len()),
            "source_uuid" => constant(&scope.source_uuid, groups.len()),
            "currency_code" => texts(&mut groups.values().map(|group| group.currency)),
            "unit" => texts(&mut groups.values().map(|group| group.unit)),
            "cost_category_id" => Arc::new(groups.values().map(|group| group.cost_category_id).collect::<Int32Array>()),
            "account_alias_id" => {
                let account = key("usage_account_id").ok_or_else(|| Error::bug("an alias has no account"))?;
                Arc::new(groups.keys().map(|(_, texts)| aliases.of(texts[account])).collect::<Int32Array>())
            }
            amount => {
                let position = AMOUNTS.iter().position(|known| *known == amount);
                let position =
                    position.ok_or_else(|| Error::bug("a column is written that no row has").column(name))?;
                let value = |sum: ExactSum| storable(name, Resolution::AMOUNTS.value(sum.0));
                let values = groups.values().map(|group| group.amounts[position].map(value).transpose());
                Arc::new(values.collect::<Result<Float64Array>>()?)
            }
        })
    }

    fn ids(&self, groups: &Groups<'_>, scope: &Scope, cluster: &Cluster) -> StringArray {
        let mut ids = RowIds::default();
        let id = |(day, texts): &(i32, Vec<Option<&str>>)| {
            let day = day_text(*day);
            let fixed = [self.table.name, &scope.source_uuid, &cluster.source_uuid, &day].map(Some);
            let key: Vec<Option<&str>> = fixed.into_iter().chain(texts.iter().copied()).collect();
            ids.next(&key).to_string()
        };
        StringArray::from_iter_values(groups.keys().map(id))
    }
}
