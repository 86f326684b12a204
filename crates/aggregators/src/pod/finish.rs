//! From groups to rows: labels of node and namespace, cost category and capacity are joined here, on small tables.

use arrow::array::RecordBatch;
use hashbrown::HashMap;
use tokaki_core::rollup::{ExactSum, GroupRow, NULL_TEXT};
use tokaki_core::{Grain, Result, Semantics};

use super::Pod;
use super::capacity::{Amount, Capacity};
use super::state::{EFFECTIVE, MEMORY, PodState};
use crate::labels::{Bearer, KeptLabels};
use crate::summaries::ocp_daily_summary::{self, MEASURE_COUNT, Measures, NO_USAGE_COST, Owner, POD, Row};
use crate::words::cost_category::Matches;
use crate::words::merged_labels::MergedLabels;
use crate::words::units::{core_hours, gibibyte_hours, gibibytes};

/// One match of a group with its labels. Sorted, matches of one row lie together and the largest machine id is last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Joined {
    day: i32,
    /// Ranks among all texts in byte order; null is first.
    namespace_rank: u32,
    node_rank: u32,
    labels_rank: u32,
    resource_rank: u32,
    grain: usize,
    group: usize,
    namespace: u32,
    node: u32,
    labels: u32,
    resource_id: u32,
}

impl Joined {
    fn row(&self) -> (i32, u32, u32, u32) {
        (self.day, self.namespace_rank, self.node_rank, self.labels_rank)
    }
}

impl Pod {
    pub(super) fn rows(&self, kept: &KeptLabels, state: &PodState) -> Result<RecordBatch> {
        let capacity = Capacity::new(&state.capacity, &state.texts)?;
        let mut merged = MergedLabels::default();
        let joined = self.join(kept, state, &capacity, &mut merged)?;

        let mut categories: HashMap<u32, Matches> = HashMap::new();
        let mut rows = Vec::with_capacity(joined.len());
        for matches in joined.chunk_by(|left, right| left.row() == right.row()) {
            let Some(last) = matches.last() else { continue };
            let category = *categories
                .entry(last.namespace)
                .or_insert_with(|| self.categories.of(state.texts.text(last.namespace)));
            // Under `koku` a namespace of several patterns counts several times (spec § 9).
            let times = match self.semantics {
                Semantics::Koku => category.patterns.max(1),
                Semantics::Conserving => 1,
            };
            let mut total = GroupRow::new([0; 7]);
            for joined in matches {
                total.absorb(&state.usage[joined.grain].row(joined.group), times)?;
            }
            let labels = merged.text(last.labels);
            let row = Row {
                day: last.day,
                data_source: POD,
                namespace: state.texts.text(last.namespace),
                node: state.texts.text(last.node),
                resource_id: state.texts.text(last.resource_id),
                pod_labels: Some(labels),
                volume_labels: None,
                all_labels: labels,
                volume: [None; 3],
                measures: measures(&total, capacity.of_node(last.day, last.node), capacity.of_cluster(last.day)),
                infrastructure_usage_cost: Some(NO_USAGE_COST),
                cost_category_id: category.largest_id,
                hidden: None,
            };
            rows.push(row.storable()?);
        }
        let output = ocp_daily_summary::output(Owner::Pod, &self.reference);
        ocp_daily_summary::batch(&rows, &output, &self.scope, &self.reference)
    }

    /// Every match of every group that counts, sorted.
    fn join(
        &self,
        kept: &KeptLabels,
        state: &PodState,
        capacity: &Capacity,
        merged: &mut MergedLabels<3>,
    ) -> Result<Vec<Joined>> {
        let mut joined = Vec::new();
        for grain in Grain::ALL {
            let grain_index = grain.index();
            for (group, key) in state.usage[grain_index].keys().iter().enumerate() {
                let [day, namespace, node, set, resource_id, node_labels, namespace_labels] = *key;
                let day = day as i32;
                let mut add = |node_labels: u32, namespace_labels: u32| -> Result<()> {
                    // Node labels < namespace labels < pod labels (spec § 4, Merge).
                    let labels = merged.id([node_labels, namespace_labels, set], || {
                        [kept.canonical(node_labels), kept.canonical(namespace_labels), state.labels.canonical(set)]
                    })?;
                    joined.push(Joined {
                        day,
                        namespace_rank: 0,
                        node_rank: 0,
                        labels_rank: 0,
                        resource_rank: 0,
                        grain: grain_index,
                        group,
                        namespace,
                        node,
                        labels,
                        resource_id,
                    });
                    Ok(())
                };
                match self.semantics {
                    // Every label set of the node with every one of the namespace (spec § 9, koku).
                    Semantics::Koku => {
                        let name = |text| state.texts.text(text).map_or(NULL_TEXT, |text| kept.name_id(text));
                        let of_namespace: Vec<u32> = kept.of_day(Bearer::Namespace, name(namespace), day).collect();
                        for node_labels in kept.of_day(Bearer::Node, name(node), day) {
                            for namespace_labels in &of_namespace {
                                add(node_labels, *namespace_labels)?;
                            }
                        }
                    }
                    // Daily rows are line items only on days without hourly rows (spec § 9, rule 1).
                    Semantics::Conserving if grain == Grain::Daily && capacity.has_day(day) => {}
                    Semantics::Conserving => add(node_labels, namespace_labels)?,
                }
            }
        }
        let (text_ranks, label_ranks) = (state.texts.ranks(), merged.ranks());
        for joined in &mut joined {
            joined.namespace_rank = text_ranks[joined.namespace as usize];
            joined.node_rank = text_ranks[joined.node as usize];
            joined.labels_rank = label_ranks[joined.labels as usize];
            joined.resource_rank = text_ranks[joined.resource_id as usize];
        }
        joined.sort_unstable();
        Ok(joined)
    }
}

/// Takes the larger of usage and request of each derived daily row whose file has no effective column (spec § 12).
pub(super) fn decide_effective(state: &mut PodState) -> Result<()> {
    let usage = &mut state.usage[Grain::Hourly.index()];
    for undecided in state.undecided.rows() {
        let [day, namespace, node, _pod, _label_text, set] = undecided.key;
        let group = usage.group([day, namespace, node, set, NULL_TEXT, 0, 0]);
        for (first, of_undecided) in [(0, 0), (MEMORY, 2)] {
            let larger = std::cmp::max(undecided.sum(of_undecided), undecided.sum(of_undecided + 1));
            if let Some(larger) = larger {
                usage.add_sum(group, first + EFFECTIVE, larger)?;
            }
        }
    }
    Ok(())
}

/// The measures of spec § 5, in the order of [`ocp_daily_summary::MEASURES`].
fn measures(total: &GroupRow<7, 8, 2>, node: Amount, cluster: Amount) -> Measures {
    let mut measures: Measures = [None; MEASURE_COUNT];
    let sums: [Option<ExactSum>; 8] = std::array::from_fn(|index| total.sum(index));
    for (index, sum) in sums.into_iter().enumerate() {
        measures[index] = if index < MEMORY { sum.map(core_hours) } else { sum.map(gibibyte_hours) };
    }
    measures[8] = total.maximum(0);
    measures[9] = Some(core_hours(node.core_seconds));
    measures[10] = total.maximum(1).map(gibibytes);
    measures[11] = Some(gibibyte_hours(node.byte_seconds));
    measures[12] = Some(core_hours(cluster.core_seconds));
    measures[13] = Some(gibibyte_hours(cluster.byte_seconds));
    measures
}
