//! What a resource id leads to in one cluster on one day.

use super::compute;
use super::disks::Pool;
use super::network;
use super::storage;
use crate::cloud::part::Part;
use crate::cloud::semantics::Attribution;
use crate::cloud::tenant::{OcpRow, Tenant, larger_number};

/// The rows of a cluster that belong to an id on a day.
pub(super) struct IdJoin<'a> {
    pub(super) cluster: usize,
    pub(super) attribution: Attribution,
    pub(super) tenant: &'a Tenant,
    pub(super) nobodys: [u32; 2],
    pub(super) machine_rows: Vec<&'a OcpRow>,
    pub(super) volume_rows: Vec<&'a OcpRow>,
    /// Size of the disk in GB, if it is one.
    pub(super) capacity: Option<f64>,
    /// What all clusters claim of it.
    pub(super) pool: Pool,
}

/// A label text of merged labels, which no row has.
pub(super) type MergedLabels<'m> = &'m mut dyn FnMut(&[&str]) -> tokaki_core::Result<u32>;

impl IdJoin<'_> {
    /// Share of the disk that volumes without a name claim, for which there is no part (trap 6).
    pub(super) fn claimed_without_name(&self) -> f64 {
        let (Some(capacity), Attribution::Parity) = (self.capacity, self.attribution) else { return 0.0 };
        let nameless = self.volume_rows.iter().filter(|row| self.tenant.texts.text(row.volume_name()).is_none());
        let size = nameless.fold(None, |size, row| larger_number(size, row.claim_size));
        size.unwrap_or(0.0) / capacity
    }

    /// The parts of a row with this id, which is about data sent or received if `has_direction`.
    ///
    /// # Errors
    /// `Bug` only.
    pub(super) fn parts(&self, has_direction: bool, merged: MergedLabels<'_>) -> tokaki_core::Result<Vec<Part>> {
        if has_direction {
            return Ok(network::parts(self));
        }
        match self.capacity {
            Some(capacity) => storage::parts(self, capacity, merged),
            None => Ok(compute::parts(self)),
        }
    }
}
