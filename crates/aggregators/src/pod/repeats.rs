//! Pod usage that Koku counts more than once, and why (spec § 9).

use hashbrown::HashMap;
use tokaki_core::rollup::NULL_TEXT;
use tokaki_core::{Finding, Result};

use super::Pod;
use super::state::{MEMORY, PodState};
use crate::labels::{Bearer, KeptLabels};
use crate::summaries::ocp_daily_summary::MEASURES;
use crate::words::repeats::{Cause, Repeats, Sums, subject};
use crate::words::units::{core_hours, gibibyte_hours};

impl Pod {
    /// Each usage group counts once per label set of its node, of its namespace, and per matching pattern. What is
    /// counted again is told cause by cause, so that the amounts add up to the whole.
    pub(super) fn repeats(&self, kept: &KeptLabels, state: &PodState) -> Result<Vec<Finding>> {
        let mut repeats = Repeats::default();
        let text = |id| state.texts.text(id);
        let name = |id| text(id).map_or(NULL_TEXT, |text| kept.name_id(text));
        // There are few nodes and namespaces, and many groups.
        let mut of_nodes: HashMap<(u32, u32), u32> = HashMap::new();
        let mut of_namespaces: HashMap<(u32, u32), (u32, u32)> = HashMap::new();
        let groups = state.usage.iter().flat_map(|usage| usage.keys().iter().enumerate().map(move |it| (usage, it)));
        for (usage, (group, [day_key, namespace, node, ..])) in groups {
            let (day, namespace, node) = (*day_key as i32, *namespace, *node);
            let of_node = *of_nodes
                .entry((*day_key, node))
                .or_insert_with(|| kept.of_day(Bearer::Node, name(node), day).count() as u32);
            let (of_namespace, patterns) = *of_namespaces.entry((*day_key, namespace)).or_insert_with(|| {
                let of_namespace = kept.of_day(Bearer::Namespace, name(namespace), day).count() as u32;
                (of_namespace, self.categories.of(text(namespace)).patterns.max(1))
            });
            if of_node * of_namespace * patterns == 1 {
                continue;
            }
            let row = usage.row(group);
            let sums: Sums<8> = std::array::from_fn(|index| row.sum(index).unwrap_or_default());
            repeats.add(Cause::NodeLabels, || subject(day, "node", text(node)), &sums, of_node - 1)?;
            let labelled = of_node * (of_namespace - 1);
            repeats.add(Cause::NamespaceLabels, || subject(day, "namespace", text(namespace)), &sums, labelled)?;
            let matched = of_node * of_namespace * (patterns - 1);
            repeats.add(Cause::Patterns, || subject(day, "namespace", text(namespace)), &sums, matched)?;
        }
        let in_unit = |index, sum| if index < MEMORY { core_hours(sum) } else { gibibyte_hours(sum) };
        Ok(repeats.findings(std::array::from_fn(|index| MEASURES[index]), in_unit))
    }
}
