//! Whether finished rows are those that their output may write.

use std::collections::BTreeSet;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Float64Type};

use super::shown::cell;
use crate::output::{Condition, Output};
use crate::scope::{DateRange, NANOSECONDS_PER_DAY};

/// Says of the first row that the next run would not replace, or that is there twice, what is wrong with it.
pub(super) fn check(output: &Output, rows: &RecordBatch, days: DateRange) -> Result<(), String> {
    let Some(destination) = &output.destination else { return Ok(()) };
    let mut keys = BTreeSet::new();
    for row in 0..rows.num_rows() {
        let day = destination.table.day_field.and_then(|name| rows.column_by_name(name));
        let day = day
            .filter(|days| days.is_valid(row))
            .and_then(|days| Some(days.as_primitive_opt::<Date32Type>()?.value(row)));
        let inside = day.is_some_and(|day| days.nanoseconds().contains(&(i64::from(day) * NANOSECONDS_PER_DAY)));
        if destination.table.day_field.is_some() && !inside {
            return Err(format!("row {row} of {} lies on no day of {days}", destination.table.name));
        }
        for condition in &destination.owned {
            if !holds(rows, row, condition) {
                return Err(format!("row {row} of {} is not its own: {condition:?}", destination.table.name));
            }
        }
        let value = |column: &&str| rows.column_by_name(column).map(|column| cell(column, row));
        let key: Vec<_> = destination.table.primary_key.iter().map(value).collect();
        if keys.contains(&key) {
            return Err(format!("two rows of {} have the key {key:?}", destination.table.name));
        }
        keys.insert(key);
    }
    Ok(())
}

/// Whether `row` satisfies the condition. A column that is not written is null.
fn holds(rows: &RecordBatch, row: usize, condition: &Condition) -> bool {
    let column = |name: &str| rows.column_by_name(name).filter(|column| column.is_valid(row));
    let text = |name: &str| column(name).map(|column: &ArrayRef| cell(column, row));
    match condition {
        Condition::TextEquals(name, value) => text(name).as_deref() == Some(value.as_ref()),
        Condition::TextDiffers(name, value) => text(name).as_deref() != Some(value.as_ref()),
        Condition::IntegerEquals(name, value) => text(name) == Some(value.to_string()),
        Condition::UuidEquals(name, value) => text(name).as_ref() == Some(value),
        Condition::IsNull(name) => column(name).is_none(),
        Condition::IsNotNull(name) => column(name).is_some(),
        Condition::NullOrZero(name) => {
            let measure = column(name).and_then(|column| column.as_primitive_opt::<Float64Type>());
            measure.is_none_or(|measure| measure.value(row) == 0.0)
        }
    }
}
