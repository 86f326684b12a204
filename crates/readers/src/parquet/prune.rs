//! Leaves out row groups whose statistics show that no row is of the asked days.

use arrow::array::{ArrayRef, AsArray, TimestampNanosecondArray};
use arrow::datatypes::{SchemaRef, TimestampNanosecondType};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::file::metadata::ParquetMetaData;
use tokaki_core::{ColumnKind, Result, Selection};

use super::parquet_error;
use crate::columns::to_kind;

/// Least and greatest instant.
type Span = (i64, i64);

/// The row groups to read, in file order, each with its least and greatest instant. Without usable statistics a row
/// group stays.
pub(super) fn row_groups(
    footer: &ParquetMetaData,
    schema: &SchemaRef,
    want: &Selection,
) -> Result<Vec<(usize, Option<Span>)>> {
    let spans = spans(footer, schema, want)?;
    let may_hold = |span: Option<Span>| match (span, want.days.map(|days| days.nanoseconds())) {
        (Some((least, greatest)), Some(asked)) => least < asked.end && greatest >= asked.start,
        _ => true,
    };
    Ok(spans.into_iter().enumerate().filter(|(_, span)| may_hold(*span)).collect())
}

/// Least and greatest instant of each row group, as far as the footer tells.
fn spans(footer: &ParquetMetaData, schema: &SchemaRef, want: &Selection) -> Result<Vec<Option<Span>>> {
    let unknown = vec![None; footer.num_row_groups()];
    let descriptor = footer.file_metadata().schema_descr();
    let Ok(converter) = StatisticsConverter::try_new(want.time_column, schema, descriptor) else {
        return Ok(unknown);
    };
    let least = converter.row_group_mins(footer.row_groups()).map_err(parquet_error)?;
    let greatest = converter.row_group_maxes(footer.row_groups()).map_err(parquet_error)?;
    let (Some(least), Some(greatest)) = (instants(&least), instants(&greatest)) else { return Ok(unknown) };
    let ordered = |span: &Span| span.0 <= span.1;
    Ok(least.iter().zip(&greatest).map(|(least, greatest)| least.zip(greatest).filter(ordered)).collect())
}

fn instants(statistics: &ArrayRef) -> Option<TimestampNanosecondArray> {
    let instants = to_kind(statistics, ColumnKind::Instant).ok()?;
    instants.as_primitive_opt::<TimestampNanosecondType>().cloned()
}
