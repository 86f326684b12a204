//! Rows as row groups, in memory.

use std::sync::Arc;

use arrow::array::{RecordBatch, new_null_array};
use arrow::datatypes::{FieldRef, Schema};
use arrow::error::ArrowError;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::Compression;
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::{
    ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader, RowGroupMetaData,
};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use tokaki_core::{Encoder, Error, Field, FieldKind, Output, Result, Table};

use super::existing::file_schema;
use crate::target::destination;

/// Rows of a row group at most. One is held in memory.
pub(super) const MOST_ROWS: usize = 16_384;
/// Rows that are worth a row group of their own. Each has a chunk for every column, which takes some hundred bytes
/// and a visit even if there is one row in it: the days of a small cluster share their row groups.
pub(super) const FEWEST_ROWS: usize = 4_096;

/// Makes row groups of a day's rows.
#[derive(Debug)]
pub(super) struct DayEncoder;

impl Encoder for DayEncoder {
    fn form(&self) -> &'static str {
        "parquet 1"
    }

    fn encode(&self, output: &Output, rows: &RecordBatch) -> Result<Option<Bytes>> {
        // Few rows are checked too, though they are checked again when they are appended: of all rows that do not fit,
        // those of the first day are told of.
        output.check_rows(rows)?;
        if rows.num_rows() < FEWEST_ROWS {
            return Ok(None);
        }
        let schema = file_schema(output.fields.iter().copied());
        let rows = RecordBatch::try_new(schema, rows.columns().to_vec()).map_err(|error| arrow_error(&error))?;
        let encoded = RowGroups::encode(destination(output)?.table, &rows);
        encoded.map(|encoded| Some(encoded.file)).map_err(|error| Error::bug(format!("rows are not encoded: {error}")))
    }
}

/// Encoded row groups.
pub(super) struct RowGroups {
    /// They and their footer: a whole Parquet file.
    pub(super) file: Bytes,
    footer: ParquetMetaData,
}

impl RowGroups {
    /// Encodes rows into row groups as few and as even as can be.
    pub(super) fn encode(table: &Table, rows: &RecordBatch) -> ParquetResult<Self> {
        let groups = rows.num_rows().div_ceil(MOST_ROWS).max(1);
        let rows_of_each = rows.num_rows().div_ceil(groups).max(1);
        let properties = properties(table).set_max_row_group_row_count(Some(rows_of_each)).build();
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let mut writer = ArrowWriter::try_new_with_options(Vec::new(), rows.schema(), options)?;
        writer.write(rows)?;
        // Read again, since a footer loses a little on its first way: later ones shall not differ from it.
        Self::read(writer.into_inner()?.into())
    }

    /// Encodes a row group of nulls.
    pub(super) fn of_nulls(table: &Table, columns: Vec<FieldRef>, rows: usize) -> ParquetResult<Self> {
        let nulls = columns.iter().map(|column| new_null_array(column.data_type(), rows)).collect();
        Self::encode(table, &RecordBatch::try_new(Arc::new(Schema::new(columns)), nulls)?)
    }

    /// What [`RowGroups::encode`] encoded.
    pub(super) fn read(file: Bytes) -> ParquetResult<Self> {
        // Whole, since what is not read of a footer is not copied into the next one.
        let options = ParquetMetaDataOptions::new().with_encoding_stats_as_mask(false);
        let footer = ParquetMetaDataReader::new().with_metadata_options(Some(options)).parse_and_finish(&file)?;
        Ok(Self { file, footer })
    }

    /// Each of them.
    pub(super) fn all(&self) -> &[RowGroupMetaData] {
        self.footer.row_groups()
    }
}

/// The chunk of a column, if the row group has it.
pub(super) fn chunk_of<'a>(row_group: &'a RowGroupMetaData, column: &str) -> Option<&'a ColumnChunkMetaData> {
    row_group.columns().iter().find(|chunk| chunk.column_descr().name() == column)
}

/// Fixed by the table, so that the same rows give the same bytes.
///
/// Snappy is what Koku's own files use and what every reader has; and it is decoded faster than it comes from a disk.
/// A dictionary of values that hardly repeat takes time and serves nobody. Statistics of a chunk spare the next run its
/// reading; as a chunk is a page or two, there would be nothing to find in an index of pages.
pub(super) fn properties(table: &Table) -> WriterPropertiesBuilder {
    let properties = WriterProperties::builder()
        .set_created_by(CREATED_BY.into())
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true);
    let of_field = |properties: WriterPropertiesBuilder, field: &Field| match field.kind {
        FieldKind::Uuid if table.id_field() == Some(field.name) => {
            properties.set_column_dictionary_enabled(field.name.into(), false)
        }
        FieldKind::Measure => properties.set_column_dictionary_enabled(field.name.into(), false),
        _ => properties,
    };
    table.fields.iter().fold(properties, of_field)
}

/// What our files say of their origin.
pub(super) const CREATED_BY: &str = "tokaki";

/// Rows that were checked do not fit their own schema.
pub(super) fn arrow_error(error: &ArrowError) -> Error {
    Error::bug(format!("rows of checked types do not fit the file: {error}"))
}
