//! Tables that are sums over the rows of the project table of an AWS bill (ocp-on-aws § 10.1, § 10.3).

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, Int32Array, RecordBatch, StringArray};
use tokaki_core::rollup::{ExactSum, Resolution};
use tokaki_core::{Cluster, Condition, Error, FieldKind, Output, Result, Scope, Table};

use super::columns::constant;
use super::ocp_on_aws_project::{ACCOUNT, AMOUNTS, AccountAliases, Row, TextOf};
use super::row_id::{RowIds, day_text};
use crate::words::units::storable;

/// Number of the name that an account has.
pub(super) const ALIAS: &str = "account_alias_id";

/// One of the tables.
pub struct DerivedTable {
    /// Its definition.
    pub table: &'static Table,
    /// The rows of the project table that it counts.
    pub(super) counts: fn(&Row<'_>) -> bool,
    /// What it groups by, beside the day.
    pub(super) keys: &'static [&'static str],
    /// Columns that hold another amount than the one of their name, each with that one.
    pub(super) renamed: &'static [(&'static str, &'static str)],
    /// Columns that have the same number or text in all rows.
    pub(super) constants: &'static [(&'static str, Constant)],
}

/// What all rows have.
#[derive(Debug, Clone, Copy)]
pub(super) enum Constant {
    Text(&'static str),
    Integer(i32),
}

/// The sums of a group.
#[derive(Default)]
struct Group<'a> {
    amounts: [Option<ExactSum>; AMOUNTS.len()],
    account: Option<&'a str>,
    currency: Option<&'a str>,
    unit: Option<&'a str>,
    cost_category_id: Option<i32>,
}

/// A group by day and texts.
type Groups<'a> = BTreeMap<(i32, Vec<Option<&'a str>>), Group<'a>>;

/// Whose rows a table is about.
#[derive(Clone, Copy)]
pub struct About<'a> {
    /// The run.
    pub scope: &'a Scope,
    /// The cluster.
    pub cluster: &'a Cluster,
    /// Names of accounts.
    pub aliases: &'a AccountAliases<'a>,
}

impl DerivedTable {
    /// The output of one cluster's rows: those of the AWS source and the cluster (ocp-on-aws § 11).
    pub fn output(&self, scope: &Scope, cluster: &Cluster) -> Output {
        let written: Vec<&str> = self.table.fields.iter().map(|field| field.name).collect();
        let texts = self.constants.iter().filter_map(|(name, value)| match value {
            Constant::Text(text) => Some(Condition::TextEquals(name, (*text).into())),
            Constant::Integer(_) => None,
        });
        let of_cluster = [
            Condition::UuidEquals("source_uuid", scope.source_uuid.clone()),
            Condition::TextEquals("cluster_id", cluster.reference.cluster_id.clone().into()),
        ];
        Output::to_table(self.table, &written, of_cluster.into_iter().chain(texts).collect())
    }

    /// The sums over a cluster's rows of the project table.
    ///
    /// # Errors
    /// `Type` for an amount that does not fit.
    pub fn batch(&self, rows: &[Row<'_>], about: About<'_>) -> Result<RecordBatch> {
        let groups = self.groups(rows, about.aliases)?;
        let output = self.output(about.scope, about.cluster);
        let mut columns = Vec::with_capacity(output.fields.len());
        for field in &output.fields {
            columns.push(self.column(field.name, field.kind, &groups, about)?);
        }
        RecordBatch::try_new(output.schema(), columns).map_err(|error| Error::bug(error.to_string()))
    }

    fn groups<'a>(&self, rows: &[Row<'a>], aliases: &AccountAliases<'_>) -> Result<Groups<'a>> {
        let [account, currency, unit] = [ACCOUNT, "currency_code", "unit"].map(TextOf::named);
        // An alias belongs to one account, so the account stands for it.
        let place = |name: &&'static str| if *name == ALIAS { None } else { TextOf::named(name) };
        let keys: Vec<Option<TextOf>> = self.keys.iter().map(place).collect();
        let mut groups = Groups::new();
        for row in rows.iter().filter(|row| (self.counts)(row)) {
            let text = |place: Option<TextOf>| place.and_then(|place| row.text_of(place));
            let key = |place: &Option<TextOf>| match place {
                None => text(account).filter(|account| aliases.of(Some(account)).is_some()),
                place => text(*place),
            };
            let group = groups.entry((row.day, keys.iter().map(key).collect())).or_default();
            for (sum, amount) in group.amounts.iter_mut().zip(row.amounts) {
                if let Some(amount) = amount {
                    sum.get_or_insert_default().add(Resolution::AMOUNTS.units(amount)?)?;
                }
            }
            group.account = group.account.max(text(account));
            group.currency = group.currency.max(text(currency));
            group.unit = group.unit.max(text(unit));
            group.cost_category_id = group.cost_category_id.max(row.cost_category_id);
        }
        Ok(groups)
    }

    fn column(&self, name: &'static str, kind: FieldKind, groups: &Groups<'_>, about: About<'_>) -> Result<ArrayRef> {
        let About { scope, cluster, aliases } = about;
        let texts =
            |texts: &mut dyn Iterator<Item = Option<&str>>| -> ArrayRef { Arc::new(texts.collect::<StringArray>()) };
        let key = |name: &str| self.keys.iter().position(|key| *key == name);
        if let Some((_, value)) = self.constants.iter().find(|(constant, _)| *constant == name) {
            return Ok(match value {
                Constant::Text(text) => constant(text, groups.len()),
                Constant::Integer(number) => Arc::new(Int32Array::from(vec![*number; groups.len()])),
            });
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
            ALIAS => {
                let account =
                    key(ACCOUNT).or_else(|| key(ALIAS)).ok_or_else(|| Error::bug("an alias has no account"))?;
                Arc::new(groups.keys().map(|(_, texts)| aliases.of(texts[account])).collect::<Int32Array>())
            }
            ACCOUNT => texts(&mut groups.values().map(|group| group.account)),
            _ if let Some(position) = key(name) => {
                let values = groups.keys().map(|(_, texts)| texts[position]);
                match kind {
                    // The groups are those of one text, and yet the column is a list.
                    FieldKind::Texts(_) => {
                        Arc::new(values.map(|text| Some(list_of_one(text))).collect::<StringArray>())
                    }
                    FieldKind::Text(limit) => texts(&mut values.map(|text| text.map(|text| cut(text, limit)))),
                    _ => texts(&mut { values }),
                }
            }
            amount => {
                let amount = self.renamed.iter().find(|(column, _)| *column == amount).map_or(amount, |(_, of)| of);
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

fn list_of_one(text: Option<&str>) -> String {
    serde_json::to_string(&[text]).expect("texts are JSON")
}

/// The first `limit` characters, all if 0. Koku's tables are not all as wide as the project table.
pub(super) fn cut(text: &str, limit: u16) -> &str {
    match text.char_indices().nth(limit.into()) {
        Some((end, _)) if limit > 0 => &text[..end],
        _ => text,
    }
}
