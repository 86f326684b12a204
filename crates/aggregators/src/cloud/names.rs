//! What a cluster calls its parts, on the days of a window and on all days of the job.

use std::collections::BTreeSet;

use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::datatypes::Date32Type;
use tokaki_core::scope::days_since_epoch;
use tokaki_core::{DateRange, Result};

use super::semantics::Attribution;
use super::tenant::cast;
use crate::cluster_names::Named;

/// The names of a cluster. Null names are left out, except where they are candidates.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Machine ids of the window's pod line items (N of § 5).
    pub machines: BTreeSet<String>,
    /// Nodes of the window's pod line items; null is one.
    pub nodes: BTreeSet<Option<String>>,
    /// Namespaces of the window's pod line items; null is one.
    pub namespaces: BTreeSet<Option<String>>,
    /// Names and handles of the window's volumes that an id may end with (V of § 5).
    pub volumes: BTreeSet<String>,
    /// Handles of the window's volumes without a name, which no id is compared with (trap 6). Only under `parity`.
    pub nameless: BTreeSet<String>,
    /// What each volume of the job is known by: its handle, else its name (§ 12.1, Volumes).
    pub volumes_of_job: BTreeSet<String>,
}

impl Names {
    /// The names that `cluster_names` handed over.
    ///
    /// # Errors
    /// `Bug` if it did not.
    pub fn new(names: &RecordBatch, days: DateRange, attribution: Attribution) -> Result<Self> {
        let day = cast(names, "day", |column| column.as_primitive_opt::<Date32Type>())?;
        let named: &StringArray = cast(names, "named", |column| column.as_string_opt())?;
        let first: &StringArray = cast(names, "name", |column| column.as_string_opt())?;
        let second: &StringArray = cast(names, "second_name", |column| column.as_string_opt())?;
        let window = days_since_epoch(days.start())..=days_since_epoch(days.end());
        let mut known = Self::default();
        for (row, (first, second)) in first.iter().zip(second).enumerate() {
            let named = Named::of_word(named.value(row));
            let (first_name, second_name) = (non_empty(first), non_empty(second));
            if named == Some(Named::Volume) {
                known.volumes_of_job.extend(second_name.or(first_name).map(str::to_owned));
            }
            if !window.contains(&i64::from(day.value(row))) {
                continue;
            }
            match named {
                Some(Named::Machine) => known.machines.extend(first_name.map(str::to_owned)),
                Some(Named::Node) => drop(known.nodes.insert(first.map(str::to_owned))),
                Some(Named::Namespace) => drop(known.namespaces.insert(first.map(str::to_owned))),
                // A handle counts with the name only (trap 6).
                Some(Named::Volume) if first_name.is_some() || attribution == Attribution::Corrected => {
                    known.volumes.extend([first_name, second_name].into_iter().flatten().map(str::to_owned));
                }
                Some(Named::Volume) => known.nameless.extend(second_name.map(str::to_owned)),
                None => {}
            }
        }
        Ok(known)
    }
}

fn non_empty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}
