//! How a file's columns become the columns of a selection: found by name, read in the cheapest Arrow type, converted.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::Encoding;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use tokaki_core::{ColumnKind, Result, Selection};

use super::{parquet_error, undeclared};
use crate::columns::{Column, Wanted};

/// One file's columns against one selection.
pub(super) struct Layout {
    /// All columns of the file, as Parquet itself types them.
    schema: SchemaRef,
    wanted: Wanted,
    projection: ProjectionMask,
}

impl Layout {
    /// # Errors
    /// `Column` if the time column is missing, `Parquet` if the schema makes no sense.
    pub(super) fn new(footer: &Arc<ParquetMetaData>, want: &Selection) -> Result<Self> {
        let metadata = ArrowReaderMetadata::try_new(Arc::clone(footer), plain_options()).map_err(parquet_error)?;
        let schema = Arc::clone(metadata.schema());
        let position = |name: &str| schema.fields().iter().position(|field| field.name() == name);
        let wanted = Wanted::new(position, want)?;
        let descriptor = footer.file_metadata().schema_descr();
        let projection = ProjectionMask::roots(descriptor, wanted.iter().filter_map(|column| column.position));
        Ok(Self { schema, wanted, projection })
    }

    /// All columns of the file.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Which columns to decode.
    pub(super) fn projection(&self) -> ProjectionMask {
        self.projection.clone()
    }

    /// The column chunks that will be read of a row group.
    pub(super) fn columns<'a>(
        &'a self,
        row_group: &'a RowGroupMetaData,
    ) -> impl Iterator<Item = &'a ColumnChunkMetaData> {
        let leaves = row_group.columns().iter().enumerate();
        leaves.filter(|(leaf, _)| self.projection.leaf_included(*leaf)).map(|(_, column)| column)
    }

    /// What the decoder needs to know to read texts cheaply: as a dictionary where the writer kept one to the end of
    /// the row group, else as views into the page, those of labels unproven. Asking for a dictionary of a column whose
    /// writer gave up half way costs more than it saves.
    pub(super) fn reader_options(
        &self,
        footer: Arc<ParquetMetaData>,
        row_group: usize,
    ) -> std::result::Result<ArrowReaderMetadata, ParquetError> {
        let mut fields: Vec<Arc<Field>> = self.schema.fields().iter().cloned().collect();
        let mut unproven = Vec::new();
        for Column { name, kind, position } in self.wanted.iter() {
            let Some(position) = *position else { continue };
            let is_text = matches!(kind, ColumnKind::Text | ColumnKind::Labels);
            if is_text && fields[position].data_type() == &DataType::Utf8 {
                let data_type = if has_whole_dictionary(footer.row_group(row_group), name) {
                    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
                } else if *kind == ColumnKind::Labels {
                    unproven.push(position);
                    DataType::BinaryView
                } else {
                    DataType::Utf8View
                };
                fields[position] = Arc::new(fields[position].as_ref().clone().with_data_type(data_type));
            }
        }
        let footer = if unproven.is_empty() { footer } else { undeclared::texts(&footer, &unproven)? };
        let schema = Arc::new(Schema::new(fields));
        ArrowReaderMetadata::try_new(footer, plain_options().with_schema(schema))
    }

    /// A decoded batch as a chunk.
    pub(super) fn chunk(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        self.wanted.chunk(batch)
    }
}

/// Types come from Parquet alone. What another writer noted of its own in-memory types (large strings, dictionaries,
/// time zones) says nothing about the values.
fn plain_options() -> ArrowReaderOptions {
    ArrowReaderOptions::new().with_skip_arrow_metadata(true)
}

fn has_whole_dictionary(row_group: &RowGroupMetaData, name: &str) -> bool {
    let column = row_group.columns().iter().find(|column| column.column_path().parts() == [name]);
    column.and_then(ColumnChunkMetaData::page_encoding_stats_mask).is_some_and(|encodings| {
        encodings.is_only(Encoding::RLE_DICTIONARY) || encodings.is_only(Encoding::PLAIN_DICTIONARY)
    })
}
