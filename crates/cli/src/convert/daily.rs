//! The rows of one day, grouped as Koku groups them (spec § 12).

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, RecordBatch, StringArray, TimestampMillisecondArray, new_null_array,
};
use arrow::datatypes::{DataType, Float64Type, Schema};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use chrono::NaiveTime;
use tokaki_core::rollup::{ExactSum, Resolution};
use tokaki_core::{Error, Result};
use uuid::Uuid;

use super::daily_columns::{self, DailyColumns, Measure};
use super::layout::DayOfFile;

/// Groups of one day.
///
/// Keys and maxima are kept in Arrow's row format: bytes that compare as the values do, with null below every value. So a
/// maximum ignores nulls, and the types of the columns do not matter.
pub(super) struct DailyGroups {
    of: DayOfFile,
    /// Piece of the file's day.
    chunk: usize,
    columns: &'static DailyColumns,
    key_names: Vec<&'static str>,
    keys: RowConverter,
    maxima: Vec<(&'static str, RowConverter)>,
    sums: Vec<(&'static str, Resolution)>,
    groups: HashMap<Box<[u8]>, Group>,
}

struct Group {
    maxima: Vec<Box<[u8]>>,
    sums: Vec<ExactSum>,
}

impl DailyGroups {
    /// No groups. Columns that `schema` lacks are not grouped by and not measured.
    ///
    /// # Errors
    /// `Bug` if the columns are of types that cannot be compared.
    pub(super) fn new(of: &DayOfFile, chunk: usize, schema: &Schema) -> Result<Self> {
        let columns = daily_columns::of(of.report_type);
        let is_there = |name: &&str| schema.column_with_name(name).is_some();
        let converter = |names: &[&str]| {
            let fields = names.iter().filter_map(|name| schema.field_with_name(name).ok());
            RowConverter::new(fields.map(|field| SortField::new(field.data_type().clone())).collect()).map_err(bug)
        };
        let key_names: Vec<_> = columns.keys.iter().copied().filter(is_there).collect();
        let (mut maxima, mut sums) = (Vec::new(), Vec::new());
        for (name, measure) in columns.measures.iter().filter(|(name, _)| is_there(name)) {
            match measure {
                Measure::Max => maxima.push((*name, converter(&[name])?)),
                Measure::Sum(resolution) => sums.push((*name, *resolution)),
            }
        }
        let keys = converter(&key_names)?;
        Ok(Self { of: of.clone(), chunk, columns, key_names, keys, maxima, sums, groups: HashMap::new() })
    }

    /// Adds rows of the day.
    ///
    /// # Errors
    /// `Type`, with the column, if a sum is too large.
    pub(super) fn add(&mut self, rows: &RecordBatch) -> Result<()> {
        let keys = self.key_names.iter().map(|name| column(rows, name).cloned()).collect::<Result<Vec<_>>>()?;
        let keys = self.keys.convert_columns(&keys).map_err(bug)?;
        let maxima = self.maxima.iter().map(|(name, converter)| {
            let column = column(rows, name)?;
            converter.convert_columns(std::slice::from_ref(column)).map_err(bug)
        });
        let maxima = maxima.collect::<Result<Vec<_>>>()?;
        let sums = self.sums.iter().map(|(name, _)| numbers(rows, name)).collect::<Result<Vec<_>>>()?;
        for row in 0..rows.num_rows() {
            let key = keys.row(row).data();
            if !self.groups.contains_key(key) {
                let group = Group {
                    maxima: maxima.iter().map(|values| values.row(row).data().into()).collect(),
                    sums: vec![ExactSum::default(); sums.len()],
                };
                self.groups.insert(key.into(), group);
            }
            let group = self.groups.get_mut(key).expect("it is there by now");
            for (known, values) in group.maxima.iter_mut().zip(&maxima) {
                let value = values.row(row).data();
                if value > &**known {
                    *known = value.into();
                }
            }
            for ((sum, values), (name, resolution)) in group.sums.iter_mut().zip(&sums).zip(&self.sums) {
                if values.is_valid(row) {
                    let units = resolution.units(values.value(row));
                    units.and_then(|units| sum.add(units)).map_err(|error| error.column(*name))?;
                }
            }
        }
        Ok(())
    }

    /// The daily rows, sorted by key.
    ///
    /// # Errors
    /// `Bug`.
    pub(super) fn finish(self) -> Result<RecordBatch> {
        let mut groups: Vec<_> = self.groups.into_iter().collect();
        groups.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        let mut columns: Vec<(&str, ArrayRef)> = Vec::new();

        let parser = self.keys.parser();
        let keys = self.keys.convert_rows(groups.iter().map(|(key, _)| parser.parse(key))).map_err(bug)?;
        columns.extend(self.key_names.into_iter().zip(keys));

        if let Some(name) = self.columns.id {
            columns.push((name, ids(&self.of, self.chunk, groups.iter().map(|(key, _)| &**key))));
        }
        let midnight = self.of.day.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
        columns.push((
            self.of.report_type.time_column(),
            Arc::new(TimestampMillisecondArray::from_value(midnight, groups.len())),
        ));

        let (mut maxima, mut sums) =
            (self.maxima.iter().enumerate().peekable(), self.sums.iter().enumerate().peekable());
        for (name, _) in self.columns.measures {
            if let Some((index, (_, converter))) = maxima.next_if(|(_, (own, _))| own == name) {
                let parser = converter.parser();
                let values = groups.iter().map(|(_, group)| parser.parse(&group.maxima[index]));
                columns.extend(converter.convert_rows(values).map_err(bug)?.into_iter().map(|array| (*name, array)));
            } else if let Some((index, (_, resolution))) = sums.next_if(|(_, (own, _))| own == name) {
                let values = groups.iter().map(|(_, group)| resolution.value(group.sums[index].0));
                columns.push((name, Arc::new(Float64Array::from_iter_values(values))));
            }
        }

        for (names, data_type) in [(self.columns.texts, DataType::Utf8), (self.columns.counts, DataType::Int64)] {
            for name in names {
                if columns.iter().all(|(present, _)| present != name) {
                    columns.push((name, new_null_array(&data_type, groups.len())));
                }
            }
        }
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
            .map_err(bug)
    }
}

/// Ids of rows that nothing else names. A key may come again in another file, and is another row there.
fn ids<'k>(of: &DayOfFile, chunk: usize, keys: impl Iterator<Item = &'k [u8]>) -> ArrayRef {
    let file = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{}_{chunk}", of.stem()).as_bytes());
    Arc::new(StringArray::from_iter_values(keys.map(|key| Uuid::new_v5(&file, key).to_string())))
}

fn column<'a>(rows: &'a RecordBatch, name: &'static str) -> Result<&'a ArrayRef> {
    rows.column_by_name(name).ok_or_else(|| Error::bug("batches of one file have different columns").column(name))
}

fn numbers<'a>(rows: &'a RecordBatch, name: &'static str) -> Result<&'a Float64Array> {
    let numbers = column(rows, name)?.as_primitive_opt::<Float64Type>();
    numbers.ok_or_else(|| Error::bug("a sum of other things than numbers").column(name))
}

fn bug(error: ArrowError) -> Error {
    Error::bug(error.to_string())
}
