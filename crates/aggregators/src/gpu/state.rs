//! What is left of GPU line items.

use tokaki_core::rollup::{ByDay, DayRollup, RollupSpec};

use crate::line_items::gpu_usage;

/// By what GPUs are grouped. `mig_strategy` is in the key because its maximum is one of texts; a group rarely has two.
pub(super) struct Gpus;

impl ByDay<9, 0, 4> for Gpus {
    const SPEC: &'static RollupSpec<9, 0, 4> = &RollupSpec {
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
}

/// A partial result of GPUs.
pub(super) type GpuState = DayRollup<Gpus, 9, 0, 4>;

/// Positions among the maxima.
pub(super) const MEMORY: usize = 0;
pub(super) const MIG_MEMORY: usize = 1;
pub(super) const MIG_SLICES: usize = 2;
pub(super) const MAX_SLICES: usize = 3;

/// Texts of a group: all but the strategy.
const TEXTS: usize = 7;

/// One group: a GPU, or part of one, in a namespace on a day.
pub(super) struct Group<'a> {
    pub(super) day: i32,
    /// Namespace, node, vendor, model, profile, instance, uuid.
    pub(super) texts: [Option<&'a str>; TEXTS],
    pub(super) mig_strategy: Option<&'a str>,
    pub(super) maxima: [Option<f64>; 4],
}

/// The groups, sorted by day and texts.
pub(super) fn groups(state: &GpuState) -> Vec<Group<'_>> {
    let rows = state.rows();
    rows.chunk_by(|left, right| left.day == right.day && left.texts[..TEXTS] == right.texts[..TEXTS])
        .map(|rows| {
            let maximum = |index| {
                let values = rows.iter().filter_map(|row| row.maximum(index));
                values.max_by(f64::total_cmp)
            };
            // The largest strategy sorts last.
            let last = &rows[rows.len() - 1];
            Group {
                day: last.day,
                texts: std::array::from_fn(|index| last.texts[index]),
                mig_strategy: last.texts[TEXTS],
                maxima: std::array::from_fn(maximum),
            }
        })
        .collect()
}
