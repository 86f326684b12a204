//! Finds the capacity group of an hour and node without hashing: there is a row per pod, but few hours and nodes.

use hashbrown::HashMap;
use tokaki_core::rollup::{GroupId, NO_GROUP};

/// Groups of capacity by hour and node.
#[derive(Default)]
pub(super) struct Hours {
    positions: HashMap<i64, usize>,
    hours: Vec<Hour>,
}

/// Groups of capacity at one instant.
pub(super) struct Hour {
    pub(super) instant: i64,
    /// By the node's text; [`NO_GROUP`] where none is known.
    pub(super) groups: Vec<GroupId>,
}

impl Hours {
    pub(super) fn of(&mut self, instant: i64) -> &mut Hour {
        let position = *self.positions.entry(instant).or_insert_with(|| {
            self.hours.push(Hour { instant, groups: Vec::new() });
            self.hours.len() - 1
        });
        &mut self.hours[position]
    }
}

impl Hour {
    pub(super) fn remember(&mut self, node: u32, group: GroupId) {
        let index = node as usize;
        if self.groups.len() <= index {
            self.groups.resize(index + 1, NO_GROUP);
        }
        self.groups[index] = group;
    }
}
