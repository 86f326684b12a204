//! Parts summed to the rows of the project table (ocp-on-aws § 8, § 9).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::RecordBatch;
use tokaki_core::rollup::{Interner, NULL_TEXT, Resolution, Rollup, RollupSpec};
use tokaki_core::{Bill, Result, Scope};

use super::costs::COSTS;
use super::network::Direction;
use super::state::AwsState;
use crate::cloud::part::{Part, PartTags};
use crate::cloud::tag_mapping::Mapping;
use crate::cloud::tags::Keys;
use crate::cloud::tenant::DataSource;
use crate::summaries::ocp_on_aws_derived::About;
use crate::summaries::ocp_on_aws_project::{self, AMOUNTS, AccountAliases, Row};
use crate::summaries::{ocp_all, ocp_infrastructure, ocp_on_aws_keys, ocp_on_aws_ui};
use crate::words::label_map::LabelMap;
use crate::words::tag_keys::VM_NAME;

/// The group of § 9. All but the first three and the last are texts; a category is its number and one, 0 if there is none.
static ROWS: RollupSpec<21, { AMOUNTS.len() }, 0> = RollupSpec {
    keys: [
        "day",
        "cluster",
        "data_source",
        "data_transfer_direction",
        "cost_category_id",
        "namespace",
        "node",
        "persistentvolumeclaim",
        "persistentvolume",
        "storageclass",
        "resource_id",
        "product_code",
        "product_family",
        "instance_type",
        "usage_account_id",
        "availability_zone",
        "region",
        "unit",
        "currency_code",
        "aws_cost_category",
        "enabled_tags",
    ],
    sums: {
        let mut sums = [("", Resolution::AMOUNTS); AMOUNTS.len()];
        let mut position = 0;
        while position < sums.len() {
            sums[position].0 = AMOUNTS[position];
            position += 1;
        }
        sums
    },
    maxima: [],
};

/// Number of leading keys that are no texts.
const NUMBERS: usize = 5;
/// Position of the product code.
const PRODUCT: usize = 11;
const TEXTS: usize = 16;

/// The rows of a window.
pub(super) struct DailyTable<'a> {
    keys: &'a Keys,
    state: &'a AwsState,
    markup: f64,
    /// Texts of the tenant, with their ids, and then the others.
    texts: Interner,
    /// Ids of the state's texts, translated.
    of_state: Vec<u32>,
    rows: Rollup<21, { AMOUNTS.len() }, 0>,
    /// Tags of the bill that are seen, by text of the state.
    seen: HashMap<u32, Option<LabelMap>>,
    /// Output tags, by text of the state and of the labels below.
    output_tags: HashMap<(u32, PartTags), u32>,
}

impl<'a> DailyTable<'a> {
    pub(super) fn new(mut texts: Interner, state: &'a AwsState, keys: &'a Keys, markup: f64) -> Self {
        let of_state = texts.absorb(&state.texts);
        Self {
            keys,
            state,
            markup,
            texts,
            of_state,
            rows: Rollup::new(&ROWS),
            seen: HashMap::new(),
            output_tags: HashMap::new(),
        }
    }

    /// The text of labels laid over each other, the later ones winning.
    ///
    /// # Errors
    /// `Bug` if a text is not canonical.
    pub(super) fn merged_labels(&mut self, labels: &[&str]) -> Result<u32> {
        Ok(self.texts.id(&LabelMap::merged(labels)?))
    }

    /// Adds a part of the kept row `key` of these amounts.
    ///
    /// # Errors
    /// `Label` for tags that are no flat JSON object, `Type` for a sum that is too large.
    pub(super) fn add(
        &mut self,
        key: &[u32; 13],
        part: &Part,
        usage: Option<f64>,
        costs: [Option<f64>; COSTS],
    ) -> Result<()> {
        let [day, id, tags, direction, product, family, instance, account, zone, region, unit, currency, category] =
            *key;
        let direction = if part.has_direction { direction } else { 0 };
        let tags = self.tags(tags, part.tags)?;
        let text = |id: u32| self.of_state[id as usize];
        let id = if self.state.texts.text(id) == Some("") { NULL_TEXT } else { text(id) };
        let [claim, volume, class] = part.volume;
        let group = [
            day,
            part.cluster as u32,
            part.data_source as u32,
            direction,
            part.cost_category.map_or(0, |id| id.wrapping_add(1) as u32),
            part.namespace,
            part.node,
            claim,
            volume,
            class,
            id,
            text(product),
            text(family),
            text(instance),
            text(account),
            text(zone),
            text(region),
            text(unit),
            text(currency),
            if part.has_category { text(category) } else { NULL_TEXT },
            tags,
        ];
        let share =
            |value: Option<f64>, share: Option<f64>| value.zip(share).map_or(f64::NAN, |(value, share)| share * value);
        let usage = share(usage, part.of_usage);
        let in_direction = |wanted: Direction| if direction == wanted as u32 { usage } else { 0.0 };
        let mut amounts =
            [usage, in_direction(Direction::In), in_direction(Direction::Out), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        for (pair, cost) in amounts[3..].chunks_mut(2).zip(costs) {
            let cost = share(cost, part.of_costs);
            pair.copy_from_slice(&[cost, cost * self.markup]);
        }
        let group = self.rows.group(group);
        self.rows.add_each(&[group], |_| amounts)
    }

    /// Whether the output tags of a part lack the virtual machine's name only because no key is enabled (trap 12).
    ///
    /// # Errors
    /// As for [`DailyTable::add`].
    pub(super) fn drops_virtual_machine(&mut self, tags: u32, of_part: PartTags) -> Result<bool> {
        if !self.keys.drop_virtual_machine() {
            return Ok(false);
        }
        Ok(self.overlaid(tags, of_part)?.is_some_and(|tags| tags.value(VM_NAME).is_some()))
    }

    /// The id of the tags that are output.
    fn tags(&mut self, tags: u32, of_part: PartTags) -> Result<u32> {
        if let Some(known) = self.output_tags.get(&(tags, of_part)) {
            return Ok(*known);
        }
        let output = match self.overlaid(tags, of_part)? {
            Some(mut output) => {
                self.keys.retain_output(&mut output);
                self.texts.id(&output.canonical())
            }
            None => NULL_TEXT,
        };
        self.output_tags.insert((tags, of_part), output);
        Ok(output)
    }

    /// The bill's tags over the labels of a part; null if either is.
    fn overlaid(&mut self, tags: u32, of_part: PartTags) -> Result<Option<LabelMap>> {
        if !self.seen.contains_key(&tags) {
            self.seen.insert(tags, self.keys.seen(self.state.texts.text(tags))?);
        }
        let of_bill = self.seen.get(&tags).and_then(Option::as_ref);
        let below = match of_part {
            PartTags::Null => None,
            PartTags::OfBill => Some(LabelMap::default()),
            PartTags::OverLabels(labels) => self.texts.text(labels).map(LabelMap::from_canonical).transpose()?,
        };
        Ok(below.zip(of_bill).map(|(mut below, of_bill)| {
            below.overlay(of_bill);
            below
        }))
    }

    /// Rows that Koku's own table does not take: those without product code or account (§ 9). By day, cluster and
    /// resource id, with the number of rows.
    pub(super) fn without_required(&self) -> BTreeMap<(i32, usize, Option<&str>), usize> {
        let mut without = BTreeMap::new();
        for [day, cluster, _, _, _, _, _, _, _, _, id, product, _, _, account, ..] in self.rows.keys() {
            if [product, account].contains(&&NULL_TEXT) {
                let place = (*day as i32, *cluster as usize, self.texts.text(*id));
                *without.entry(place).or_default() += 1;
            }
        }
        without
    }

    /// Product codes that Koku's tables of all clouds do not take whole (§ 10.3), with the number of rows.
    pub(super) fn long_product_codes(&self) -> BTreeMap<&str, usize> {
        let mut long = BTreeMap::new();
        let codes = self.rows.keys().iter().filter_map(|key| self.texts.text(key[PRODUCT]));
        for code in codes.filter(|code| code.chars().count() > usize::from(ocp_all::PRODUCT_CODE)) {
            *long.entry(code).or_default() += 1;
        }
        long
    }

    /// Tags that hold child keys, under those of their parents.
    fn mapped_tags(&self, bill: &Bill) -> Result<HashMap<u32, String>> {
        let mapping = Mapping::new(&bill.tag_mappings);
        let mut mapped = HashMap::new();
        let tags: BTreeSet<u32> = self.rows.keys().iter().map(|key| key[NUMBERS + TEXTS - 1]).collect();
        for tags in tags {
            if let Some(text) = self.texts.text(tags)
                && let Some(map) = mapping.of(&LabelMap::from_canonical(text)?)
            {
                mapped.insert(tags, map.canonical());
            }
        }
        Ok(mapped)
    }

    /// The rows of each cluster, sorted by day and key, and those of the tables that are derived from them.
    ///
    /// # Errors
    /// `Type` for values that do not fit.
    pub(super) fn batches(&self, scope: &Scope, bill: &Bill, derived: bool) -> Result<Vec<RecordBatch>> {
        let ranks = self.texts.ranks();
        let ranked = |key: &[u32; 21]| {
            let mut ranked = *key;
            ranked[NUMBERS..].iter_mut().for_each(|text| *text = ranks[*text as usize]);
            ranked
        };
        let mut sorted: Vec<_> = self.rows.keys().iter().enumerate().map(|(row, key)| (ranked(key), row)).collect();
        sorted.sort_unstable();
        let tags = self.mapped_tags(bill)?;
        let mut of_clusters: BTreeMap<usize, Vec<Row<'_>>> =
            (0..bill.clusters.len()).map(|it| (it, Vec::new())).collect();
        for (_, row) in sorted {
            let row = self.rows.row(row);
            let [day, cluster, data_source, direction, category, texts @ ..] = row.key;
            let texts: [u32; TEXTS] = texts;
            of_clusters.entry(cluster as usize).or_default().push(Row {
                day: day as i32,
                data_source: if data_source == DataSource::Pod as u32 { "Pod" } else { "Storage" },
                direction: match direction {
                    0 => None,
                    direction if direction == Direction::In as u32 => Some("IN"),
                    _ => Some("OUT"),
                },
                cost_category_id: (category != 0).then(|| (category as i32).wrapping_sub(1)),
                tags: tags.get(&texts[TEXTS - 1]).map(String::as_str).or(self.texts.text(texts[TEXTS - 1])),
                texts: texts.map(|text| self.texts.text(text)),
                amounts: std::array::from_fn(|index| row.sum(index).map(|sum| Resolution::AMOUNTS.value(sum.0))),
            });
        }
        let aliases = AccountAliases::new(bill);
        let mut batches = Vec::new();
        let of_clusters: Vec<_> = of_clusters.into_values().collect();
        for (cluster, rows) in bill.clusters.iter().zip(&of_clusters) {
            batches.push(ocp_on_aws_project::batch(rows, scope, bill, cluster, &aliases)?);
            if derived {
                let about = About { scope, cluster, aliases: &aliases };
                for table in ocp_on_aws_ui::TABLES.iter().chain(&ocp_all::TABLES) {
                    batches.push(table.batch(rows, about)?);
                }
                batches.push(ocp_infrastructure::batch(rows, cluster)?);
            }
        }
        if derived {
            batches.extend(ocp_on_aws_keys::batches(&of_clusters, bill, &aliases)?);
        }
        Ok(batches)
    }
}
