//! Pairs of keys and values, compared without regard to case.

use std::collections::HashSet;

use tokaki_core::Result;

use super::needles::Needles;
use super::tenant::ClusterRows;
use crate::words::label_map::LabelMap;
use tokaki_core::rollup::Interner;

/// A pair in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LowerPair {
    key: String,
    value: String,
}

impl LowerPair {
    /// The pair in lower case; a pair without value is none.
    pub fn of((key, value): (&str, Option<&str>)) -> Option<Self> {
        Some(Self { key: key.to_lowercase(), value: value?.to_lowercase() })
    }

    /// The key, in lower case.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// The pairs of a canonical label text.
///
/// # Errors
/// `Bug` if it is not canonical.
pub fn pairs_of(labels: &str) -> Result<Vec<LowerPair>> {
    Ok(LabelMap::from_canonical(labels)?.pairs().filter_map(LowerPair::of).collect())
}

/// The distinct label texts of a cluster's rows, of pods and volumes, by id in ascending order.
pub fn label_texts(cluster: &ClusterRows, texts: &Interner) -> Vec<u32> {
    let ids = cluster.rows().iter().flat_map(|row| [row.pod_labels, row.volume_labels]);
    let mut ids: Vec<u32> = ids.filter(|id| texts.text(*id).is_some()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The pairs of all labels of a cluster; of labels whose text contains one of `needles` only, if there are any.
///
/// # Errors
/// `Bug` if a label text is not canonical.
pub fn of_cluster(cluster: &ClusterRows, texts: &Interner, needles: Option<&Needles>) -> Result<HashSet<LowerPair>> {
    let mut pairs = HashSet::new();
    for text in label_texts(cluster, texts).into_iter().filter_map(|id| texts.text(id)) {
        if needles.is_none_or(|needles| needles.any_in(text)) {
            pairs.extend(pairs_of(text)?);
        }
    }
    Ok(pairs)
}
