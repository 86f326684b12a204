//! What is left of GPU line items.

use arrow::array::RecordBatch;
use tokaki_core::rollup::{Interner, Rollup, RollupSpec, TextIds};
use tokaki_core::scope::day_of_instant;
use tokaki_core::{Chunk, Error, Result, State};

use crate::line_items::gpu_usage;

/// `mig_strategy` is in the key because its maximum is one of texts; a group rarely has two.
static GPUS: RollupSpec<9, 0, 4> = RollupSpec {
    keys: [
        "day",
        gpu_usage::NAMESPACE,
        gpu_usage::NODE,
        gpu_usage::VENDOR,
        gpu_usage::MODEL,
        gpu_usage::MIG_PROFILE,
        gpu_usage::MIG_INSTANCE,
        gpu_usage::GPU_UUID,
        gpu_usage::MIG_STRATEGY,
    ],
    sums: [],
    maxima: [gpu_usage::MEMORY_MIB, gpu_usage::MIG_MEMORY_MIB, gpu_usage::MIG_SLICES, gpu_usage::MAX_SLICES],
};

/// Positions in [`GPUS`]'s maxima.
pub(super) const MEMORY: usize = 0;
pub(super) const MIG_MEMORY: usize = 1;
pub(super) const MIG_SLICES: usize = 2;
pub(super) const MAX_SLICES: usize = 3;

/// Number of text columns in the key: all but the day.
const TEXTS: usize = 8;

/// A partial result of GPUs.
pub(super) struct GpuState {
    texts: Interner,
    gpus: Rollup<9, 0, 4>,
    columns: [TextIds; TEXTS],
}

/// One group: a GPU, or part of one, in a namespace on a day.
pub(super) struct Group<'a> {
    pub(super) day: i32,
    /// Namespace, node, vendor, model, profile, instance, uuid.
    pub(super) texts: [Option<&'a str>; TEXTS - 1],
    pub(super) mig_strategy: Option<&'a str>,
    pub(super) maxima: [Option<f64>; 4],
}

impl Default for GpuState {
    fn default() -> Self {
        Self { texts: Interner::default(), gpus: Rollup::new(&GPUS), columns: Default::default() }
    }
}

impl GpuState {
    pub(super) fn fold(&mut self, chunk: &Chunk) -> Result<()> {
        let instants = chunk.instants()?.values();
        let mut ids: Vec<&[u32]> = Vec::with_capacity(TEXTS);
        for (column, name) in self.columns.iter_mut().zip(&GPUS.keys[1..]) {
            ids.push(column.of(&mut self.texts, chunk.column(name)?)?);
        }
        let mut maxima = Vec::with_capacity(GPUS.maxima.len());
        for name in GPUS.maxima {
            maxima.push(chunk.numbers(name)?);
        }
        let mut groups = Vec::with_capacity(instants.len());
        for (row, instant) in instants.iter().enumerate() {
            let mut key = [day_of_instant(*instant) as u32; TEXTS + 1];
            for (part, ids) in key[1..].iter_mut().zip(&ids) {
                *part = ids[row];
            }
            groups.push(self.gpus.group(key));
        }
        self.gpus.raise_each(&groups, |row| std::array::from_fn(|index| maxima[index].number(row)))
    }

    /// The groups, sorted by day and texts.
    pub(super) fn groups(&self) -> Vec<Group<'_>> {
        let mut rows: Vec<_> = self.gpus.rows().collect();
        let ranks = self.texts.ranks();
        let ranked = |key: [u32; 9]| {
            let mut ranked = key;
            ranked[1..].iter_mut().for_each(|text| *text = ranks[*text as usize]);
            ranked
        };
        rows.sort_unstable_by_key(|row| ranked(row.key));
        rows.chunk_by(|left, right| left.key[..TEXTS] == right.key[..TEXTS])
            .map(|rows| {
                let maximum = |index| {
                    let values = rows.iter().filter_map(|row| row.maximum(index));
                    values.max_by(f64::total_cmp)
                };
                // The largest strategy sorts last.
                let key = rows[rows.len() - 1].key;
                Group {
                    day: key[0] as i32,
                    texts: std::array::from_fn(|index| self.texts.text(key[index + 1])),
                    mig_strategy: self.texts.text(key[TEXTS]),
                    maxima: std::array::from_fn(maximum),
                }
            })
            .collect()
    }
}

impl State for GpuState {
    fn merge(&mut self, other: Self) -> Result<()> {
        let texts = self.texts.absorb(&other.texts);
        self.gpus.absorb(&other.gpus, |mut key| {
            key[1..].iter_mut().for_each(|text| *text = texts[*text as usize]);
            key
        })
    }

    fn encode(&self) -> Result<Vec<RecordBatch>> {
        Ok(vec![self.texts.encode()?, self.gpus.encode()?])
    }

    fn decode(batches: &[RecordBatch]) -> Result<Self> {
        let [texts, gpus] = batches else {
            return Err(Error::bug("an encoded GPU state has other tables than two"));
        };
        Ok(Self { texts: Interner::decode(texts)?, gpus: Rollup::decode(&GPUS, gpus)?, ..Self::default() })
    }
}
