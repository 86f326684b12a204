//! A Parquet file as one batch, read, written and changed.

use std::fs::File;
use std::path::Path;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::WriterProperties;

use crate::Result;

/// The columns of a file.
///
/// # Errors
/// It is no Parquet file.
pub fn schema(file: &Path) -> Result<SchemaRef> {
    Ok(open(file)?.schema().clone())
}

/// All rows of a file.
///
/// # Errors
/// It is no Parquet file.
pub fn read(file: &Path) -> Result<RecordBatch> {
    let reader = open(file)?;
    let schema = reader.schema().clone();
    let batches = reader.build()?.collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(concat_batches(&schema, &batches)?)
}

/// Writes a file.
///
/// # Errors
/// It cannot be written.
pub fn write(file: &Path, rows: &RecordBatch) -> Result<()> {
    write_as(file, rows, WriterProperties::default())
}

/// Writes a file with these properties.
///
/// # Errors
/// It cannot be written.
pub fn write_as(file: &Path, rows: &RecordBatch, properties: WriterProperties) -> Result<()> {
    let mut writer = ArrowWriter::try_new(File::create(file)?, rows.schema(), Some(properties))?;
    writer.write(rows)?;
    writer.close()?;
    Ok(())
}

/// The rows with each column, by its name, as `change` wants it.
///
/// # Errors
/// The columns have no common length any more.
pub fn changed(rows: &RecordBatch, change: impl Fn(&str, &ArrayRef) -> ArrayRef) -> Result<RecordBatch> {
    let schema = rows.schema();
    let columns = schema.fields().iter().zip(rows.columns());
    let columns = columns.map(|(field, column)| (field.name().as_str(), change(field.name(), column)));
    Ok(RecordBatch::try_from_iter(columns)?)
}

/// Writes a file anew, each column as `change` wants it.
///
/// # Errors
/// It is no Parquet file, or cannot be written.
pub fn rewrite(file: &Path, change: impl Fn(&str, &ArrayRef) -> ArrayRef) -> Result<()> {
    write(file, &changed(&read(file)?, change)?)
}

fn open(file: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>> {
    let opened = File::open(file).map_err(|error| format!("cannot open {}: {error}", file.display()))?;
    Ok(ParquetRecordBatchReaderBuilder::try_new(opened).map_err(|error| format!("{}: {error}", file.display()))?)
}
