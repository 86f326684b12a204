//! What is left of a bill: rows that belong to some cluster, summed by all that tells them apart; sizes of disks; and what
//! the rest sums up to.

use arrow::array::RecordBatch;
use tokaki_core::rollup::{Interner, Resolution, Rollup, RollupSpec};
use tokaki_core::{Error, Result, State};

use super::costs::{COST_COLUMNS, COSTS};
use crate::cloud::verdicts::Verdicts;
use crate::line_items::aws;

/// Kept rows. Every part of a row is a multiple of its amounts, and which multiple depends on this key alone, so rows may
/// be summed before they are attributed.
pub(super) static KEPT: RollupSpec<13, 5, 0> = RollupSpec {
    keys: [
        "day",
        aws::RESOURCE_ID,
        aws::TAGS,
        "direction",
        aws::PRODUCT_CODE,
        aws::PRODUCT_FAMILY,
        aws::INSTANCE_TYPE,
        aws::ACCOUNT,
        aws::AVAILABILITY_ZONE,
        aws::REGION,
        aws::UNIT,
        aws::CURRENCY,
        aws::CATEGORY,
    ],
    sums: [
        (aws::USAGE_AMOUNT, Resolution::AMOUNTS),
        (aws::UNBLENDED_COST, Resolution::AMOUNTS),
        (aws::BLENDED_COST, Resolution::AMOUNTS),
        (aws::SAVINGS_PLAN_COST, Resolution::AMOUNTS),
        (COST_COLUMNS[3], Resolution::AMOUNTS),
    ],
    maxima: [],
};

/// What the size of a disk is computed from. What a disk does is billed under its id as well, in other units (trap 7).
pub(super) static DISKS: RollupSpec<3, 0, 2> = RollupSpec {
    keys: ["day", aws::RESOURCE_ID, aws::UNIT],
    sums: [],
    maxima: [aws::UNBLENDED_COST, aws::UNBLENDED_RATE],
};

/// Key of the costs of all rows in [`TOTALS`].
pub(super) const EVERYTHING: u32 = 0;
/// Key of the costs of rows that belong to no cluster.
pub(super) const OUT_OF_SCOPE: u32 = 1;
/// Key of the costs of kept rows that have no amortized cost because of their type (trap 9).
pub(super) const WITHOUT_AMORTIZED: u32 = 2;

/// Key of the costs of rows whose id is that of a volume without a name, and of nothing else (trap 6).
pub(super) const NAMELESS: u32 = 3;

/// Costs of some rows.
pub(super) static TOTALS: RollupSpec<1, COSTS, 0> = RollupSpec {
    keys: ["which rows"],
    sums: [
        (COST_COLUMNS[0], Resolution::AMOUNTS),
        (COST_COLUMNS[1], Resolution::AMOUNTS),
        (COST_COLUMNS[2], Resolution::AMOUNTS),
        (COST_COLUMNS[3], Resolution::AMOUNTS),
    ],
    maxima: [],
};

/// A partial result of a bill.
pub(super) struct AwsState {
    pub(super) texts: Interner,
    pub(super) kept: Rollup<13, 5, 0>,
    pub(super) disks: Rollup<3, 0, 2>,
    pub(super) totals: Rollup<1, COSTS, 0>,
    /// Whether ids and tags belong to some cluster; no part of the result.
    pub(super) ids: Verdicts,
    pub(super) tags: Verdicts,
    pub(super) nameless: Verdicts,
    pub(super) disk_ids: Verdicts,
}

impl Default for AwsState {
    fn default() -> Self {
        Self {
            texts: Interner::default(),
            kept: Rollup::new(&KEPT),
            disks: Rollup::new(&DISKS),
            totals: Rollup::new(&TOTALS),
            ids: Verdicts::default(),
            tags: Verdicts::default(),
            nameless: Verdicts::default(),
            disk_ids: Verdicts::default(),
        }
    }
}

impl State for AwsState {
    fn merge(&mut self, other: Self) -> Result<()> {
        let texts = self.texts.absorb(&other.texts);
        let text = |id: u32| texts[id as usize];
        self.kept.absorb(&other.kept, |mut key| {
            let [_, id, tags, _, rest @ ..] = &mut key;
            for part in [id, tags].into_iter().chain(rest) {
                *part = text(*part);
            }
            key
        })?;
        self.disks.absorb(&other.disks, |[day, id, unit]| [day, text(id), text(unit)])?;
        self.totals.absorb(&other.totals, |key| key)
    }

    fn encode(&self) -> Result<Vec<RecordBatch>> {
        Ok(vec![self.texts.encode()?, self.kept.encode()?, self.disks.encode()?, self.totals.encode()?])
    }

    fn decode(batches: &[RecordBatch]) -> Result<Self> {
        let [texts, kept, disks, totals] = batches else {
            return Err(Error::bug("an encoded bill has other tables than four"));
        };
        Ok(Self {
            texts: Interner::decode(texts)?,
            kept: Rollup::decode(&KEPT, kept)?,
            disks: Rollup::decode(&DISKS, disks)?,
            totals: Rollup::decode(&TOTALS, totals)?,
            ..Self::default()
        })
    }
}
