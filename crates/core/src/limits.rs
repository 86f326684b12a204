//! Values that no sink takes, so that a run that works with one works with all.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Float64Type;

use crate::error::{Error, ErrorKind, Place, Result};
use crate::output::{FieldKind, Output};

/// First value that `numeric(33,15)` cannot hold.
const TOO_LARGE: f64 = 1e18;

impl Output {
    /// Whether a destination can take `rows`. Every sink asks this before it writes any of them.
    ///
    /// # Errors
    /// `Type`, with table and column, for a text that is too long or holds U+0000, and for a measure that is no number or
    /// too large; `Bug` if the rows have other columns than [`Output::schema`].
    pub fn check_rows(&self, rows: &RecordBatch) -> Result<()> {
        if rows.schema() != self.schema() {
            return Err(Error::bug("the rows have other columns than their output"));
        }
        for (field, column) in self.fields.iter().zip(rows.columns()) {
            if let Some(fault) = fault(field.kind, column) {
                let table = self.destination.as_ref().map(|destination| destination.table.name.into());
                let place = Place { table, ..Place::default() };
                return Err(Error::new(ErrorKind::Type, fault).column(field.name).at(&place));
            }
        }
        Ok(())
    }
}

/// What is wrong with the first value that does not fit.
fn fault(kind: FieldKind, column: &dyn Array) -> Option<String> {
    match kind {
        FieldKind::Text(limit) => column.as_string::<i32>().iter().flatten().find_map(|text| misfit(text, limit)),
        FieldKind::Texts(limit) => {
            let lists = column.as_string::<i32>().iter().flatten();
            lists.map(serde_json::from_str::<Vec<Option<String>>>).find_map(|list| match list {
                Ok(texts) => texts.iter().flatten().find_map(|text| misfit(text, limit)),
                Err(error) => Some(format!("a list of texts is none: {error}")),
            })
        }
        FieldKind::Measure => column.as_primitive::<Float64Type>().iter().flatten().find_map(|value| {
            (!value.is_finite() || value.abs() >= TOO_LARGE)
                .then(|| format!("{value} does not fit the column, which holds 18 digits before the point"))
        }),
        _ => None,
    }
}

/// What is wrong with a text of at most `limit` characters, any number if 0.
fn misfit(text: &str, limit: u16) -> Option<String> {
    if text.contains('\0') {
        return Some("a text holds the character U+0000, which PostgreSQL cannot store".to_owned());
    }
    // Few texts have more bytes than they may have characters, and only those must be counted.
    let limit = usize::from(limit);
    let length = if limit > 0 && text.len() > limit { text.chars().count() } else { 0 };
    (length > limit).then(|| format!("a text of {length} characters is too long, the limit is {limit}"))
}
