//! Which rows of a batch are to be replaced.

use arrow::array::{
    Array, AsArray, BooleanArray, Date32Array, Datum, Float64Array, Int32Array, RecordBatch, StringArray,
};
use arrow::buffer::BooleanBuffer;
use arrow::compute::kernels::cmp;
use arrow::compute::{and, is_not_null, is_null, not, or, prep_null_mask_filter};
use arrow::datatypes::{Date32Type, Float64Type};
use arrow::error::ArrowError;
use tokaki_core::{Condition, DateRange};

use crate::target::Target;

/// Which `rows` lie in `days` and meet all conditions of one of the target's lists. Has no nulls.
pub(super) fn replaced(rows: &RecordBatch, target: &Target, days: DateRange) -> Result<BooleanArray, ArrowError> {
    let mut owned = all(rows, false);
    for conditions in &target.owned {
        let mut met = all(rows, true);
        for condition in conditions {
            met = and(&met, &holds(rows, condition)?)?;
        }
        owned = or(&owned, &met)?;
    }
    let day = |day| Date32Array::new_scalar(Date32Type::from_naive_date(day));
    let not_before = compare(rows, target.table.day_field, &day(days.start()), cmp::gt_eq)?;
    let not_after = compare(rows, target.table.day_field, &day(days.end()), cmp::lt_eq)?;
    and(&owned, &and(&not_before, &not_after)?)
}

fn holds(rows: &RecordBatch, condition: &Condition) -> Result<BooleanArray, ArrowError> {
    match condition {
        Condition::TextEquals(field, value) => compare(rows, field, &StringArray::new_scalar(*value), cmp::eq),
        Condition::TextDiffers(field, value) => not(&compare(rows, field, &StringArray::new_scalar(*value), cmp::eq)?),
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
