//! What tags lead to (ocp-on-aws § 7.4).

use crate::cloud::part::{Class, Part, PartTags};
use crate::cloud::tag_join::TagGroup;
use crate::cloud::tenant::Tenant;

/// An equal part for each of a cluster's groups, of which the row has `share` in all.
pub(super) fn parts(cluster: usize, groups: &[TagGroup], share: f64, tenant: &Tenant) -> Vec<Part> {
    let share = share / groups.len() as f64;
    let part = |group: &TagGroup| Part {
        cluster,
        class: Class::Tag,
        data_source: group.data_source,
        namespace: group.namespace,
        node: group.node,
        volume: group.volume.map(|part| if tenant.name(part).is_some() { part } else { 0 }),
        tags: PartTags::OverLabels(if group.pod_labels == 0 { group.volume_labels } else { group.pod_labels }),
        cost_category: group.cost_category,
        has_category: true,
        has_direction: false,
        of_costs: Some(share),
        of_usage: Some(share),
    };
    groups.iter().map(part).collect()
}
