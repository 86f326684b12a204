//! The fold of label rows: distinct (bearer, grain, name, instant, kept labels).

use arrow::array::RecordBatch;
use tokaki_core::rollup::{Interner, NULL_TEXT, Rollup, RollupSpec, TextIds};
use tokaki_core::scope::{NANOSECONDS_PER_DAY, day_of_instant};
use tokaki_core::{Chunk, Error, Grain, Result, State};

use super::Bearer;
use crate::words::instant_key::{halves, whole};
use crate::words::label_sets::{LabelSets, SetIds};
use crate::words::tag_keys::TagKeys;

static ROWS: RollupSpec<6, 0, 0> =
    RollupSpec { keys: ["bearer", "grain", "name", "instant_high", "instant_low", "set"], sums: [], maxima: [] };

/// Distinct label rows.
pub(super) struct LabelRows {
    names: Interner,
    sets: LabelSets,
    rows: Rollup<6, 0, 0>,
    name_ids: TextIds,
    /// By bearer: each has a column of its own.
    set_ids: [SetIds; 2],
}

impl Default for LabelRows {
    fn default() -> Self {
        Self {
            names: Interner::default(),
            sets: LabelSets::default(),
            rows: Rollup::new(&ROWS),
            name_ids: TextIds::default(),
            set_ids: Default::default(),
        }
    }
}

/// One distinct label row. The order of the fields is the order of the handover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LabelRow<'a> {
    pub(super) bearer: Bearer,
    pub(super) name: &'a str,
    pub(super) grain: Grain,
    pub(super) instant: i64,
    pub(super) labels: &'a str,
}

impl LabelRows {
    pub(super) fn fold(
        &mut self,
        bearer: Bearer,
        [name, labels]: [&'static str; 2],
        chunk: &Chunk,
        whole_days: bool,
        keys: &TagKeys,
    ) -> Result<()> {
        let instants = chunk.instants()?.values();
        let names = self.name_ids.of(&mut self.names, chunk, name)?;
        let texts = chunk.labels(labels)?;
        let set_ids = &mut self.set_ids[bearer as usize];
        set_ids.begin(&texts);
        for ((instant, name), number) in instants.iter().zip(names).zip(texts.numbers()) {
            // Rows without a name join nothing (spec § 4).
            if *name == NULL_TEXT {
                continue;
            }
            let instant = if whole_days { i64::from(day_of_instant(*instant)) * NANOSECONDS_PER_DAY } else { *instant };
            let set = set_ids.set_of(*number, &texts, keys, &mut self.sets);
            let set = set.map_err(|error| error.column(labels))?;
            let [high, low] = halves(instant);
            self.rows.group([bearer as u32, chunk.table.grain as u32, *name, high, low, set]);
        }
        Ok(())
    }

    pub(super) fn rows(&self) -> Vec<LabelRow<'_>> {
        let row = |key: &[u32; 6]| LabelRow {
            bearer: if key[0] == Bearer::Node as u32 { Bearer::Node } else { Bearer::Namespace },
            grain: if key[1] == Grain::Hourly as u32 { Grain::Hourly } else { Grain::Daily },
            name: self.names.text(key[2]).unwrap_or_default(),
            instant: whole([key[3], key[4]]),
            labels: self.sets.canonical(key[5]),
        };
        self.rows.keys().iter().map(row).collect()
    }
}

impl State for LabelRows {
    fn merge(&mut self, other: Self) -> Result<()> {
        let names = self.names.absorb(&other.names);
        let sets = self.sets.absorb(&other.sets);
        self.rows.absorb(&other.rows, |[bearer, grain, name, high, low, set]| {
            [bearer, grain, names[name as usize], high, low, sets[set as usize]]
        })
    }

    fn encode(&self) -> Result<Vec<RecordBatch>> {
        Ok(vec![self.names.encode()?, self.sets.encode()?, self.rows.encode()?])
    }

    fn decode(batches: &[RecordBatch]) -> Result<Self> {
        let [names, sets, rows] = batches else {
            return Err(Error::bug("an encoded label state has other tables than three"));
        };
        Ok(Self {
            names: Interner::decode(names)?,
            sets: LabelSets::decode(sets)?,
            rows: Rollup::decode(&ROWS, rows)?,
            ..Self::default()
        })
    }
}
