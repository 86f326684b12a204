//! From placed items to rows: labels and cost category are joined here, on small tables.

use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use hashbrown::HashMap;
use tokaki_core::rollup::{ExactSum, GroupRow, NULL_TEXT};
use tokaki_core::{Error, Output, Result, Semantics};

use super::place::Placed;
use super::state::{CAPACITY, REQUEST, StorageState, USAGE};
use super::{Storage, VOLUME_HANDLE};
use crate::labels::{Bearer, KeptLabels};
use crate::summaries::ocp_daily_summary::{self, MEASURE_COUNT, Measures, NO_USAGE_COST, Owner, Row, STORAGE};
use crate::words::cost_category::Matches;
use crate::words::merged_labels::MergedLabels;
use crate::words::units::{gibibyte_months, gibibytes};

/// A placed item with its merged labels. Sorted, what makes one row lies together.
#[derive(Debug, Clone, Copy)]
struct Joined {
    placed: Placed,
    labels: u32,
    /// Day, then ranks of namespace, node, machine id, claim, volume, class, handle and labels in byte order.
    row: [u32; 9],
}

impl Storage {
    pub(super) fn rows(
        &self,
        placed: Vec<Placed>,
        kept: &KeptLabels,
        state: &StorageState,
    ) -> Result<Vec<RecordBatch>> {
        let mut merged = MergedLabels::default();
        let joined = self.join(placed, kept, state, &mut merged)?;

        let text = |id| state.texts.text(id);
        let mut categories: HashMap<u32, Matches> = HashMap::new();
        let mut rows = Vec::new();
        for items in joined.chunk_by(|left, right| left.row == right.row) {
            let Some(Joined { placed, labels, .. }) = items.first() else { continue };
            let [_, _, namespace, _, claim, volume, class, handle, ..] = key_of(placed, state);
            let category = *categories.entry(namespace).or_insert_with(|| self.categories.of(text(namespace)));
            // Under `koku` a namespace of several patterns counts several times (spec § 9).
            let times = match self.semantics {
                Semantics::Koku => category.patterns.max(1),
                Semantics::Conserving => 1,
            };
            let labels = merged.text(*labels);
            let row = Row {
                day: placed.day,
                data_source: STORAGE,
                namespace: text(namespace),
                node: text(placed.node),
                resource_id: text(placed.resource_id),
                pod_labels: None,
                volume_labels: Some(labels),
                all_labels: labels,
                volume: [claim, volume, class].map(text),
                measures: self.measures(&total(items, state, times)?),
                infrastructure_usage_cost: Some(NO_USAGE_COST),
                cost_category_id: category.largest_id,
                hidden: text(handle),
            };
            rows.push(row.storable()?);
        }
        let output = ocp_daily_summary::output(Owner::Storage, &self.reference);
        let handles = RecordBatch::try_new(
            Output::handover(&[VOLUME_HANDLE]).schema(),
            vec![Arc::new(rows.iter().map(|row| row.hidden).collect::<StringArray>())],
        );
        let handles = handles.map_err(|error| Error::bug(error.to_string()))?;
        Ok(vec![ocp_daily_summary::batch(&rows, &output, &self.scope, &self.reference)?, handles])
    }

    /// Every placed item with every match of labels, sorted by row.
    fn join(
        &self,
        placed: Vec<Placed>,
        kept: &KeptLabels,
        state: &StorageState,
        merged: &mut MergedLabels<4>,
    ) -> Result<Vec<Joined>> {
        let name = |text| state.texts.text(text).map_or(NULL_TEXT, |text| kept.name_id(text));
        let mut joined = Vec::with_capacity(placed.len());
        for placed in placed {
            let [_, _, namespace, .., volume_set, claim_set, _] = key_of(&placed, state);
            let mut add = |node_labels: u32, namespace_labels: u32| -> Result<()> {
                // Node < namespace < volume < claim (spec § 4, Merge).
                let labels = merged.id([node_labels, namespace_labels, volume_set, claim_set], || {
                    [
                        kept.canonical(node_labels),
                        kept.canonical(namespace_labels),
                        state.labels.canonical(volume_set),
                        state.labels.canonical(claim_set),
                    ]
                })?;
                joined.push(Joined { placed, labels, row: [0; 9] });
                Ok(())
            };
            let (node, namespace) = (name(placed.node), name(namespace));
            match self.semantics {
                Semantics::Koku => {
                    let of_namespace: Vec<u32> = kept.of_day(Bearer::Namespace, namespace, placed.day).collect();
                    for node_labels in kept.of_day(Bearer::Node, node, placed.day) {
                        for namespace_labels in &of_namespace {
                            add(node_labels, *namespace_labels)?;
                        }
                    }
                }
                Semantics::Conserving => add(
                    kept.at(Bearer::Node, node, placed.day, placed.instant),
                    kept.at(Bearer::Namespace, namespace, placed.day, placed.instant),
                )?,
            }
        }
        let (text_ranks, label_ranks) = (state.texts.ranks(), merged.ranks());
        for joined in &mut joined {
            let placed = &joined.placed;
            let [_, _, namespace, _, claim, volume, class, handle, ..] = key_of(placed, state);
            let rank = |text: u32| text_ranks[text as usize];
            let [namespace, node, resource_id, claim, volume, class, handle] =
                [namespace, placed.node, placed.resource_id, claim, volume, class, handle].map(rank);
            let labels = label_ranks[joined.labels as usize];
            joined.row = [placed.day as u32, namespace, node, resource_id, claim, volume, class, handle, labels];
        }
        // Which of equal rows comes first does not matter: they are summed.
        joined.sort_unstable_by_key(|joined| joined.row);
        Ok(joined)
    }

    /// The measures of spec § 7, in the order of [`ocp_daily_summary::MEASURES`].
    fn measures(&self, total: &GroupRow<11, 3, 1>) -> Measures {
        let days = self.scope.days.days_in_month();
        let months = |index| total.sum(index).map(|sum| gibibyte_months(sum, days));
        let mut measures: Measures = [None; MEASURE_COUNT];
        measures[14] = total.maximum(0).map(gibibytes);
        measures[15] = months(CAPACITY);
        measures[16] = months(REQUEST);
        measures[17] = months(USAGE);
        measures
    }
}

/// The key of the item's group.
fn key_of(placed: &Placed, state: &StorageState) -> [u32; 11] {
    let (grain, group) = placed.item;
    state.items[grain].keys()[group]
}

/// The items of one row, each divided among the nodes that share it. Capacity is not divided (spec § 7).
fn total(items: &[Joined], state: &StorageState, times: u32) -> Result<GroupRow<11, 3, 1>> {
    let mut total = GroupRow::new([0; 11]);
    for Joined { placed, .. } in items {
        let (grain, group) = placed.item;
        let item = state.items[grain].row(group);
        let shared = |sum: ExactSum| sum.shared_by(placed.shared_by);
        let sums = [
            (CAPACITY, item.sum(CAPACITY)),
            (REQUEST, item.sum(REQUEST).map(shared)),
            (USAGE, item.sum(USAGE).map(shared)),
        ];
        for (index, sum) in sums {
            if let Some(sum) = sum {
                total.add(index, sum.times(times)?)?;
            }
        }
        if let Some(bytes) = item.maximum(0) {
            total.raise(0, bytes);
        }
    }
    Ok(total)
}
