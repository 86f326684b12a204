//! Sizes of disks, and what volumes claim of them (ocp-on-aws § 6, § 7.2).

use std::collections::BTreeMap;

use crate::cloud::semantics::Attribution;
use crate::cloud::tenant::{OcpRow, Tenant, larger_number};

/// Unit in which the size of a disk is billed.
const GIGABYTE_MONTHS: &str = "GB-Mo";

/// Size in GB of a disk that cost at most `cost` in an hour, at a price of at most `rate` for a GB in a month of so many
/// hours. `None` where that is no positive size.
fn capacity(cost: Option<f64>, rate: Option<f64>, hours_of_month: f64) -> Option<f64> {
    // `f64::round` rounds half away from zero.
    let capacity = (cost? / (rate? / hours_of_month)).round();
    (capacity.is_finite() && capacity > 0.0).then_some(capacity)
}

/// Hourly maxima of a disk's line items on a day.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Disk {
    cost: Option<f64>,
    rate: Option<f64>,
    /// Number of units that its line items have.
    pub(super) units: u32,
}

impl Disk {
    /// Takes in the maxima of the line items in one unit. Under `corrected` only gigabyte-months tell the size (trap 7).
    pub(super) fn raise(&mut self, cost: Option<f64>, rate: Option<f64>, unit: Option<&str>, attribution: Attribution) {
        self.units += 1;
        if attribution == Attribution::Parity || unit == Some(GIGABYTE_MONTHS) {
            self.cost = larger_number(self.cost, cost);
            self.rate = larger_number(self.rate, rate);
        }
    }

    /// The size in GB, if there is one.
    pub(super) fn capacity(&self, hours_of_month: f64) -> Option<f64> {
        capacity(self.cost, self.rate, hours_of_month)
    }

    /// Whether it costs something at a rate of nothing (trap 8).
    pub(super) fn is_without_rate(&self) -> bool {
        self.rate == Some(0.0) && self.cost.is_some_and(|cost| cost != 0.0)
    }
}

/// What the volumes of all clusters claim of a disk (P and C of § 7.2).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Pool {
    /// Sum of the volumes' sizes, GiB.
    pub(super) claimed: Option<f64>,
    /// Number of clusters with such volumes.
    pub(super) clusters: u32,
}

impl Pool {
    /// The pool of these rows, each with the position of its cluster. A volume counts once, with its largest size.
    pub(super) fn of<'a>(rows: impl Iterator<Item = (usize, &'a OcpRow)>, tenant: &Tenant) -> Self {
        let mut volumes: BTreeMap<(usize, Option<&str>), Option<f64>> = BTreeMap::new();
        for (cluster, row) in rows {
            let size = volumes.entry((cluster, tenant.texts.text(row.volume_name()))).or_default();
            *size = larger_number(*size, row.claim_size);
        }
        let mut clusters: Vec<usize> = volumes.keys().map(|(cluster, _)| *cluster).collect();
        clusters.dedup();
        // In the order of clusters and names, so that the sum has the same bits each time.
        let claimed = volumes.into_values().flatten().reduce(|sum, size| sum + size);
        Self { claimed, clusters: clusters.len() as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_what_the_cost_buys() {
        // 100 GB at 0.10 a GB-month, in a month of 31 days.
        let hours = 31.0 * 24.0;
        assert_eq!(capacity(Some(100.0 * 0.1 / hours), Some(0.1), hours), Some(100.0));
        assert_eq!(capacity(Some(1.0), Some(0.0), hours), None);
        assert_eq!(capacity(Some(0.0), Some(0.0), hours), None);
        assert_eq!(capacity(Some(0.0), Some(0.1), hours), None);
        assert_eq!(capacity(None, Some(0.1), hours), None);
    }
}
