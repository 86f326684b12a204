//! Places as they were: by the hour, one for each item (spec § 9, rules 1, 5 and 6).

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::{HashMap, HashSet};
use tokaki_core::Grain;
use tokaki_core::rollup::{NULL_TEXT, Rollup};
use tokaki_core::scope::day_of_instant;

use super::place::Placed;
use super::state::StorageState;
use crate::words::instant_key::whole;

/// Every item that is a line item, at its one place.
pub(super) fn of_hours(state: &StorageState) -> Vec<Placed> {
    let ranks = state.texts.ranks();
    let no_node = state.texts.known("").unwrap_or(NULL_TEXT);
    let hourly_days = days(&state.items[Grain::Hourly.index()]);
    let hourly_pod_days = days(&state.pods[Grain::Hourly.index()]);
    let pods = pods(state, &hourly_pod_days, &ranks);

    let mut placed = Vec::new();
    let mut nodes: HashMap<(i64, u32), HashSet<u32>> = HashMap::new();
    for grain in Grain::ALL {
        for (group, key) in state.items[grain.index()].keys().iter().enumerate() {
            let [high, low, namespace, pod, claim, volume, .., own_node] = *key;
            let at = whole([high, low]);
            let day = day_of_instant(at);
            // Daily rows are line items only on days without hourly ones (rule 1).
            if grain == Grain::Daily && hourly_days.contains(&day) {
                continue;
            }
            let instant = (grain == Grain::Hourly).then_some(at);
            let pod_of_day = pods.get(&(day, namespace, pod)).filter(|_| claim != NULL_TEXT);
            let (node, resource_id) = pod_of_day.map_or((NULL_TEXT, NULL_TEXT), |pod| {
                // The same instant can be compared only where both are hourly.
                let instant = instant.filter(|_| hourly_pod_days.contains(&day));
                let candidates = pod.candidates(instant);
                let own = own_node != NULL_TEXT && own_node != no_node && candidates.contains(&own_node);
                // Null has rank 0, so it is chosen only if there is nothing else.
                let largest = candidates.iter().copied().max_by_key(|node| ranks[*node as usize]);
                let node = if own { own_node } else { largest.unwrap_or(NULL_TEXT) };
                (node, pod.resource_ids.get(&node).copied().unwrap_or(NULL_TEXT))
            });
            if node != NULL_TEXT {
                nodes.entry((at, volume)).or_default().insert(node);
            }
            placed.push((
                (at, volume),
                Placed { item: (grain.index(), group), day, instant, node, resource_id, shared_by: 1 },
            ));
        }
    }
    let shared = |((at, volume), placed): ((i64, u32), Placed)| match nodes.get(&(at, volume)) {
        Some(nodes) if volume != NULL_TEXT => Placed { shared_by: nodes.len() as u32, ..placed },
        _ => placed,
    };
    placed.into_iter().map(shared).collect()
}

/// A pod on one day.
#[derive(Default)]
struct PodOfDay {
    nodes: BTreeMap<i64, BTreeSet<u32>>,
    /// Largest machine id of each node.
    resource_ids: HashMap<u32, u32>,
}

impl PodOfDay {
    /// Nodes at the instant; without any, those at the latest instant of the day.
    fn candidates(&self, instant: Option<i64>) -> &BTreeSet<u32> {
        const NONE: &BTreeSet<u32> = &BTreeSet::new();
        let exact = instant.and_then(|instant| self.nodes.get(&instant));
        exact.or_else(|| self.nodes.values().next_back()).unwrap_or(NONE)
    }
}

/// The pods' line items, hourly where the day has any. Null namespaces and pods place nothing.
fn pods(state: &StorageState, hourly_days: &HashSet<i32>, ranks: &[u32]) -> HashMap<(i32, u32, u32), PodOfDay> {
    let mut pods: HashMap<_, PodOfDay> = HashMap::new();
    for grain in Grain::ALL {
        for key in state.pods[grain.index()].keys() {
            let [high, low, namespace, pod, node, resource_id, _] = *key;
            let at = whole([high, low]);
            let day = day_of_instant(at);
            let is_line_item = grain == Grain::Hourly || !hourly_days.contains(&day);
            if !is_line_item || namespace == NULL_TEXT || pod == NULL_TEXT {
                continue;
            }
            let pod = pods.entry((day, namespace, pod)).or_default();
            pod.nodes.entry(at).or_default().insert(node);
            let largest = pod.resource_ids.entry(node).or_insert(resource_id);
            if ranks[resource_id as usize] > ranks[*largest as usize] {
                *largest = resource_id;
            }
        }
    }
    pods
}

/// Days on which a table has any row.
fn days<const K: usize, const S: usize, const M: usize>(rows: &Rollup<K, S, M>) -> HashSet<i32> {
    rows.keys().iter().map(|key| day_of_instant(whole([key[0], key[1]]))).collect()
}
