//! Values that no sink takes, so that a run that works with one works with all.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Float64Type;
use tokaki_core::{Error, ErrorKind, FieldKind, Output, Result};

use crate::target::{destination, table_place};

/// First value that `numeric(33,15)` cannot hold.
const TOO_LARGE: f64 = 1e18;

/// Refuses texts that are too long or hold U+0000, and measures that are no number or too large.
pub(crate) fn check_limits(output: &Output, rows: &RecordBatch) -> Result<()> {
    if rows.schema() != output.schema() {
        return Err(Error::bug("the rows have other columns than their output"));
    }
    for (field, column) in output.fields.iter().zip(rows.columns()) {
        let fault = match field.kind {
            FieldKind::Text(limit) => column.as_string::<i32>().iter().flatten().find_map(|text| {
                if text.contains('\0') {
                    return Some("a text holds the character U+0000, which PostgreSQL cannot store".to_owned());
                }
                // Few texts have more bytes than they may have characters, and only those must be counted.
                let limit = usize::from(limit);
                let length = if limit > 0 && text.len() > limit { text.chars().count() } else { 0 };
                (length > limit).then(|| format!("a text of {length} characters is too long, the limit is {limit}"))
            }),
            FieldKind::Measure => column.as_primitive::<Float64Type>().iter().flatten().find_map(|value| {
                (!value.is_finite() || value.abs() >= TOO_LARGE)
                    .then(|| format!("{value} does not fit the column, which holds 18 digits before the point"))
            }),
            _ => None,
        };
        if let Some(fault) = fault {
            return Err(Error::new(ErrorKind::Type, fault)
                .column(field.name)
                .at(&table_place(destination(output)?.table)));
        }
    }
    Ok(())
}
