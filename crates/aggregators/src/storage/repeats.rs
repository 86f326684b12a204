//! Use of volumes that Koku counts more than once, and why (spec § 9).

use tokaki_core::rollup::NULL_TEXT;
use tokaki_core::{Finding, Result};

use super::Storage;
use super::place::Placed;
use super::state::{CAPACITY, REQUEST, StorageState, USAGE};
use crate::labels::{Bearer, KeptLabels};
use crate::summaries::ocp_daily_summary::MEASURES;
use crate::words::repeats::{Cause, Repeats, Sums, subject};
use crate::words::units::gibibyte_months;

impl Storage {
    /// Each item counts once per place, there once per label set of the node and of the namespace, and per matching
    /// pattern. `placed` holds the places of an item one after the other.
    pub(super) fn repeats(&self, placed: &[Placed], kept: &KeptLabels, state: &StorageState) -> Result<Vec<Finding>> {
        let mut repeats = Repeats::default();
        let text = |id| state.texts.text(id);
        let name = |id| text(id).map_or(NULL_TEXT, |text| kept.name_id(text));
        for places in placed.chunk_by(|left, right| left.item == right.item) {
            let Some(first) = places.first() else { continue };
            let item = state.items[first.item.0].row(first.item.1);
            let [_, _, namespace, _, claim, ..] = item.key;
            let whole = [CAPACITY, REQUEST, USAGE].map(|index| item.sum(index).unwrap_or_default());
            let of_claim = || {
                let namespace = text(namespace).unwrap_or("(null)");
                subject(first.day, "claim", text(claim)) + " of namespace " + namespace
            };
            repeats.add(Cause::Places, of_claim, &gained(&whole, places)?, 1)?;

            let of_name = || subject(first.day, "namespace", text(namespace));
            let of_namespace = kept.of_day(Bearer::Namespace, name(namespace), first.day).count() as u32;
            let patterns = self.categories.of(text(namespace)).patterns.max(1);
            for place in places {
                let [capacity, request, usage] = whole;
                let sums: Sums<3> = [capacity, request.shared_by(place.shared_by), usage.shared_by(place.shared_by)];
                let of_node = kept.of_day(Bearer::Node, name(place.node), place.day).count() as u32;
                repeats.add(Cause::NodeLabels, || subject(place.day, "node", text(place.node)), &sums, of_node - 1)?;
                repeats.add(Cause::NamespaceLabels, of_name, &sums, of_node * (of_namespace - 1))?;
                repeats.add(Cause::Patterns, of_name, &sums, of_node * of_namespace * (patterns - 1))?;
            }
        }
        let days = self.scope.days.days_in_month();
        Ok(repeats.findings([15, 16, 17].map(|index| MEASURES[index]), |_, sum| gibibyte_months(sum, days)))
    }
}

/// What the places of an item count beyond the item itself. Request and usage are shared by the nodes of the volume, so
/// their shares are too much only where they come to more than the whole.
fn gained(whole: &Sums<3>, places: &[Placed]) -> Result<Sums<3>> {
    let mut gained = Sums::default();
    for (index, (gained, whole)) in gained.iter_mut().zip(whole).enumerate() {
        for place in places {
            let share = if index == CAPACITY { *whole } else { whole.shared_by(place.shared_by) };
            gained.add(share.0)?;
        }
        gained.add(-whole.0)?;
        gained.0 = gained.0.max(0);
    }
    Ok(gained)
}
