//! Ids of rows that stay.
//!
//! Row ids are derived from the rows' keys. A row of an earlier run that others have given a cost stays (spec § 11), and
//! with it the id that the new row of the same key would get. The new row then takes an id derived from that one.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use tokaki_core::{Error, Result, Table};
use uuid::Uuid;

/// Ids in the scope that new rows must not take.
#[derive(Debug, Default)]
pub(crate) struct TakenIds(HashSet<String>);

impl TakenIds {
    /// Adds ids in their 36-character form.
    pub(crate) fn extend(&mut self, ids: impl IntoIterator<Item = String>) {
        self.0.extend(ids);
    }

    /// `rows` with ids that are not taken.
    pub(crate) fn avoid(&self, table: &Table, rows: &RecordBatch) -> Result<RecordBatch> {
        let position = table.id_field().and_then(|id| rows.schema().index_of(id).ok());
        let (Some(position), false) = (position, self.0.is_empty()) else { return Ok(rows.clone()) };
        let Some(ids) = rows.column(position).as_string_opt::<i32>() else {
            return Err(Error::bug("row ids are not texts"));
        };
        let free: StringArray = ids.iter().map(|id| id.map(|id| self.free(id))).collect();
        let mut columns: Vec<ArrayRef> = rows.columns().to_vec();
        columns[position] = Arc::new(free);
        RecordBatch::try_new(rows.schema(), columns).map_err(|error| Error::bug(error.to_string()))
    }

    fn free(&self, id: &str) -> String {
        let mut id = id.to_owned();
        while self.0.contains(&id) {
            id = Uuid::new_v5(&Uuid::NAMESPACE_OID, id.as_bytes()).to_string();
        }
        id
    }
}
