//! The destination tables of a run, each once, whatever number of outputs goes there.

use std::collections::{BTreeMap, BTreeSet};

use tokaki_core::{Condition, Destination, Error, Field, Output, Place, Result, Table};

/// A destination table and what the run does with it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The table.
    pub(crate) table: &'static Table,
    /// Columns that some output writes, in the table's order.
    pub(crate) fields: Vec<Field>,
    /// Rows to be replaced: those that meet all conditions of one of the lists. Each list occurs once.
    pub(crate) owned: Vec<Vec<Condition>>,
    /// Further sources than the scope's that its rows are about.
    pub(crate) also_of: BTreeSet<String>,
}

impl Target {
    /// A column of the table as the place of an error.
    pub(crate) fn place(&self, column: Option<&str>) -> Place {
        Place { column: column.map(Into::into), ..table_place(self.table) }
    }
}

/// A table as the place of an error.
pub(crate) fn table_place(table: &Table) -> Place {
    Place { table: Some(table.name.into()), ..Place::default() }
}

/// Where `output` goes.
///
/// # Errors
/// `Bug` if it goes nowhere: such outputs are for other aggregators.
pub(crate) fn destination(output: &Output) -> Result<&Destination> {
    output.destination.as_ref().ok_or_else(|| Error::bug("an output without a destination was given to a sink"))
}

/// The tables that `outputs` go to, sorted by name, so that all runs take their locks in one order.
pub(crate) fn targets(outputs: &[Output]) -> Result<Vec<Target>> {
    let mut targets: BTreeMap<&str, Target> = BTreeMap::new();
    for output in outputs {
        let Destination { table, owned, also_of, .. } = destination(output)?;
        let new = || Target { table, fields: vec![], owned: vec![], also_of: BTreeSet::new() };
        let target = targets.entry(table.name).or_insert_with(new);
        target.also_of.extend(also_of.clone());
        if !target.owned.contains(owned) {
            target.owned.push(owned.clone());
        }
        let written = |field: &Field| target.fields.contains(field) || output.fields.contains(field);
        target.fields = table.fields.iter().filter(|field| written(field)).copied().collect();
    }
    Ok(targets.into_values().collect())
}
