//! Disks by what volumes claim of them (ocp-on-aws § 7.1, § 7.2).

use std::collections::{BTreeMap, BTreeSet};

use tokaki_core::Result;

use super::by_id::{IdJoin, MergedLabels};
use super::disks::Pool;
use super::nobodys;
use crate::cloud::part::{Class, Part, PartTags};
use crate::cloud::semantics::Attribution;
use crate::cloud::tenant::{DataSource, OcpRow, larger, larger_number};

/// A part for each group of the volumes' rows, and one for what no volume claims.
///
/// # Errors
/// `Bug` only.
pub(super) fn parts(join: &IdJoin<'_>, capacity: f64, merged: MergedLabels<'_>) -> Result<Vec<Part>> {
    let texts = &join.tenant.texts;
    let unattributed = texts.known(nobodys::TEXTS[nobodys::STORAGE]);
    let joined = join.volume_rows.iter().copied().filter(|row| {
        texts.text(row.namespace).is_some()
            && Some(row.namespace) != unattributed
            && (join.attribution == Attribution::Corrected || texts.text(row.volume_name()).is_some())
    });
    let joined: Vec<&OcpRow> = joined.collect();
    let mut parts = match join.attribution {
        Attribution::Parity => by_labels(join, &joined, capacity),
        Attribution::Corrected => by_volume(join, &joined, capacity, merged)?,
    };
    if let Pool { claimed: Some(claimed), clusters } = join.pool
        && !joined.is_empty()
        && claimed != capacity
    {
        let of_costs = Some((capacity - claimed) / capacity / f64::from(clusters));
        parts.push(Part { volume: largest_volume(join, &joined), of_costs, ..nobodys(join) });
    }
    Ok(parts)
}

/// Koku's groups: by namespace and label text, whatever the volume (trap 4).
fn by_labels(join: &IdJoin<'_>, joined: &[&OcpRow], capacity: f64) -> Vec<Part> {
    let mut groups: BTreeMap<(u32, u32), Vec<&OcpRow>> = BTreeMap::new();
    for row in joined {
        groups.entry((row.namespace, row.volume_labels)).or_default().push(row);
    }
    let part = |((namespace, labels), rows): ((u32, u32), Vec<&OcpRow>)| {
        let of_costs = size(&rows).map(|size| size / capacity);
        part_of(join, namespace, labels, &rows, of_costs)
    };
    groups.into_iter().map(part).collect()
}

/// One part for each volume and namespace (ocp-on-aws § 12.1, Disks).
fn by_volume(join: &IdJoin<'_>, joined: &[&OcpRow], capacity: f64, merged: MergedLabels<'_>) -> Result<Vec<Part>> {
    let texts = &join.tenant.texts;
    let mut volumes: BTreeMap<u32, BTreeMap<u32, Vec<&OcpRow>>> = BTreeMap::new();
    for row in joined {
        volumes.entry(row.volume_name()).or_default().entry(row.namespace).or_default().push(row);
    }
    let mut parts = Vec::new();
    for namespaces in volumes.into_values() {
        let rows: Vec<&OcpRow> = namespaces.values().flatten().copied().collect();
        let of_costs = size(&rows).map(|size| size / capacity / namespaces.len() as f64);
        for (namespace, rows) in namespaces {
            let labels: BTreeSet<&str> = rows.iter().filter_map(|row| texts.text(row.volume_labels)).collect();
            let labels: Vec<&str> = labels.into_iter().collect();
            let labels = if labels.is_empty() { 0 } else { merged(&labels)? };
            parts.push(part_of(join, namespace, labels, &rows, of_costs));
        }
    }
    Ok(parts)
}

fn size(rows: &[&OcpRow]) -> Option<f64> {
    rows.iter().fold(None, |size, row| larger_number(size, row.claim_size))
}

fn part_of(join: &IdJoin<'_>, namespace: u32, labels: u32, rows: &[&OcpRow], of_costs: Option<f64>) -> Part {
    let texts = &join.tenant.texts;
    let volume = largest_volume(join, rows);
    let node = rows.iter().fold(0, |node, row| larger(texts, node, row.node));
    // A volume without claim is nobody's.
    if texts.text(volume[0]) == Some("") {
        return Part { node, volume, of_costs, ..nobodys(join) };
    }
    Part {
        namespace,
        node,
        volume,
        tags: PartTags::OverLabels(labels),
        cost_category: rows.iter().filter_map(|row| row.cost_category).max(),
        has_category: true,
        of_costs,
        of_usage: Some(1.0),
        ..nobodys(join)
    }
}

/// The largest claim, volume and storage class.
fn largest_volume(join: &IdJoin<'_>, rows: &[&OcpRow]) -> [u32; 3] {
    let texts = &join.tenant.texts;
    std::array::from_fn(|part| rows.iter().fold(0, |known, row| larger(texts, known, row.volume[part])))
}

fn nobodys(join: &IdJoin<'_>) -> Part {
    Part {
        cluster: join.cluster,
        class: Class::Storage,
        data_source: DataSource::Storage,
        namespace: join.nobodys[nobodys::STORAGE],
        node: 0,
        volume: [0; 3],
        tags: PartTags::Null,
        cost_category: None,
        has_category: false,
        has_direction: false,
        of_costs: None,
        of_usage: None,
    }
}
