//! Rows of a cluster that a resource id of the bill leads to.

use std::collections::HashMap;

use tokaki_core::Result;

use super::needles::Needles;
use super::semantics::Attribution;
use super::tenant::{ClusterRows, DataSource, OcpRow, Tenant};

/// A cluster's rows by the ids of their machines and volumes.
pub struct IdIndex<'a> {
    tenant: &'a Tenant,
    rows: &'a ClusterRows,
    attribution: Attribution,
    machines: Needles,
    volumes: Needles,
    by_machine: Positions,
    by_volume: Positions,
}

/// Positions in a day's rows, by day and text.
type Positions = HashMap<(i32, u32), Vec<usize>>;

impl<'a> IdIndex<'a> {
    /// The rows of one of the tenant's clusters.
    ///
    /// # Errors
    /// `Bug` only.
    pub fn new(tenant: &'a Tenant, rows: &'a ClusterRows, attribution: Attribution) -> Result<Self> {
        let mut index = Self {
            tenant,
            rows,
            attribution,
            machines: Needles::new(rows.rows().iter().filter_map(|row| tenant.name(row.resource_id)))?,
            volumes: Needles::new(rows.rows().iter().filter_map(|row| volume_text(row, tenant, attribution)))?,
            by_machine: HashMap::new(),
            by_volume: HashMap::new(),
        };
        for day in rows.days() {
            for (position, row) in rows.of_day(day).iter().enumerate() {
                if tenant.name(row.resource_id).is_some() {
                    index.by_machine.entry((day, row.resource_id)).or_default().push(position);
                }
                if let Some(volume) = volume_text(row, tenant, attribution).and_then(|text| tenant.texts.known(text)) {
                    index.by_volume.entry((day, volume)).or_default().push(position);
                }
            }
        }
        Ok(index)
    }

    /// The rows of the machine that the id means. Under `parity` every machine whose id it contains (trap 14); under
    /// `corrected` the one with the longest id that it ends with, and of its rows those of pods (trap 3).
    pub fn machine_rows(&self, day: i32, id: &str) -> Vec<&'a OcpRow> {
        match self.attribution {
            Attribution::Parity => self.rows_at(day, &self.by_machine, &self.machines, self.machines.contained_in(id)),
            Attribution::Corrected => {
                let mut ends = self.machines.ends_of(id).into_iter();
                let longest = ends.find(|end| self.position(day, &self.by_machine, self.machines.text(*end)).is_some());
                let mut rows = self.rows_at(day, &self.by_machine, &self.machines, longest);
                rows.retain(|row| row.data_source == DataSource::Pod);
                rows
            }
        }
    }

    /// The rows of the volume that the id means. Under `parity` every one whose handle it contains (trap 14); under
    /// `corrected` the one that is known by `volume`, the longest text of all volumes of the job that it ends with.
    pub fn volume_rows(&self, day: i32, id: &str, volume: Option<&str>) -> Vec<&'a OcpRow> {
        match self.attribution {
            Attribution::Parity => self.rows_at(day, &self.by_volume, &self.volumes, self.volumes.contained_in(id)),
            Attribution::Corrected => {
                let positions = volume.and_then(|volume| self.position(day, &self.by_volume, volume));
                let rows = self.rows.of_day(day);
                positions.into_iter().flatten().map(|position| &rows[*position]).collect()
            }
        }
    }

    fn rows_at(
        &self,
        day: i32,
        positions: &Positions,
        needles: &Needles,
        found: impl IntoIterator<Item = usize>,
    ) -> Vec<&'a OcpRow> {
        let rows = self.rows.of_day(day);
        let found = found.into_iter().filter_map(|needle| self.position(day, positions, needles.text(needle)));
        let mut found: Vec<usize> = found.flatten().copied().collect();
        found.sort_unstable();
        found.into_iter().map(|position| &rows[position]).collect()
    }

    fn position<'p>(&self, day: i32, positions: &'p Positions, text: &str) -> Option<&'p Vec<usize>> {
        positions.get(&(day, self.tenant.texts.known(text)?))
    }
}

/// What a volume is known by: its handle; under `corrected` its name where it has none (§ 12.1, Volumes).
fn volume_text<'a>(row: &OcpRow, tenant: &'a Tenant, attribution: Attribution) -> Option<&'a str> {
    let handle = tenant.name(row.handle);
    match attribution {
        Attribution::Parity => handle,
        Attribution::Corrected => handle.or_else(|| tenant.name(row.volume_name())),
    }
}
