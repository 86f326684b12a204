//! What is left of pod line items: usage by group, capacity by hour and node.

use arrow::array::RecordBatch;
use tokaki_core::rollup::{GroupId, Interner, NULL_TEXT, Resolution, Rollup, RollupSpec, TextIds};
use tokaki_core::{Error, Result, State};

use super::hours::Hours;
use crate::labels::KeptLabels;
use crate::line_items::pod_usage;
use crate::words::label_sets::{LabelSets, SetIds};

/// Usage of pods by everything that is joined on: the group of spec § 5, before labels of nodes and namespaces.
///
/// `resource_id` is in the key because its maximum is one of texts; a node rarely has two. The last two are label maps
/// of the hour under `conserving`, and unused under `koku`, which joins days in the finish.
pub(super) static USAGE: RollupSpec<7, 8, 2> = RollupSpec {
    keys: ["day", "namespace", "node", "label_set", "resource_id", "node_labels", "namespace_labels"],
    sums: [
        (pod_usage::USAGE_CPU, Resolution::CORE_SECONDS),
        (pod_usage::REQUEST_CPU, Resolution::CORE_SECONDS),
        (pod_usage::EFFECTIVE_CPU, Resolution::CORE_SECONDS),
        (pod_usage::LIMIT_CPU, Resolution::CORE_SECONDS),
        (pod_usage::USAGE_MEMORY, Resolution::BYTE_SECONDS),
        (pod_usage::REQUEST_MEMORY, Resolution::BYTE_SECONDS),
        (pod_usage::EFFECTIVE_MEMORY, Resolution::BYTE_SECONDS),
        (pod_usage::LIMIT_MEMORY, Resolution::BYTE_SECONDS),
    ],
    maxima: [pod_usage::NODE_CORES, pod_usage::NODE_BYTES],
};

/// Positions in [`USAGE`]'s sums: of CPU, and of memory when [`MEMORY`] is added.
pub(super) const USED: usize = 0;
pub(super) const REQUESTED: usize = 1;
pub(super) const EFFECTIVE: usize = 2;
pub(super) const LIMIT: usize = 3;
pub(super) const MEMORY: usize = 4;

/// Hourly rows of files without effective columns, by the key of the daily row that they come to (spec § 12): the
/// larger of usage and request is taken of the day's sums, so the pod must be known until the day is complete.
pub(super) static UNDECIDED: RollupSpec<6, 4, 0> = RollupSpec {
    keys: ["day", "namespace", "node", "pod", "label_text", "label_set"],
    sums: [
        (pod_usage::USAGE_CPU, Resolution::CORE_SECONDS),
        (pod_usage::REQUEST_CPU, Resolution::CORE_SECONDS),
        (pod_usage::USAGE_MEMORY, Resolution::BYTE_SECONDS),
        (pod_usage::REQUEST_MEMORY, Resolution::BYTE_SECONDS),
    ],
    maxima: [],
};

/// Step 1 of capacity (spec § 5): what a node has at an instant is reported once per pod, so the maximum is taken
/// before hours are summed.
pub(super) static CAPACITY: RollupSpec<3, 0, 2> = RollupSpec {
    keys: ["instant_high", "instant_low", "node"],
    sums: [],
    maxima: [pod_usage::NODE_CORE_SECONDS, pod_usage::NODE_BYTE_SECONDS],
};

/// A partial result of pods.
pub(super) struct PodState {
    /// Namespaces, nodes, pods, machine ids.
    pub(super) texts: Interner,
    pub(super) labels: LabelSets,
    /// By grain of the table that the rows came from.
    pub(super) usage: [Rollup<7, 8, 2>; 2],
    pub(super) undecided: Rollup<6, 4, 0>,
    /// Raw label texts of undecided rows.
    pub(super) undecided_labels: Interner,
    pub(super) capacity: Rollup<3, 0, 2>,
    /// Memory of columns between chunks; no part of the result.
    pub(super) columns: ColumnIds,
}

/// Ids of each text column.
#[derive(Default)]
pub(super) struct ColumnIds {
    pub(super) namespace: TextIds,
    pub(super) node: TextIds,
    pub(super) pod: TextIds,
    pub(super) resource_id: TextIds,
    pub(super) undecided_labels: TextIds,
    pub(super) sets: SetIds,
    pub(super) kept_names: KeptNames,
    pub(super) hours: Hours,
    /// Key of each row of the chunk; none where it makes no row.
    pub(super) keys: Vec<Option<[u32; 7]>>,
    /// Group of each row of the chunk.
    pub(super) groups: Vec<GroupId>,
}

/// The id under which the kept labels know a node or namespace, looked up once for each text.
#[derive(Default)]
pub(super) struct KeptNames(Vec<Option<u32>>);

impl KeptNames {
    pub(super) fn of(&mut self, text: u32, texts: &Interner, kept: &KeptLabels) -> u32 {
        let index = text as usize;
        if self.0.len() <= index {
            self.0.resize(texts.len() + 1, None);
        }
        *self.0[index].get_or_insert_with(|| texts.text(text).map_or(NULL_TEXT, |name| kept.name_id(name)))
    }
}

impl Default for PodState {
    fn default() -> Self {
        Self {
            texts: Interner::default(),
            labels: LabelSets::default(),
            usage: [Rollup::new(&USAGE), Rollup::new(&USAGE)],
            undecided: Rollup::new(&UNDECIDED),
            undecided_labels: Interner::default(),
            capacity: Rollup::new(&CAPACITY),
            columns: ColumnIds::default(),
        }
    }
}

impl State for PodState {
    fn merge(&mut self, other: Self) -> Result<()> {
        let texts = self.texts.absorb(&other.texts);
        let sets = self.labels.absorb(&other.labels);
        let label_texts = self.undecided_labels.absorb(&other.undecided_labels);
        let text = |id: u32| texts[id as usize];
        for (own, other) in self.usage.iter_mut().zip(&other.usage) {
            own.absorb(other, |[day, namespace, node, set, resource_id, node_labels, namespace_labels]| {
                let (namespace, node, set) = (text(namespace), text(node), sets[set as usize]);
                [day, namespace, node, set, text(resource_id), node_labels, namespace_labels]
            })?;
        }
        self.undecided.absorb(&other.undecided, |[day, namespace, node, pod, label_text, set]| {
            [day, text(namespace), text(node), text(pod), label_texts[label_text as usize], sets[set as usize]]
        })?;
        self.capacity.absorb(&other.capacity, |[high, low, node]| [high, low, text(node)])
    }

    fn encode(&self) -> Result<Vec<RecordBatch>> {
        let [hourly, daily] = &self.usage;
        Ok(vec![
            self.texts.encode()?,
            self.labels.encode()?,
            self.undecided_labels.encode()?,
            hourly.encode()?,
            daily.encode()?,
            self.undecided.encode()?,
            self.capacity.encode()?,
        ])
    }

    fn decode(batches: &[RecordBatch]) -> Result<Self> {
        let [texts, sets, undecided_labels, hourly, daily, undecided, capacity] = batches else {
            return Err(Error::bug("an encoded pod state has other tables than seven"));
        };
        Ok(Self {
            texts: Interner::decode(texts)?,
            labels: LabelSets::decode(sets)?,
            usage: [Rollup::decode(&USAGE, hourly)?, Rollup::decode(&USAGE, daily)?],
            undecided: Rollup::decode(&UNDECIDED, undecided)?,
            undecided_labels: Interner::decode(undecided_labels)?,
            capacity: Rollup::decode(&CAPACITY, capacity)?,
            columns: ColumnIds::default(),
        })
    }
}
