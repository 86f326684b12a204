//! Random line items, made of the sample's: the columns of its files, and values that belong together nowhere.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take};
use arrow::datatypes::{DataType, Float64Type};
use fastrand::Rng;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::WriterProperties;

/// Most rows of a table and day.
const ROWS: usize = 80;

/// Replaces each file by up to three with random rows, in row groups of random sizes.
pub(crate) fn scramble(files: &[std::path::PathBuf], seed: u64) {
    let mut chance = Rng::with_seed(seed);
    for file in files {
        let sample = read(file);
        std::fs::remove_file(file).expect("removed");
        for part in 0..chance.usize(1..=3) {
            let rows = random_rows(&sample, &mut chance);
            write(&file.with_extension(format!("{part}.parquet")), &rows, chance.usize(1..=ROWS));
        }
    }
}

fn read(file: &Path) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file).expect("a file")).expect("Parquet");
    let batches: Vec<RecordBatch> = reader.build().expect("a reader").map(|batch| batch.expect("rows")).collect();
    concat_batches(&batches[0].schema(), &batches).expect("one schema")
}

fn write(file: &Path, rows: &RecordBatch, row_group: usize) {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(row_group)).build();
    let file = File::create(file).expect("created");
    let mut writer = ArrowWriter::try_new(file, rows.schema(), Some(properties)).expect("a writer");
    writer.write(rows).expect("written");
    writer.close().expect("closed");
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
