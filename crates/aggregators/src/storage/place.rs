//! Places as Koku finds them: by the day (spec § 7, Place and Sharing).

use std::collections::BTreeSet;

use hashbrown::HashMap;
use tokaki_core::Grain;
use tokaki_core::rollup::NULL_TEXT;
use tokaki_core::scope::day_of_instant;

use super::state::StorageState;
use crate::words::instant_key::whole;

/// An item at one of its places. Amounts but capacity are shared by the nodes that mount the volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    /// Grain and group of the item in the state.
    pub(super) item: (usize, usize),
    pub(super) day: i32,
    /// Instant for the labels of the hour; `None` where the day counts.
    pub(super) instant: Option<i64>,
    pub(super) node: u32,
    pub(super) resource_id: u32,
    pub(super) shared_by: u32,
}

/// Namespace and pod on a day.
type PodOfDay = (i32, u32, u32);

/// Every item at every place of its claim and pod on its day; at no place where there is none.
pub(super) fn of_days(state: &StorageState) -> Vec<Placed> {
    let pods = pods_of_days(state);
    // V of spec § 7, in two views: the volumes under which a claim and pod occur, and the nodes of each volume.
    let mut volumes: HashMap<(PodOfDay, u32), BTreeSet<u32>> = HashMap::new();
    let mut nodes: HashMap<(i32, u32), BTreeSet<u32>> = HashMap::new();
    for item in items(state) {
        let Some(places) = pods.get(&item.pod) else { continue };
        volumes.entry((item.pod, item.claim)).or_default().insert(item.volume);
        let of_volume = nodes.entry((item.pod.0, item.volume)).or_default();
        of_volume.extend(places.iter().map(|(node, _)| *node).filter(|node| *node != NULL_TEXT));
    }

    let mut placed = Vec::new();
    for item in items(state) {
        let day = item.pod.0;
        let shared_by = match nodes.get(&(day, item.volume)) {
            Some(nodes) if item.volume != NULL_TEXT => nodes.len().max(1) as u32,
            _ => 1,
        };
        let at = |(node, resource_id)| Placed { item: item.id, day, instant: None, node, resource_id, shared_by };
        // The volume is not compared: a claim bound to two volumes has each place twice.
        let times = volumes.get(&(item.pod, item.claim)).map_or(0, BTreeSet::len);
        match pods.get(&item.pod) {
            Some(places) if item.claim != NULL_TEXT => {
                for _ in 0..times {
                    placed.extend(places.iter().copied().map(at));
                }
            }
            _ => placed.push(at((NULL_TEXT, NULL_TEXT))),
        }
    }
    placed
}

struct Item {
    id: (usize, usize),
    pod: PodOfDay,
    claim: u32,
    volume: u32,
}

fn items(state: &StorageState) -> impl Iterator<Item = Item> {
    state.items.iter().enumerate().flat_map(|(grain, items)| {
        items.keys().iter().enumerate().map(move |(group, key)| {
            let [high, low, namespace, pod, claim, volume, ..] = *key;
            Item { id: (grain, group), pod: (day_of_instant(whole([high, low])), namespace, pod), claim, volume }
        })
    })
}

/// Nodes and machine ids of each pod and day. Null namespaces and pods join nothing.
fn pods_of_days(state: &StorageState) -> HashMap<PodOfDay, BTreeSet<(u32, u32)>> {
    let mut places: HashMap<PodOfDay, BTreeSet<(u32, u32)>> = HashMap::new();
    let mut add = |[high, low, namespace, pod, node, resource_id, _]: [u32; 7]| {
        if namespace != NULL_TEXT && pod != NULL_TEXT {
            let day = day_of_instant(whole([high, low]));
            places.entry((day, namespace, pod)).or_default().insert((node, resource_id));
        }
    };
    for key in state.pods[Grain::Daily.index()].keys() {
        add(*key);
    }
    // A derived daily row has the largest machine id of its hours (spec § 12).
    let ranks = state.texts.ranks();
    let mut derived: Vec<[u32; 7]> = state.pods[Grain::Hourly.index()].keys().to_vec();
    let daily_key =
        |[high, low, namespace, pod, node, _, label_text]: [u32; 7]| [high, low, namespace, pod, node, label_text];
    derived.sort_unstable_by_key(|key| (daily_key(*key), ranks[key[5] as usize]));
    for rows in derived.chunk_by(|left, right| daily_key(*left) == daily_key(*right)) {
        if let Some(largest) = rows.last() {
            add(*largest);
        }
    }
    places
}
