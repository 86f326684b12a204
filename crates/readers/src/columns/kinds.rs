//! The reader rules of spec § 2: whatever type a writer chose, a column arrives as its kind says.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, MapArray, PrimitiveArray, StringViewBuilder, TimestampNanosecondArray, new_null_array,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    ArrowTimestampType, DataType, Date32Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use tokaki_core::{ColumnKind, Error, ErrorKind, Result};

/// `column` as `kind` promises it.
///
/// A column of a wrong type that holds no value at all is taken as null: writers that guess types from values choose
/// any type for it.
///
/// # Errors
/// `Type`, without the place.
pub(crate) fn to_kind(column: &ArrayRef, kind: ColumnKind) -> Result<ArrayRef> {
    let converted = match kind {
        ColumnKind::Instant => to_instants(column),
        ColumnKind::Number => to_numbers(column),
        ColumnKind::Text => to_text(column),
        ColumnKind::Labels => to_labels(column),
    };
    match converted {
        Err(error) if error.kind() == ErrorKind::Type && column.logical_null_count() == column.len() => {
            Ok(new_null_array(&type_of(kind), column.len()))
        }
        other => other,
    }
}

fn type_of(kind: ColumnKind) -> DataType {
    match kind {
        ColumnKind::Instant => DataType::Timestamp(TimeUnit::Nanosecond, None),
        ColumnKind::Number => DataType::Float64,
        ColumnKind::Text | ColumnKind::Labels => DataType::Utf8View,
    }
}

fn mismatch(expected: &str, found: &DataType) -> Error {
    let found = match found {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => "text".to_owned(),
        DataType::Boolean => "true/false".to_owned(),
        other => other.to_string(),
    };
    Error::new(ErrorKind::Type, format!("expected {expected}, found {found}"))
}

/// Instants outside what nanoseconds can hold (1677 to 2262) become null: no scope reaches there.
fn to_instants(column: &ArrayRef) -> Result<ArrayRef> {
    fn scaled<T: ArrowTimestampType>(column: &ArrayRef, factor: i64) -> ArrayRef {
        // The zone is dropped: the stored number is UTC with or without it.
        let instants: TimestampNanosecondArray =
            column.as_primitive::<T>().unary_opt(|instant| instant.checked_mul(factor));
        Arc::new(instants)
    }
    Ok(match column.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => scaled::<TimestampSecondType>(column, 1_000_000_000),
        DataType::Timestamp(TimeUnit::Millisecond, _) => scaled::<TimestampMillisecondType>(column, 1_000_000),
        DataType::Timestamp(TimeUnit::Microsecond, _) => scaled::<TimestampMicrosecondType>(column, 1_000),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => scaled::<TimestampNanosecondType>(column, 1),
        DataType::Date32 => {
            let midnights: PrimitiveArray<TimestampNanosecondType> = column
                .as_primitive::<Date32Type>()
                .unary_opt(|day| i64::from(day).checked_mul(tokaki_core::scope::NANOSECONDS_PER_DAY));
            Arc::new(midnights)
        }
        other => return Err(mismatch("a timestamp", other)),
    })
}

fn to_numbers(column: &ArrayRef) -> Result<ArrayRef> {
    match column.data_type() {
        DataType::Float64 => Ok(Arc::clone(column)),
        found if found.is_numeric() => cast(column, &DataType::Float64),
        found => Err(mismatch("a number", found)),
    }
}

fn to_text(column: &ArrayRef) -> Result<ArrayRef> {
    match column.data_type() {
        DataType::Utf8View => Ok(Arc::clone(column)),
        DataType::Dictionary(_, values) if values.as_ref() == &DataType::Utf8 => Ok(Arc::clone(column)),
        // Some writers leave out that their bytes are text. The cast checks that they are.
        DataType::Utf8 | DataType::Binary => cast(column, &DataType::Utf8View),
        found => Err(mismatch("text", found)),
    }
}

fn to_labels(column: &ArrayRef) -> Result<ArrayRef> {
    match column.as_map_opt() {
        Some(maps) => maps_to_json(maps),
        None => to_text(column).map_err(|_| mismatch("label text or a map of texts", column.data_type())),
    }
}

/// JSON text of each map. A null map stays null, a null value is JSON null, the last of duplicate keys wins (spec § 4).
fn maps_to_json(maps: &MapArray) -> Result<ArrayRef> {
    let no_texts = |_| mismatch("a map of texts", maps.data_type());
    let keys = cast(maps.keys(), &DataType::Utf8).map_err(no_texts)?;
    let values = match maps.values().data_type() {
        DataType::Utf8 | DataType::Binary | DataType::Null => cast(maps.values(), &DataType::Utf8).map_err(no_texts)?,
        _ => return Err(mismatch("a map of texts", maps.data_type())),
    };
    let (keys, values) = (keys.as_string::<i32>(), values.as_string::<i32>());
    let mut texts = StringViewBuilder::with_capacity(maps.len());
    for row in 0..maps.len() {
        if maps.is_null(row) {
            texts.append_null();
            continue;
        }
        let entries = maps.value_offsets()[row] as usize..maps.value_offsets()[row + 1] as usize;
        let labels: BTreeMap<&str, Option<&str>> =
            entries.map(|entry| (keys.value(entry), values.is_valid(entry).then(|| values.value(entry)))).collect();
        let text = serde_json::to_string(&labels).map_err(|error| Error::bug(error.to_string()))?;
        texts.append_value(text);
    }
    Ok(Arc::new(texts.finish()))
}

fn cast(column: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(column, to, &strict)
        .map_err(|error| Error::new(ErrorKind::Type, format!("{} cannot be read as {to}: {error}", column.data_type())))
}
