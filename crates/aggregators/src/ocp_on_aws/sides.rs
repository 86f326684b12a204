//! What is known of the clusters before the first row of the bill.

use std::collections::BTreeSet;

use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use tokaki_core::{Bill, DateRange, Error, Result};

use crate::cloud::candidates;
use crate::cloud::names::Names;
use crate::cloud::needles::Needles;
use crate::cloud::semantics::Attribution;
use crate::cloud::tag_match::TagMatch;
use crate::cloud::tags::Keys;
use crate::cloud::tenant::{INPUTS, Tenant, cast};

/// The clusters of a window.
pub(super) struct Sides {
    pub(super) days: DateRange,
    pub(super) attribution: Attribution,
    pub(super) tenant: Tenant,
    pub(super) keys: Keys,
    /// Whether each cluster runs on the account, in the order of the bill (§ 2.4).
    pub(super) paired: Vec<bool>,
    /// How ids and tags are tied to each cluster, in the order of the bill. Nothing is to one that runs elsewhere.
    pub(super) clusters: Vec<Matches>,
    /// Handles of volumes without a name, of all clusters (trap 6).
    pub(super) nameless: Needles,
    /// What volumes are known by: handles of the window (`parity`), or handles and names of the whole job
    /// (`corrected`), of all clusters.
    pub(super) volumes: Needles,
}

/// How ids and tags are tied to one cluster.
pub(super) struct Matches {
    /// What a resource id must end with: machine ids, and names and handles of volumes (§ 5).
    pub(super) id_ends: Needles,
    pub(super) tags: TagMatch,
    /// Candidates of keys that are not enabled for both sides (trap 21).
    pub(super) of_other_keys: BTreeSet<String>,
}

impl Sides {
    /// What was handed over for a window.
    ///
    /// # Errors
    /// `Bug` only.
    pub(super) fn new(
        bill: &Bill,
        openshift_keys: &[String],
        attribution: Attribution,
        handovers: &[RecordBatch],
        days: DateRange,
    ) -> Result<Self> {
        const OF_CLUSTER: usize = INPUTS + 1;
        let (of_clusters, rest) = handovers
            .split_at_checked(bill.clusters.len() * OF_CLUSTER)
            .ok_or_else(|| Error::bug("a cluster handed nothing over"))?;
        let keys = Keys::new(&bill.enabled_tag_keys, openshift_keys, attribution);
        let (tags, pairs) = match attribution {
            Attribution::Parity => (rest.first(), rest.get(1)),
            Attribution::Corrected => (None, rest.first()),
        };
        let paired = paired(bill, pairs)?;
        let generic = generic_candidates(tags, bill.clusters.len(), &keys)?;
        let mut tenant = Tenant::default();
        let mut names_of_clusters = Vec::with_capacity(bill.clusters.len());
        for (cluster, handed_over) in bill.clusters.iter().zip(of_clusters.chunks(OF_CLUSTER)) {
            let (names, rows) = handed_over.split_at(1);
            names_of_clusters.push(Names::new(&names[0], days, attribution)?);
            tenant.add(rows, cluster.distribution)?;
        }
        let mut clusters = Vec::with_capacity(bill.clusters.len());
        for ((((cluster, names), rows), generic), paired) in
            bill.clusters.iter().zip(&names_of_clusters).zip(&tenant.clusters).zip(generic).zip(&paired)
        {
            if !paired {
                clusters.push(Matches::nothing()?);
                continue;
            }
            let Generic { candidates, of_other_keys } = generic;
            let tags = match attribution {
                Attribution::Parity => TagMatch::by_candidates(cluster, names, candidates)?,
                Attribution::Corrected => TagMatch::decoded(cluster, names, &keys, rows, &tenant.texts)?,
            };
            let id_ends = Needles::new(names.machines.iter().chain(&names.volumes).map(String::as_str))?;
            clusters.push(Matches { id_ends, tags, of_other_keys });
        }
        let volumes = match attribution {
            Attribution::Parity => {
                let rows = tenant.clusters.iter().flat_map(|cluster| cluster.rows());
                Needles::new(rows.filter_map(|row| tenant.name(row.handle)))?
            }
            Attribution::Corrected => {
                Needles::new(names_of_clusters.iter().flat_map(|names| &names.volumes_of_job).map(String::as_str))?
            }
        };
        let on_account = names_of_clusters.iter().zip(&paired).filter(|(_, paired)| **paired);
        let nameless = Needles::new(on_account.flat_map(|(names, _)| &names.nameless).map(String::as_str))?;
        Ok(Self { days, attribution, tenant, keys, paired, clusters, nameless, volumes })
    }

    /// Whether a resource id is that of a machine or volume of some cluster.
    pub(super) fn is_any_id(&self, id: Option<&str>) -> bool {
        id.is_some_and(|id| self.clusters.iter().any(|cluster| cluster.id_ends.any_ends(id)))
    }

    /// Whether a resource id would be that of a volume if the volume had a name.
    pub(super) fn is_nameless(&self, id: Option<&str>) -> bool {
        id.is_some_and(|id| self.nameless.any_ends(id)) && !self.is_any_id(id)
    }

    /// Whether a resource id may be that of a disk whose size matters.
    pub(super) fn is_disk(&self, id: Option<&str>) -> bool {
        id.is_some_and(|id| self.volumes.any_in(id)) && self.is_any_id(id)
    }

    /// Whether tags may tie a row to some cluster.
    ///
    /// # Errors
    /// `Label` if they are no flat JSON object.
    pub(super) fn are_any_tags(&self, tags: Option<&str>) -> Result<bool> {
        for cluster in &self.clusters {
            if cluster.tags.matched(tags)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Matches {
    /// Those of a cluster that runs elsewhere.
    fn nothing() -> Result<Self> {
        Ok(Self { id_ends: Needles::new([])?, tags: TagMatch::nothing()?, of_other_keys: BTreeSet::new() })
    }
}

/// Whether each cluster runs on the account: those that are mapped, and those that `aws_pairs` found.
fn paired(bill: &Bill, found: Option<&RecordBatch>) -> Result<Vec<bool>> {
    let mut paired: Vec<bool> = bill.clusters.iter().map(|cluster| cluster.mapped).collect();
    if let Some(found) = found {
        let clusters = cast(found, "cluster", |column| column.as_primitive_opt::<Int32Type>())?;
        for cluster in clusters.values() {
            if let Some(paired) = paired.get_mut(*cluster as usize) {
                *paired = true;
            }
        }
    }
    Ok(paired)
}

/// The generic candidates of a cluster.
#[derive(Debug, Clone, Default)]
struct Generic {
    candidates: Vec<String>,
    of_other_keys: BTreeSet<String>,
}

/// The generic candidates of each cluster, from what `aws_tags` handed over.
fn generic_candidates(pairs: Option<&RecordBatch>, clusters: usize, enabled: &Keys) -> Result<Vec<Generic>> {
    let mut candidates = vec![Generic::default(); clusters];
    let Some(pairs) = pairs else { return Ok(candidates) };
    let enabled = enabled.of_both_in_lower_case();
    let cluster = cast(pairs, "cluster", |column| column.as_primitive_opt::<Int32Type>())?;
    let keys: &StringArray = cast(pairs, "key", |column| column.as_string_opt())?;
    let values: &StringArray = cast(pairs, "value", |column| column.as_string_opt())?;
    for row in 0..pairs.num_rows() {
        if let Some(of_cluster) = candidates.get_mut(cluster.value(row) as usize) {
            let (key, value) = (keys.value(row), values.value(row));
            let candidate = candidates::of_pair(key, value);
            if !enabled.contains(&key.to_lowercase()) {
                of_cluster.of_other_keys.insert(candidate.clone());
            }
            of_cluster.candidates.push(candidate);
        }
    }
    Ok(candidates)
}
