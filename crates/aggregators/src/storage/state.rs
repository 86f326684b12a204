//! What is left of storage line items: amounts by everything that separates rows, and where pods ran.

use arrow::array::RecordBatch;
use tokaki_core::rollup::{GroupId, Interner, NULL_TEXT, Resolution, Rollup, RollupSpec, TextIds};
use tokaki_core::{Error, Result, State};

use crate::line_items::storage_usage;
use crate::words::label_sets::{LabelSets, SetIds};

/// Amounts of claims. The instant is midnight of the day under `koku` and for daily rows; `own_node` counts under
/// `conserving` only.
pub(super) static ITEMS: RollupSpec<11, 3, 1> = RollupSpec {
    keys: [
        "instant_high",
        "instant_low",
        "namespace",
        "pod",
        "claim",
        "volume",
        "storage_class",
        "volume_handle",
        "volume_labels",
        "claim_labels",
        "own_node",
    ],
    sums: [
        (storage_usage::CAPACITY_BYTE_SECONDS, Resolution::BYTE_SECONDS),
        (storage_usage::REQUEST_BYTE_SECONDS, Resolution::BYTE_SECONDS),
        (storage_usage::USAGE_BYTE_SECONDS, Resolution::BYTE_SECONDS),
    ],
    maxima: [storage_usage::CAPACITY_BYTES],
};

/// Positions in [`ITEMS`]'s sums.
pub(super) const CAPACITY: usize = 0;
pub(super) const REQUEST: usize = 1;
pub(super) const USAGE: usize = 2;

/// Where pods ran. The raw label text belongs to the key of a derived daily row (spec § 12), of which the largest
/// machine id counts; elsewhere it is not looked at.
pub(super) static PODS: RollupSpec<7, 0, 0> = RollupSpec {
    keys: ["instant_high", "instant_low", "namespace", "pod", "node", "resource_id", "label_text"],
    sums: [],
    maxima: [],
};

/// A partial result of storage.
pub(super) struct StorageState {
    pub(super) texts: Interner,
    /// Labels of volumes and claims.
    pub(super) labels: LabelSets,
    /// Raw label texts of pods.
    pub(super) pod_label_texts: Interner,
    /// By grain of the table that the rows came from.
    pub(super) items: [Rollup<11, 3, 1>; 2],
    /// By grain.
    pub(super) pods: [Rollup<7, 0, 0>; 2],
    /// Memory of columns between chunks; no part of the result.
    pub(super) columns: ColumnIds,
}

/// Ids of the text columns, in the order in which they are folded.
#[derive(Default)]
pub(super) struct ColumnIds {
    pub(super) items: [TextIds; 7],
    pub(super) pods: [TextIds; 5],
    /// Of the labels of volumes and of claims.
    pub(super) sets: [SetIds; 2],
    /// Key and group of each pod of the chunk.
    pub(super) keys: Vec<Option<[u32; 7]>>,
    pub(super) groups: Vec<GroupId>,
}

impl Default for StorageState {
    fn default() -> Self {
        Self {
            texts: Interner::default(),
            labels: LabelSets::default(),
            pod_label_texts: Interner::default(),
            items: [Rollup::new(&ITEMS), Rollup::new(&ITEMS)],
            pods: [Rollup::new(&PODS), Rollup::new(&PODS)],
            columns: ColumnIds::default(),
        }
    }
}

impl State for StorageState {
    fn merge(&mut self, other: Self) -> Result<()> {
        let texts = self.texts.absorb(&other.texts);
        let sets = self.labels.absorb(&other.labels);
        let label_texts = self.pod_label_texts.absorb(&other.pod_label_texts);
        let text = |id: u32| texts[id as usize];
        for (own, other) in self.items.iter_mut().zip(&other.items) {
            own.absorb(
                other,
                |[high, low, namespace, pod, claim, volume, class, handle, volume_set, claim_set, node]| {
                    let [namespace, pod, claim, volume, class, handle, node] =
                        [namespace, pod, claim, volume, class, handle, node].map(text);
                    let [volume_set, claim_set] = [volume_set, claim_set].map(|set| sets[set as usize]);
                    [high, low, namespace, pod, claim, volume, class, handle, volume_set, claim_set, node]
                },
            )?;
        }
        for (own, other) in self.pods.iter_mut().zip(&other.pods) {
            own.absorb(other, |[high, low, namespace, pod, node, resource_id, label_text]| {
                let label_text = label_texts.get(label_text as usize).copied().unwrap_or(NULL_TEXT);
                [high, low, text(namespace), text(pod), text(node), text(resource_id), label_text]
            })?;
        }
        Ok(())
    }

    fn encode(&self) -> Result<Vec<RecordBatch>> {
        let mut batches = vec![self.texts.encode()?, self.labels.encode()?, self.pod_label_texts.encode()?];
        for items in &self.items {
            batches.push(items.encode()?);
        }
        for pods in &self.pods {
            batches.push(pods.encode()?);
        }
        Ok(batches)
    }

    fn decode(batches: &[RecordBatch]) -> Result<Self> {
        let [texts, sets, pod_label_texts, hourly, daily, hourly_pods, daily_pods] = batches else {
            return Err(Error::bug("an encoded storage state has other tables than seven"));
        };
        Ok(Self {
            texts: Interner::decode(texts)?,
            labels: LabelSets::decode(sets)?,
            pod_label_texts: Interner::decode(pod_label_texts)?,
            items: [Rollup::decode(&ITEMS, hourly)?, Rollup::decode(&ITEMS, daily)?],
            pods: [Rollup::decode(&PODS, hourly_pods)?, Rollup::decode(&PODS, daily_pods)?],
            columns: ColumnIds::default(),
        })
    }
}
