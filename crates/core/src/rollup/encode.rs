//! A rollup as a plain Arrow table, and back: to spill, to ship, to inspect.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeBinaryBuilder, Float64Array, RecordBatch, UInt32Array};
use arrow::datatypes::{DataType, Field, Float64Type, Schema, UInt32Type};

use super::exact_sum::ExactSum;
use super::keyed::{GroupRow, Rollup, RollupSpec};
use crate::error::{Error, Result};

impl<const K: usize, const S: usize, const M: usize> Rollup<K, S, M> {
    /// The groups as a table: keys as `UInt32`, sums as 16 little-endian bytes, maxima as `Float64`.
    ///
    /// # Errors
    /// `Bug` only.
    pub fn encode(&self) -> Result<RecordBatch> {
        let mut fields = Vec::with_capacity(K + S + M);
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(K + S + M);
        for (index, name) in self.spec.keys.iter().enumerate() {
            fields.push(Field::new(*name, DataType::UInt32, false));
            columns.push(Arc::new(self.keys().iter().map(|key| key[index]).collect::<UInt32Array>()));
        }
        for (index, (name, _)) in self.spec.sums.iter().enumerate() {
            fields.push(Field::new(*name, DataType::FixedSizeBinary(16), true));
            let mut sums = FixedSizeBinaryBuilder::with_capacity(self.len(), 16);
            for row in self.rows() {
                match row.sum(index) {
                    Some(ExactSum(units)) => {
                        sums.append_value(units.to_le_bytes()).map_err(|error| Error::bug(error.to_string()))?
                    }
                    None => sums.append_null(),
                }
            }
            columns.push(Arc::new(sums.finish()));
        }
        for (index, name) in self.spec.maxima.iter().enumerate() {
            fields.push(Field::new(*name, DataType::Float64, true));
            columns.push(Arc::new(self.rows().map(|row| row.maximum(index)).collect::<Float64Array>()));
        }
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(self.len()));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
            .map_err(|error| Error::bug(error.to_string()))
    }

    /// The rollup that was encoded.
    ///
    /// # Errors
    /// `Bug` if `batch` is not what [`Rollup::encode`] wrote for this `spec`.
    pub fn decode(spec: &'static RollupSpec<K, S, M>, batch: &RecordBatch) -> Result<Self> {
        let foreign = || Error::bug("an encoded rollup has other columns than its aggregator");
        if batch.num_columns() != K + S + M {
            return Err(foreign());
        }
        let mut rollup = Self::new(spec);
        for row in 0..batch.num_rows() {
            let mut key = [0; K];
            for (index, part) in key.iter_mut().enumerate() {
                let column = batch.column(index).as_primitive_opt::<UInt32Type>().ok_or_else(foreign)?;
                *part = column.value(row);
            }
            let mut group = GroupRow::new(key);
            for index in 0..S {
                let column = batch.column(K + index).as_fixed_size_binary_opt().ok_or_else(foreign)?;
                if column.is_valid(row) {
                    let bytes = column.value(row).try_into().map_err(|_| foreign())?;
                    group.add(index, ExactSum(i128::from_le_bytes(bytes)))?;
                }
            }
            for index in 0..M {
                let column = batch.column(K + S + index).as_primitive_opt::<Float64Type>().ok_or_else(foreign)?;
                if column.is_valid(row) {
                    group.raise(index, column.value(row));
                }
            }
            rollup.absorb_row(key, &group)?;
        }
        Ok(rollup)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rollup::Resolution;

    static SPEC: RollupSpec<2, 2, 1> = RollupSpec {
        keys: ["day", "node"],
        sums: [("cpu", Resolution::CORE_SECONDS), ("memory", Resolution::BYTE_SECONDS)],
        maxima: ["capacity"],
    };

    proptest! {
        #[test]
        fn decoding_gives_back_what_was_encoded(
            rows in proptest::collection::vec(
                (0_u32..4, 0_u32..4, proptest::option::of(-1e9_f64..1e9), proptest::option::of(0.0_f64..1e3)),
                0..40,
            ),
        ) {
            let mut rollup = Rollup::new(&SPEC);
            for (day, node, cpu, capacity) in rows {
                let group = rollup.group([day, node]);
                if let Some(cpu) = cpu {
                    rollup.add_each(&[group], |_| [cpu, f64::NAN]).expect("in range");
                }
                if let Some(capacity) = capacity {
                    rollup.raise(group, 0, capacity);
                }
            }
            let decoded = Rollup::decode(&SPEC, &rollup.encode().expect("encodes")).expect("decodes");
            prop_assert!(decoded.rows().eq(rollup.rows()));
        }
    }
}
