//! Steps 2 and 3 of capacity (spec § 5): of a node over its hours, of the cluster over its nodes.

use hashbrown::HashMap;
use tokaki_core::Result;
use tokaki_core::rollup::{ExactSum, Interner, Resolution, Rollup};
use tokaki_core::scope::day_of_instant;

use super::state::CAPACITY;
use crate::line_items::pod_usage;
use crate::words::instant_key::whole;

/// Core-seconds and byte-seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) core_seconds: ExactSum,
    pub(super) byte_seconds: ExactSum,
}

/// What was there to be used. Unknown is 0.
#[derive(Debug, Default)]
pub(super) struct Capacity {
    nodes: HashMap<(i32, u32), Amount>,
    cluster: HashMap<i32, Amount>,
}

impl Capacity {
    /// Sums the maxima of each instant and node.
    pub(super) fn new(instants: &Rollup<3, 0, 2>, texts: &Interner) -> Result<Self> {
        let mut capacity = Self::default();
        // The order matters to errors alone: of several the same one is told every time.
        let ranks = texts.ranks();
        let mut groups: Vec<_> = instants.rows().collect();
        groups.sort_unstable_by_key(|group| (group.key[0], group.key[1], ranks[group.key[2] as usize]));
        for group in groups {
            let [high, low, node] = group.key;
            let day = day_of_instant(whole([high, low]));
            let units = |index: usize, resolution: Resolution| match group.maximum(index) {
                Some(value) => resolution.units(value).map_err(|error| {
                    let node = texts.text(node).unwrap_or("(null)");
                    error.column(CAPACITY.maxima[index]).help(format!("look at the hourly line items of node {node}"))
                }),
                None => Ok(0),
            };
            let core_seconds = units(0, Resolution::CORE_SECONDS)?;
            let byte_seconds = units(1, Resolution::BYTE_SECONDS)?;
            for amount in [capacity.nodes.entry((day, node)).or_default(), capacity.cluster.entry(day).or_default()] {
                amount.core_seconds.add(core_seconds).map_err(|error| error.column(pod_usage::NODE_CORE_SECONDS))?;
                amount.byte_seconds.add(byte_seconds).map_err(|error| error.column(pod_usage::NODE_BYTE_SECONDS))?;
            }
        }
        Ok(capacity)
    }

    /// Of one node on one day.
    pub(super) fn of_node(&self, day: i32, node: u32) -> Amount {
        self.nodes.get(&(day, node)).copied().unwrap_or_default()
    }

    /// Of all nodes on one day.
    pub(super) fn of_cluster(&self, day: i32) -> Amount {
        self.cluster.get(&day).copied().unwrap_or_default()
    }

    /// Whether the hourly table has any row on the day.
    pub(super) fn has_day(&self, day: i32) -> bool {
        self.cluster.contains_key(&day)
    }
}
