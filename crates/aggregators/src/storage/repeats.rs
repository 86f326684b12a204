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
            for (position, place) in places.iter().enumerate() {
                let item = &state.items[place.item.0].rows()[place.item.1];
                let [_, _, namespace, _, claim, ..] = item.key;
                let of_node = kept.of_day(Bearer::Node, name(place.node), place.day).count() as u32;
                let of_namespace = kept.of_day(Bearer::Namespace, name(namespace), place.day).count() as u32;
                let patterns = self.categories.of(text(namespace)).patterns.max(1);
                let shared = |index| item.sum(index).unwrap_or_default().shared_by(place.shared_by);
                let sums: Sums<3> = [item.sum(CAPACITY).unwrap_or_default(), shared(REQUEST), shared(USAGE)];

                let again = u32::from(position > 0);
                let of_claim = || {
                    let namespace = text(namespace).unwrap_or("(null)");
                    subject(place.day, "claim", text(claim)) + " of namespace " + namespace
                };
                repeats.add(Cause::Places, of_claim, &sums, again)?;
                repeats.add(Cause::NodeLabels, || subject(place.day, "node", text(place.node)), &sums, of_node - 1)?;
                let of_name = || subject(place.day, "namespace", text(namespace));
                repeats.add(Cause::NamespaceLabels, of_name, &sums, of_node * (of_namespace - 1))?;
                repeats.add(Cause::Patterns, of_name, &sums, of_node * of_namespace * (patterns - 1))?;
            }
        }
        let days = self.scope.days.days_in_month();
        Ok(repeats.findings([15, 16, 17].map(|index| MEASURES[index]), |_, sum| gibibyte_months(sum, days)))
    }
}
