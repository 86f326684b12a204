//! What carries a machine's id, by the usage of its pods (ocp-on-aws § 7.3).

use std::collections::BTreeMap;

use super::by_id::IdJoin;
use crate::cloud::part::{Class, Part, PartTags};
use crate::cloud::tenant::{DataSource, larger, larger_number};

/// A group of the machine's rows.
#[derive(Default)]
struct Group {
    node: u32,
    usage: Option<f64>,
    capacity: Option<f64>,
    cost_category: Option<i32>,
}

/// A part for each namespace and label text of the machine's rows.
pub(super) fn parts(join: &IdJoin<'_>) -> Vec<Part> {
    let texts = &join.tenant.texts;
    let mut groups: BTreeMap<(u32, u32), Group> = BTreeMap::new();
    for row in &join.machine_rows {
        let group = groups.entry((row.namespace, row.pod_labels)).or_default();
        group.node = larger(texts, group.node, row.node);
        if let Some(usage) = row.usage {
            *group.usage.get_or_insert(0.0) += usage;
        }
        group.capacity = larger_number(group.capacity, row.node_capacity);
        group.cost_category = group.cost_category.max(row.cost_category);
    }
    let equal_share = 1.0 / groups.len() as f64;
    let part = |((namespace, labels), group): ((u32, u32), Group)| Part {
        cluster: join.cluster,
        class: Class::Compute,
        data_source: DataSource::Pod,
        namespace,
        node: group.node,
        volume: [0; 3],
        tags: PartTags::OverLabels(labels),
        cost_category: group.cost_category,
        has_category: true,
        has_direction: false,
        of_costs: group.usage.zip(group.capacity.filter(|capacity| *capacity != 0.0)).map(|(used, of)| used / of),
        of_usage: Some(equal_share),
    };
    groups.into_iter().map(part).collect()
}
