//! Which rows of a batch are to be replaced.

use std::collections::BTreeMap;

use arrow::array::{
    Array, AsArray, BooleanArray, Date32Array, Datum, Float64Array, Int32Array, RecordBatch, StringArray,
};
use arrow::buffer::BooleanBuffer;
use arrow::compute::kernels::cmp;
use arrow::compute::{and, is_not_null, is_null, not, or, prep_null_mask_filter};
use arrow::datatypes::{Date32Type, Float64Type};
use arrow::error::ArrowError;
use chrono::NaiveDate;
use tokaki_core::{Condition, DateRange, RowsOfDay, Table};

use crate::target::Target;

/// Rows of a table that are to be replaced, counted by day.
pub(super) struct Removed {
    table: &'static Table,
    /// Conditions of an output's own rows, and how many were found on which day.
    owned: Vec<(Vec<Condition>, BTreeMap<NaiveDate, u64>)>,
}

impl Removed {
    /// None so far.
    pub(super) fn new(target: &Target) -> Self {
        let owned = target.owned.iter().map(|conditions| (conditions.clone(), BTreeMap::new())).collect();
        Self { table: target.table, owned }
    }

    /// Columns that decide over it, and whether it matters more of them than where they are null.
    pub(super) fn columns(&self) -> BTreeMap<&'static str, bool> {
        let of_day = self.table.day_field.map(|day| (day, true));
        let of_conditions = self.owned.iter().flat_map(|(conditions, _)| conditions).map(column);
        let mut columns = BTreeMap::new();
        for (column, value_matters) in of_day.into_iter().chain(of_conditions) {
            *columns.entry(column).or_default() |= value_matters;
        }
        columns
    }

    /// Which `rows` lie in `days` and meet all conditions of one of the target's lists. Has no nulls. Each row stands for
    /// so many like it.
    pub(super) fn take(&mut self, rows: &RecordBatch, days: DateRange, times: u64) -> Result<BooleanArray, ArrowError> {
        let day = |day| Date32Array::new_scalar(Date32Type::from_naive_date(day));
        let in_days = match self.table.day_field {
            Some(field) => {
                let not_before = compare(rows, field, &day(days.start()), cmp::gt_eq)?;
                let not_after = compare(rows, field, &day(days.end()), cmp::lt_eq)?;
                and(&not_before, &not_after)?
            }
            None => all(rows, true),
        };
        let mut all_gone = all(rows, false);
        for (conditions, by_day) in &mut self.owned {
            let mut gone = in_days.clone();
            for condition in conditions.iter() {
                gone = and(&gone, &holds(rows, condition)?)?;
            }
            if let Some(field) = self.table.day_field {
                count_days(rows, field, &gone, times, by_day);
            }
            all_gone = or(&all_gone, &gone)?;
        }
        Ok(all_gone)
    }

    /// What was counted.
    pub(super) fn by_day(&self) -> Vec<RowsOfDay> {
        let table = self.table.name;
        let of_list = |(owned, days): &(Vec<Condition>, BTreeMap<NaiveDate, u64>)| -> Vec<RowsOfDay> {
            days.iter().map(|(day, rows)| RowsOfDay { table, owned: owned.clone(), day: *day, rows: *rows }).collect()
        };
        self.owned.iter().flat_map(of_list).collect()
    }
}

/// Counts the rows that `gone` marks; rows without a day are none of a range.
fn count_days(
    rows: &RecordBatch,
    day_field: &str,
    gone: &BooleanArray,
    times: u64,
    by_day: &mut BTreeMap<NaiveDate, u64>,
) {
    let Some(days) = rows.column_by_name(day_field).and_then(|days| days.as_primitive_opt::<Date32Type>()) else {
        return;
    };
    for row in gone.values().set_indices() {
        if let Some(day) = Date32Type::to_naive_date_opt(days.value(row)) {
            *by_day.entry(day).or_default() += times;
        }
    }
}

/// The column of a condition, and whether its values matter.
fn column(condition: &Condition) -> (&'static str, bool) {
    match condition {
        Condition::TextEquals(column, _)
        | Condition::TextDiffers(column, _)
        | Condition::IntegerEquals(column, _)
        | Condition::UuidEquals(column, _)
        | Condition::NullOrZero(column) => (column, true),
        Condition::IsNull(column) | Condition::IsNotNull(column) => (column, false),
    }
}

fn holds(rows: &RecordBatch, condition: &Condition) -> Result<BooleanArray, ArrowError> {
    match condition {
        Condition::TextEquals(field, value) => compare(rows, field, &StringArray::new_scalar(value.as_ref()), cmp::eq),
        Condition::TextDiffers(field, value) => {
            not(&compare(rows, field, &StringArray::new_scalar(value.as_ref()), cmp::eq)?)
        }
        Condition::IntegerEquals(field, value) => compare(rows, field, &Int32Array::new_scalar(*value), cmp::eq),
        Condition::UuidEquals(field, value) => compare(rows, field, &StringArray::new_scalar(value), cmp::eq),
        Condition::IsNull(field) => rows.column_by_name(field).map_or_else(|| Ok(all(rows, true)), |c| is_null(c)),
        Condition::IsNotNull(field) => {
            rows.column_by_name(field).map_or_else(|| Ok(all(rows, false)), |c| is_not_null(c))
        }
        Condition::NullOrZero(field) => {
            let Some(column) = rows.column_by_name(field) else { return Ok(all(rows, true)) };
            // Arrow orders floats totally: to it, -0 is not 0. Adding 0 takes the sign away.
            let unsigned: Float64Array = column.as_primitive::<Float64Type>().unary(|value| value + 0.0);
            or(&is_null(column)?, &known(cmp::eq(&unsigned, &Float64Array::new_scalar(0.0))?))
        }
    }
}

type Comparison = fn(&dyn Datum, &dyn Datum) -> Result<BooleanArray, ArrowError>;

/// Compares a column with a value. A null, or a column that the file lacks, compares as false.
fn compare(
    rows: &RecordBatch,
    field: &str,
    value: &dyn Datum,
    comparison: Comparison,
) -> Result<BooleanArray, ArrowError> {
    match rows.column_by_name(field) {
        Some(column) => Ok(known(comparison(column, value)?)),
        None => Ok(all(rows, false)),
    }
}

/// Null as false.
fn known(mask: BooleanArray) -> BooleanArray {
    if mask.null_count() > 0 { prep_null_mask_filter(&mask) } else { mask }
}

fn all(rows: &RecordBatch, value: bool) -> BooleanArray {
    let values =
        if value { BooleanBuffer::new_set(rows.num_rows()) } else { BooleanBuffer::new_unset(rows.num_rows()) };
    BooleanArray::new(values, None)
}
