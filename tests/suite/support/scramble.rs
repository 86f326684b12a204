//! Random line items, made of the sample's: the columns of its files, and values that belong together nowhere.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Float64Type};
use fastrand::Rng;
use parquet::file::properties::WriterProperties;
use tokaki_tests::table;

/// Most rows of a table and day.
const ROWS: usize = 80;

/// Replaces each file by up to three with random rows, in row groups of random sizes.
pub(crate) fn scramble(files: &[std::path::PathBuf], seed: u64) {
    let mut chance = Rng::with_seed(seed);
    for file in files {
        let sample = table::read(file).expect("Parquet");
        std::fs::remove_file(file).expect("removed");
        for part in 0..chance.usize(1..=3) {
            let rows = random_rows(&sample, &mut chance);
            let row_group = WriterProperties::builder().set_max_row_group_row_count(Some(chance.usize(1..=ROWS)));
            let part = file.with_extension(format!("{part}.parquet"));
            table::write_as(&part, &rows, row_group.build()).expect("written");
        }
    }
}

/// Every column is drawn by itself, so that texts, labels and hours meet as they never do in a cluster.
fn random_rows(sample: &RecordBatch, chance: &mut Rng) -> RecordBatch {
    let rows = chance.usize(1..=ROWS);
    let columns = sample.columns().iter().map(|column| {
        let drawn = UInt32Array::from_iter_values((0..rows).map(|_| chance.u32(..sample.num_rows() as u32)));
        let drawn = take(column, &drawn, None).expect("rows of the sample");
        if drawn.data_type() == &DataType::Float64 { random_numbers(&drawn, chance) } else { drawn }
    });
    RecordBatch::try_new(sample.schema(), columns.collect()).expect("the sample's schema")
}

/// Of every size, so that a sum in another order would be another double.
fn random_numbers(numbers: &ArrayRef, chance: &mut Rng) -> ArrayRef {
    let numbers = numbers.as_primitive::<Float64Type>().iter().map(|number| {
        let scale = 10_f64.powi(chance.i32(-9..9));
        number.filter(|_| chance.u8(..10) > 0).map(|number| (number + chance.f64()) * scale)
    });
    Arc::new(numbers.collect::<Float64Array>())
}
