//! `reporting_ocpawstags_summary`, `reporting_ocpawstags_values` and `reporting_ocpawscategory_summary`: which keys and
//! values there are, for lists to choose from (ocp-on-aws § 10.4). Rows have no day and are united with those of earlier
//! runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use hashbrown::HashSet;
use tokaki_core::{Bill, Condition, Error, FieldKind, Index, Output, Result, Table, Union};

use super::columns::{Seen, field, required};
use super::ocp_on_aws_derived::ALIAS;
use super::ocp_on_aws_project::{ACCOUNT, AccountAliases, Row, TextOf};
use super::row_id::RowIds;
use crate::words::label_map::LabelMap;

/// Keys of tags with their values, by bill, report period, account, namespace and node.
static TAGS: Table = Table {
    name: "reporting_ocpawstags_summary",
    fields: &[
        required("uuid", FieldKind::Uuid),
        required("key", FieldKind::Text(253)),
        required("values", FieldKind::Texts(0)),
        required(BILL, FieldKind::Integer),
        required(PERIOD, FieldKind::Integer),
        field(ACCOUNT, FieldKind::Text(50)),
        field(ALIAS, FieldKind::Integer),
        required("namespace", FieldKind::Text(0)),
        field("node", FieldKind::Text(0)),
    ],
    day_field: None,
    primary_key: &["uuid"],
    indexes: &[],
    headline: &["key", "namespace", "node"],
};

/// Values of tags, with all who have them.
static VALUES: Table = Table {
    name: "reporting_ocpawstags_values",
    fields: &[
        required("uuid", FieldKind::Uuid),
        required("key", FieldKind::Text(0)),
        required("value", FieldKind::Text(0)),
        required("usage_account_ids", FieldKind::Texts(0)),
        required("account_aliases", FieldKind::Texts(0)),
        required("cluster_ids", FieldKind::Texts(0)),
        required("cluster_aliases", FieldKind::Texts(0)),
        required("namespaces", FieldKind::Texts(0)),
        field("nodes", FieldKind::Texts(0)),
    ],
    day_field: None,
    primary_key: &["uuid"],
    indexes: &[Index::Ordered("key")],
    headline: &["key", "value", "cluster_ids", "namespaces"],
};

/// Keys of cost categories with their values, by bill and account.
static CATEGORIES: Table = Table {
    name: "reporting_ocpawscategory_summary",
    fields: &[
        required("uuid", FieldKind::Uuid),
        required("key", FieldKind::Text(0)),
        required("values", FieldKind::Texts(0)),
        required(BILL, FieldKind::Integer),
        field(ACCOUNT, FieldKind::Text(0)),
        field(ALIAS, FieldKind::Integer),
    ],
    day_field: None,
    primary_key: &["uuid"],
    indexes: &[],
    headline: &["key", ACCOUNT],
};

const BILL: &str = "cost_entry_bill_id";
const PERIOD: &str = "report_period_id";
/// Lists of [`VALUES`], in their order.
const HOLDERS: [&str; 6] =
    ["usage_account_ids", "account_aliases", "cluster_ids", "cluster_aliases", "namespaces", "nodes"];

/// The outputs of a bill. Categories are left alone if it is not known which are enabled.
pub fn outputs(bill: &Bill) -> Vec<Output> {
    let of_bill = || vec![Condition::IntegerEquals(BILL, bill.id)];
    let output = |table: &'static Table, owned, key, lists, only: &[String]| {
        let written: Vec<&str> = table.fields.iter().map(|field| field.name).collect();
        Output::to_table(table, &written, owned).united(Union { key, lists, only: ("key", only.to_vec()) })
    };
    let enabled = &bill.enabled_tag_keys;
    let tags = output(&TAGS, of_bill(), &["key", PERIOD, ACCOUNT, "namespace", "node"], &["values"], enabled);
    let values = output(&VALUES, Vec::new(), &["key", "value"], &HOLDERS, enabled);
    let categories = bill.enabled_category_keys.as_ref();
    let categories = categories.map(|enabled| output(&CATEGORIES, of_bill(), &["key", ACCOUNT], &["values"], enabled));
    [tags, values].into_iter().chain(categories).collect()
}

/// A list of texts: each once, in byte order, null last.
#[derive(Default)]
struct List<'a>(BTreeSet<(bool, Option<&'a str>)>);

impl<'a> List<'a> {
    fn add(&mut self, text: Option<&'a str>) {
        self.0.insert((text.is_none(), text));
    }

    fn json(&self) -> String {
        let texts: Vec<_> = self.0.iter().map(|(_, text)| text).collect();
        serde_json::to_string(&texts).expect("texts are JSON")
    }
}

/// Key, report period, account, namespace and node of values.
type TagGroup<'a> = (&'a str, i32, Option<&'a str>, &'a str, Option<&'a str>);

/// The rows of each of [`outputs`], from those that each cluster of the bill has in the project table.
///
/// # Errors
/// `Label` for a cost category that is no flat JSON object.
pub fn batches(of_clusters: &[Vec<Row<'_>>], bill: &Bill, aliases: &AccountAliases<'_>) -> Result<Vec<RecordBatch>> {
    let outputs = outputs(bill);
    let [tags, values, categories @ ..] = outputs.as_slice() else { return Err(Error::bug("a summary is missing")) };
    let mut batches = tag_batches(tags, values, of_clusters, bill, aliases)?;
    if let ([categories], Some(enabled)) = (categories, &bill.enabled_category_keys) {
        batches.push(category_batch(categories, enabled, of_clusters, bill, aliases)?);
    }
    Ok(batches)
}

fn tag_batches(
    tags: &Output,
    values: &Output,
    of_clusters: &[Vec<Row<'_>>],
    bill: &Bill,
    aliases: &AccountAliases<'_>,
) -> Result<Vec<RecordBatch>> {
    // What Koku maps child keys to is not in this summary: it is made before.
    let mut maps = BTreeMap::new();
    for labels in of_clusters.iter().flatten().filter_map(|row| row.text("pod_labels")) {
        if !maps.contains_key(labels) {
            let mut map = LabelMap::from_canonical(labels)?;
            map.retain(|key| bill.enabled_tag_keys.iter().any(|enabled| enabled == key));
            maps.insert(labels, map);
        }
    }
    let mut groups: BTreeMap<TagGroup<'_>, List<'_>> = BTreeMap::new();
    let mut holders: BTreeMap<(&str, &str), [List<'_>; HOLDERS.len()]> = BTreeMap::new();
    let places = ["namespace", "node", ACCOUNT, "pod_labels"].map(TextOf::named);
    for (cluster, rows) in bill.clusters.iter().zip(of_clusters) {
        let reference = &cluster.reference;
        let mut seen = HashSet::new();
        for row in rows {
            let texts = places.map(|place| place.and_then(|place| row.text_of(place)));
            // Koku's tables take no tags of rows without namespace. Many rows have the same of everything.
            let [Some(namespace), node, account, Some(labels)] = texts else { continue };
            if !seen.insert(texts.map(Seen::of)) {
                continue;
            }
            let pairs = maps.get(labels).into_iter().flat_map(LabelMap::pairs);
            for (key, value) in pairs.filter_map(|(key, value)| Some((key, value?))) {
                let group = (key, reference.report_period_id, account, namespace, node);
                groups.entry(group).or_default().add(Some(value));
                let lists = holders.entry((key, value)).or_default();
                let texts = [
                    account,
                    aliases.name_of(account),
                    Some(reference.cluster_id.as_str()),
                    Some(reference.cluster_alias.as_str()),
                    Some(namespace),
                    node,
                ];
                lists.iter_mut().zip(texts).for_each(|(list, text)| list.add(text));
            }
        }
    }
    let mut ids = RowIds::default();
    let mut id = |(key, period, account, namespace, node): &TagGroup<'_>| {
        let (bill, period) = (bill.id.to_string(), period.to_string());
        ids.next(&[Some(TAGS.name), Some(&bill), Some(&period), Some(key), *account, Some(namespace), *node])
            .to_string()
    };
    let rows = groups.len();
    let of_tags: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(groups.keys().map(&mut id))),
        Arc::new(StringArray::from_iter_values(groups.keys().map(|group| group.0))),
        Arc::new(StringArray::from_iter_values(groups.values().map(List::json))),
        Arc::new(Int32Array::from(vec![bill.id; rows])),
        Arc::new(Int32Array::from_iter_values(groups.keys().map(|group| group.1))),
        Arc::new(groups.keys().map(|group| group.2).collect::<StringArray>()),
        Arc::new(groups.keys().map(|group| aliases.of(group.2)).collect::<Int32Array>()),
        Arc::new(StringArray::from_iter_values(groups.keys().map(|group| group.3))),
        Arc::new(groups.keys().map(|group| group.4).collect::<StringArray>()),
    ];
    let mut ids = RowIds::default();
    let mut id = |(key, value): &(&str, &str)| ids.next(&[Some(VALUES.name), Some(key), Some(value)]).to_string();
    let mut of_values: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(holders.keys().map(&mut id))),
        Arc::new(StringArray::from_iter_values(holders.keys().map(|(key, _)| key))),
        Arc::new(StringArray::from_iter_values(holders.keys().map(|(_, value)| value))),
    ];
    for list in 0..HOLDERS.len() {
        of_values.push(Arc::new(StringArray::from_iter_values(holders.values().map(|lists| lists[list].json()))));
    }
    Ok(vec![batch(tags, of_tags)?, batch(values, of_values)?])
}

fn category_batch(
    output: &Output,
    enabled: &[String],
    of_clusters: &[Vec<Row<'_>>],
    bill: &Bill,
    aliases: &AccountAliases<'_>,
) -> Result<RecordBatch> {
    const CATEGORY: &str = "aws_cost_category";
    let distinct: BTreeSet<_> =
        of_clusters.iter().flatten().map(|row| (row.text(CATEGORY), row.text(ACCOUNT))).collect();
    let mut maps: Vec<(Option<&str>, LabelMap)> = Vec::new();
    for (category, account) in distinct {
        let keep = |key: &str| enabled.iter().any(|known| known == key);
        let map = LabelMap::filtered(category, keep).map_err(|error| error.column(CATEGORY))?;
        maps.push((account, map));
    }
    let mut groups: BTreeMap<(&str, Option<&str>), List<'_>> = BTreeMap::new();
    for (account, map) in &maps {
        for (key, value) in map.pairs() {
            groups.entry((key, *account)).or_default().add(value);
        }
    }
    let mut ids = RowIds::default();
    let mut id = |(key, account): &(&str, Option<&str>)| {
        ids.next(&[Some(CATEGORIES.name), Some(&bill.id.to_string()), Some(key), *account]).to_string()
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(groups.keys().map(&mut id))),
        Arc::new(StringArray::from_iter_values(groups.keys().map(|(key, _)| key))),
        Arc::new(StringArray::from_iter_values(groups.values().map(List::json))),
        Arc::new(Int32Array::from(vec![bill.id; groups.len()])),
        Arc::new(groups.keys().map(|(_, account)| *account).collect::<StringArray>()),
        Arc::new(groups.keys().map(|(_, account)| aliases.of(*account)).collect::<Int32Array>()),
    ];
    batch(output, columns)
}

fn batch(output: &Output, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    RecordBatch::try_new(output.schema(), columns).map_err(|error| Error::bug(error.to_string()))
}
