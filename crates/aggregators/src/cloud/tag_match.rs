//! Whether a row of the bill may belong to a cluster by its tags, and by which (ocp-on-aws § 4, § 5).

use std::collections::{BTreeSet, HashSet};

use tokaki_core::rollup::Interner;
use tokaki_core::{Cluster, Result};

use super::candidates;
use super::label_pairs::{self, LowerPair};
use super::names::Names;
use super::needles::Needles;
use super::tag_join::Wanted;
use super::tags::{self, Keys};
use super::tenant::ClusterRows;
use crate::words::label_map::LabelMap;

/// What ties tags to one cluster.
#[derive(Debug, Clone)]
pub enum TagMatch {
    /// Texts found in the tags as they are written (`parity`).
    Candidates(Needles),
    /// Decoded tags (`corrected`).
    Decoded(Decoded),
}

/// What decoded tags are compared with (ocp-on-aws § 12.1, Tags).
#[derive(Debug, Clone)]
pub struct Decoded {
    keys: BTreeSet<String>,
    pairs: HashSet<LowerPair>,
    clusters: [String; 2],
    nodes: BTreeSet<Option<String>>,
    namespaces: BTreeSet<Option<String>>,
}

impl TagMatch {
    /// Matches by candidates: those of the special tags, and `generic` ones.
    ///
    /// # Errors
    /// `Bug` only.
    pub fn by_candidates(cluster: &Cluster, names: &Names, generic: Vec<String>) -> Result<Self> {
        let reference = &cluster.reference;
        let special = candidates::special(&reference.cluster_id, &reference.cluster_alias, names);
        Ok(Self::Candidates(Needles::new(special.iter().chain(&generic).map(String::as_str))?))
    }

    /// Matches nothing.
    ///
    /// # Errors
    /// `Bug` only.
    pub fn nothing() -> Result<Self> {
        Needles::new([]).map(Self::Candidates)
    }

    /// Matches by decoded pairs.
    ///
    /// # Errors
    /// `Bug` only.
    pub fn decoded(
        cluster: &Cluster,
        names: &Names,
        keys: &Keys,
        rows: &ClusterRows,
        texts: &Interner,
    ) -> Result<Self> {
        let non_empty = |names: &BTreeSet<Option<String>>| -> BTreeSet<Option<String>> {
            names.iter().filter(|name| name.as_deref().is_some_and(|name| !name.is_empty())).cloned().collect()
        };
        Ok(Self::Decoded(Decoded {
            keys: keys.of_both_in_lower_case(),
            pairs: label_pairs::of_cluster(rows, texts, None)?,
            clusters: [cluster.reference.cluster_id.clone(), cluster.reference.cluster_alias.clone()],
            nodes: non_empty(&names.nodes),
            namespaces: non_empty(&names.namespaces),
        }))
    }

    /// Candidates, if it matches by them.
    pub fn candidates(&self) -> impl Iterator<Item = &str> {
        let needles = match self {
            Self::Candidates(needles) => Some(needles),
            Self::Decoded(_) => None,
        };
        needles.into_iter().flat_map(Needles::texts)
    }

    /// What labels are to be looked for on behalf of these tags; `None` if the tags do not tie the row to the cluster.
    ///
    /// # Errors
    /// `Label` if the tags are no flat JSON object.
    pub fn matched(&self, tags: Option<&str>) -> Result<Option<BTreeSet<Wanted>>> {
        let Some(tags) = tags else { return Ok(None) };
        match self {
            Self::Candidates(candidates) => {
                let found = candidates.contained_in(tags).into_iter();
                let wanted: BTreeSet<Wanted> =
                    found.map(|position| Wanted::Candidate(candidates.text(position).to_owned())).collect();
                Ok(if wanted.is_empty() { None } else { Some(wanted) })
            }
            Self::Decoded(decoded) => decoded.matched(tags),
        }
    }
}

impl Decoded {
    fn matched(&self, tags: &str) -> Result<Option<BTreeSet<Wanted>>> {
        let tags = LabelMap::filtered(Some(tags), |_| true)?;
        let pairs = tags.pairs().filter_map(LowerPair::of);
        let common = pairs.filter(|pair| self.keys.contains(pair.key()) && self.pairs.contains(pair));
        let wanted: BTreeSet<Wanted> = common.map(Wanted::Pair).collect();
        let is_named = |names: &BTreeSet<Option<String>>, key: &str| {
            tags::special(&tags, key).is_some_and(|name| names.contains(&Some(name.to_owned())))
        };
        let is_named = tags::special(&tags, tags::CLUSTER)
            .is_some_and(|name| self.clusters.iter().any(|cluster| cluster == name))
            || is_named(&self.nodes, tags::NODE)
            || is_named(&self.namespaces, tags::PROJECT);
        Ok(if wanted.is_empty() && !is_named { None } else { Some(wanted) })
    }
}
