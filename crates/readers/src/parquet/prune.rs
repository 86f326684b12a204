//! Leaves out row groups whose statistics show that no row is of the asked days.

use arrow::array::{Array, ArrayRef, AsArray, TimestampNanosecondArray};
use arrow::datatypes::{SchemaRef, TimestampNanosecondType};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::file::metadata::ParquetMetaData;
use tokaki_core::{ColumnKind, Result, Selection};

use super::{convert, parquet_error};

/// The row groups to read, in file order. Without usable statistics a row group stays.
pub(super) fn row_groups(footer: &ParquetMetaData, schema: &SchemaRef, want: &Selection) -> Result<Vec<usize>> {
    let all = 0..footer.num_row_groups();
    let Some(days) = want.days else { return Ok(all.collect()) };
    let descriptor = footer.file_metadata().schema_descr();
    let Ok(converter) = StatisticsConverter::try_new(want.time_column, schema, descriptor) else {
        return Ok(all.collect());
    };
    let least = converter.row_group_mins(footer.row_groups()).map_err(parquet_error)?;
    let greatest = converter.row_group_maxes(footer.row_groups()).map_err(parquet_error)?;
    let (Some(least), Some(greatest)) = (instants(&least), instants(&greatest)) else {
        return Ok(all.collect());
    };
    let asked = days.nanoseconds();
    let may_hold = |row_group: &usize| {
        let known = least.is_valid(*row_group) && greatest.is_valid(*row_group);
        !known || (least.value(*row_group) < asked.end && greatest.value(*row_group) >= asked.start)
    };
    Ok(all.filter(may_hold).collect())
}

fn instants(statistics: &ArrayRef) -> Option<TimestampNanosecondArray> {
    let instants = convert::to_kind(statistics, ColumnKind::Instant).ok()?;
    instants.as_primitive_opt::<TimestampNanosecondType>().cloned()
}
