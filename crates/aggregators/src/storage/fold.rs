//! From rows to groups.

use tokaki_core::chunk::Labels;
use tokaki_core::rollup::NULL_TEXT;
use tokaki_core::scope::{NANOSECONDS_PER_DAY, day_of_instant};
use tokaki_core::{Chunk, Grain, Result, Semantics};

use super::state::{ITEMS, StorageState};
use crate::line_items::{pod_usage, storage_usage};
use crate::words::instant_key::halves;
use crate::words::label_sets::SetIds;
use crate::words::tag_keys::TagKeys;

/// The instant that separates rows: the hour where hours count, else midnight of the day.
fn counted(instant: i64, semantics: Semantics, grain: Grain) -> i64 {
    if semantics == Semantics::Conserving && grain == Grain::Hourly {
        instant
    } else {
        i64::from(day_of_instant(instant)) * NANOSECONDS_PER_DAY
    }
}

impl StorageState {
    /// Amounts of claims, all rows.
    pub(super) fn fold_items(&mut self, chunk: &Chunk, semantics: Semantics, keys: &TagKeys) -> Result<()> {
        use storage_usage::{
            CLAIM, CLAIM_LABELS, NAMESPACE, NODE, POD, STORAGE_CLASS, VOLUME, VOLUME_HANDLE, VOLUME_LABELS,
        };
        let grain = chunk.table.grain;
        let derive = semantics == Semantics::Koku && grain == Grain::Hourly;
        let instants = chunk.instants()?.values();
        let [namespaces, pods, nodes, claims, volumes, classes, handles] = &mut self.columns.items;
        let namespaces = namespaces.of(&mut self.texts, chunk, NAMESPACE)?;
        let pods = pods.of(&mut self.texts, chunk, POD)?;
        let nodes = nodes.of(&mut self.texts, chunk, NODE)?;
        let claims = claims.of(&mut self.texts, chunk, CLAIM)?;
        let volumes = volumes.of(&mut self.texts, chunk, VOLUME)?;
        let classes = classes.of(&mut self.texts, chunk, STORAGE_CLASS)?;
        let handles = handles.of(&mut self.texts, chunk, VOLUME_HANDLE)?;
        let (volume_labels, claim_labels) = (chunk.labels(VOLUME_LABELS)?, chunk.labels(CLAIM_LABELS)?);
        let [volume_sets, claim_sets] = &mut self.columns.sets;
        volume_sets.begin(&volume_labels);
        claim_sets.begin(&claim_labels);
        let sums = [chunk.numbers(ITEMS.sums[0].0)?, chunk.numbers(ITEMS.sums[1].0)?, chunk.numbers(ITEMS.sums[2].0)?];
        let size = chunk.numbers(ITEMS.maxima[0])?;

        let mut groups = Vec::with_capacity(instants.len());
        for row in 0..instants.len() {
            let mut set_of = |ids: &mut SetIds, labels: &Labels<'_>, column: &str| {
                let set = ids.set_of(labels.numbers()[row], labels, keys, &mut self.labels);
                set.map_err(|error| error.column(column))
            };
            let volume_set = set_of(volume_sets, &volume_labels, VOLUME_LABELS)?;
            let claim_set = set_of(claim_sets, &claim_labels, CLAIM_LABELS)?;
            let [high, low] = halves(counted(instants[row], semantics, grain));
            let own_node = if semantics == Semantics::Conserving { nodes[row] } else { NULL_TEXT };
            groups.push(self.items[grain.index()].group([
                high,
                low,
                namespaces[row],
                pods[row],
                claims[row],
                volumes[row],
                classes[row],
                handles[row],
                volume_set,
                claim_set,
                own_node,
            ]));
        }
        let items = &mut self.items[grain.index()];
        items.add_each(&groups, |row| sums.each_ref().map(|column| column.daily(row, derive)))?;
        items.raise_each(&groups, |row| [size.number(row)])
    }

    /// Where pods ran, unscheduled ones included (spec § 7, Place).
    pub(super) fn fold_pods(&mut self, chunk: &Chunk, semantics: Semantics) -> Result<()> {
        let grain = chunk.table.grain;
        let derive = semantics == Semantics::Koku && grain == Grain::Hourly;
        let instants = chunk.instants()?.values();
        let [namespaces, pods, nodes, resource_ids, label_texts] = &mut self.columns.pods;
        let namespaces = namespaces.of(&mut self.texts, chunk, pod_usage::NAMESPACE)?;
        let pods = pods.of(&mut self.texts, chunk, pod_usage::POD)?;
        let nodes = nodes.of(&mut self.texts, chunk, pod_usage::NODE)?;
        let resource_ids = resource_ids.of(&mut self.texts, chunk, pod_usage::RESOURCE_ID)?;
        let label_texts =
            if derive { label_texts.of(&mut self.pod_label_texts, chunk, pod_usage::POD_LABELS)? } else { &[] };
        let keys = (0..instants.len()).map(|row| {
            let [high, low] = halves(counted(instants[row], semantics, grain));
            let label_text = label_texts.get(row).copied().unwrap_or(NULL_TEXT);
            Some([high, low, namespaces[row], pods[row], nodes[row], resource_ids[row], label_text])
        });
        self.columns.keys.clear();
        self.columns.keys.extend(keys);
        self.pods[grain.index()].groups(&self.columns.keys, pods, &mut self.columns.groups);
        Ok(())
    }
}
