//! From line items to kept rows and sizes of disks.

use tokaki_core::chunk::{Numbers, Texts};
use tokaki_core::rollup::NO_GROUP;
use tokaki_core::scope::day_of_instant;
use tokaki_core::{Chunk, Grain, Result};

use super::costs::{Billed, costs, is_without_amortized};
use super::network::direction;
use super::sides::Sides;
use super::state::{AwsState, EVERYTHING, NAMELESS, OUT_OF_SCOPE, WITHOUT_AMORTIZED};
use crate::line_items::aws;

/// What the tags and category of a row are if the column is empty.
const NOTHING: &str = "{}";

impl AwsState {
    /// Sums rows that may belong to a cluster by their key, and all others in one.
    pub(super) fn fold_rows(&mut self, chunk: &Chunk, sides: &Sides) -> Result<()> {
        let columns = Columns::of(chunk)?;
        let instants = chunk.instants()?.values();
        let [everything, out_of_scope, without_amortized, nameless] =
            [EVERYTHING, OUT_OF_SCOPE, WITHOUT_AMORTIZED, NAMELESS].map(|rows| self.totals.group([rows]));
        let [mut groups, mut left, mut lost] = [const { Vec::new() }; 3];
        for (row, instant) in instants.iter().enumerate() {
            let (id, tags) = (text(columns.id, row), object(columns.tags, row));
            let kept = self.ids.of(id, |id| Ok(sides.is_any_id(id)))?
                || self.tags.of(tags, |tags| sides.are_any_tags(tags)).map_err(|error| error.column(aws::TAGS))?;
            groups.push(if kept {
                let key = self.key(day_of_instant(*instant), id, tags, &columns, row);
                self.kept.group(key)
            } else {
                NO_GROUP
            });
            let is_nameless = self.nameless.of(id, |id| Ok(sides.is_nameless(id)))?;
            lost.push(if is_nameless { nameless } else { NO_GROUP });
            left.push(match columns.line_item_type.text(row) {
                _ if !kept => out_of_scope,
                kind if is_without_amortized(kind) => without_amortized,
                _ => NO_GROUP,
            });
        }
        let costs = |row| columns.costs(row);
        self.kept.add_each(&groups, |row| {
            let [unblended, blended, savings_plan, amortized] = costs(row);
            [number(columns.usage, row, columns.derived), unblended, blended, savings_plan, amortized]
        })?;
        self.totals.add_each(&left, costs)?;
        self.totals.add_each(&lost, costs)?;
        groups.fill(everything);
        self.totals.add_each(&groups, costs)
    }

    fn key(&mut self, day: i32, id: Option<&str>, tags: Option<&str>, columns: &Columns<'_>, row: usize) -> [u32; 13] {
        let of = |column| non_empty(column, row);
        let direction = direction(
            of(columns.product_code),
            of(columns.product_family),
            of(columns.usage_type),
            of(columns.operation),
        );
        // What the marketplace sells has a code that says nothing.
        let of_marketplace = columns.billing_entity.text(row) == Some("AWS Marketplace");
        let product = if of_marketplace { of(columns.product_name) } else { None }.or_else(|| of(columns.product_code));
        let texts = [
            product,
            of(columns.product_family),
            of(columns.instance_type),
            // An empty account stays empty.
            text(columns.account, row),
            of(columns.zone),
            of(columns.region),
            of(columns.unit),
            of(columns.currency),
            object(columns.category, row),
        ];
        let mut key = [0; 13];
        let [own_day, own_id, own_tags, own_direction, own_texts @ ..] = &mut key;
        *own_day = day as u32;
        *own_id = self.texts.optional_id(id);
        *own_tags = self.texts.optional_id(tags);
        *own_direction = direction.map_or(0, |direction| direction as u32);
        for (own, text) in own_texts.iter_mut().zip(texts) {
            *own = self.texts.optional_id(text);
        }
        key
    }

    /// Hourly maxima of cost and rate, of ids that volumes have (§ 6).
    pub(super) fn fold_disks(&mut self, chunk: &Chunk, sides: &Sides) -> Result<()> {
        let (ids, units) = (chunk.texts(aws::RESOURCE_ID)?, chunk.texts(aws::UNIT)?);
        let (costs, rates) = (chunk.numbers(aws::UNBLENDED_COST)?, chunk.numbers(aws::UNBLENDED_RATE)?);
        let mut groups = Vec::new();
        for (row, instant) in chunk.instants()?.values().iter().enumerate() {
            let id = text(ids, row);
            groups.push(if self.disk_ids.of(id, |id| Ok(sides.is_disk(id)))? {
                let [id, unit] = [id, units.text(row)].map(|text| self.texts.optional_id(text));
                self.disks.group([day_of_instant(*instant) as u32, id, unit])
            } else {
                NO_GROUP
            });
        }
        self.disks.raise_each(&groups, |row| [number(costs, row, false), number(rates, row, false)])
    }
}

/// A text column where the empty text means nothing (§ 5).
fn non_empty(column: Texts<'_>, row: usize) -> Option<&str> {
    column.text(row).filter(|text| !text.is_empty())
}

/// A text column where nothing means the empty text (§ 2.1).
fn text(column: Texts<'_>, row: usize) -> Option<&str> {
    if column.exists() { column.text(row) } else { Some("") }
}

/// A column of JSON objects, where nothing and the empty text mean an object without pairs (§ 2.1).
fn object(column: Texts<'_>, row: usize) -> Option<&str> {
    text(column, row).map(|text| if text.is_empty() { NOTHING } else { text })
}

/// A number column where nothing means 0 (§ 2.1). Where the daily row is derived, null counts as 0 too.
fn number(column: Numbers<'_>, row: usize, derived: bool) -> f64 {
    if column.exists() { column.daily(row, derived) } else { 0.0 }
}

/// Columns of the daily rows.
struct Columns<'a> {
    derived: bool,
    id: Texts<'a>,
    tags: Texts<'a>,
    category: Texts<'a>,
    product_code: Texts<'a>,
    product_name: Texts<'a>,
    billing_entity: Texts<'a>,
    product_family: Texts<'a>,
    instance_type: Texts<'a>,
    region: Texts<'a>,
    zone: Texts<'a>,
    unit: Texts<'a>,
    currency: Texts<'a>,
    account: Texts<'a>,
    line_item_type: Texts<'a>,
    usage_type: Texts<'a>,
    operation: Texts<'a>,
    usage: Numbers<'a>,
    unblended: Numbers<'a>,
    blended: Numbers<'a>,
    savings_plan: Numbers<'a>,
}

impl<'a> Columns<'a> {
    fn of(chunk: &'a Chunk) -> Result<Self> {
        Ok(Self {
            derived: chunk.table.grain == Grain::Hourly,
            id: chunk.texts(aws::RESOURCE_ID)?,
            tags: chunk.texts(aws::TAGS)?,
            category: chunk.texts(aws::CATEGORY)?,
            product_code: chunk.texts(aws::PRODUCT_CODE)?,
            product_name: chunk.texts(aws::PRODUCT_NAME)?,
            billing_entity: chunk.texts(aws::BILLING_ENTITY)?,
            product_family: chunk.texts(aws::PRODUCT_FAMILY)?,
            instance_type: chunk.texts(aws::INSTANCE_TYPE)?,
            region: chunk.texts(aws::REGION)?,
            zone: chunk.texts(aws::AVAILABILITY_ZONE)?,
            unit: chunk.texts(aws::UNIT)?,
            currency: chunk.texts(aws::CURRENCY)?,
            account: chunk.texts(aws::ACCOUNT)?,
            line_item_type: chunk.texts(aws::LINE_ITEM_TYPE)?,
            usage_type: chunk.texts(aws::USAGE_TYPE)?,
            operation: chunk.texts(aws::OPERATION)?,
            usage: chunk.numbers(aws::USAGE_AMOUNT)?,
            unblended: chunk.numbers(aws::UNBLENDED_COST)?,
            blended: chunk.numbers(aws::BLENDED_COST)?,
            savings_plan: chunk.numbers(aws::SAVINGS_PLAN_COST)?,
        })
    }

    fn costs(&self, row: usize) -> [f64; 4] {
        let cost = |column| number(column, row, self.derived);
        let billed = Billed {
            unblended: cost(self.unblended),
            blended: cost(self.blended),
            savings_plan: cost(self.savings_plan),
        };
        costs(self.line_item_type.text(row), billed)
    }
}
