//! How a file's columns become the columns of a selection: found by name, read in the cheapest Arrow type, converted.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
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

/// How one row group is read.
pub(super) struct RowGroupLayout {
    /// What the decoder needs to know.
    pub(super) metadata: ArrowReaderMetadata,
    /// All columns but those.
    pub(super) other_columns: ProjectionMask,
    /// Labels that come as bytes which nobody has proven to be UTF-8 yet.
    pub(super) label_columns: Option<ProjectionMask>,
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

    /// The column chunks that will be read of a row group.
    pub(super) fn columns<'a>(
        &'a self,
        row_group: &'a RowGroupMetaData,
    ) -> impl Iterator<Item = &'a ColumnChunkMetaData> {
        let leaves = row_group.columns().iter().enumerate();
        leaves.filter(|(leaf, _)| self.projection.leaf_included(*leaf)).map(|(_, column)| column)
    }

    /// How a row group is read: texts as a dictionary where the writer kept one to its end, else as views into the page.
    /// Asking for a dictionary of a column whose writer gave up half way costs more than it saves. Such labels are read
    /// apart, to be numbered as they leave their pages.
    pub(super) fn row_group(
        &self,
        footer: Arc<ParquetMetaData>,
        row_group: usize,
    ) -> std::result::Result<RowGroupLayout, ParquetError> {
        let mut fields: Vec<Arc<Field>> = self.schema.fields().iter().cloned().collect();
        let mut labels = Vec::new();
        for Column { name, kind, position } in self.wanted.iter() {
            let Some(position) = *position else { continue };
            let is_text = matches!(kind, ColumnKind::Text | ColumnKind::Labels);
            if is_text && fields[position].data_type() == &DataType::Utf8 {
                let data_type = if has_whole_dictionary(footer.row_group(row_group), name) {
                    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
                } else if *kind == ColumnKind::Labels {
                    labels.push(position);
                    DataType::BinaryView
                } else {
                    DataType::Utf8View
                };
                fields[position] = Arc::new(fields[position].as_ref().clone().with_data_type(data_type));
            }
        }
        let descriptor = footer.file_metadata().schema_descr();
        let positions = || self.wanted.iter().filter_map(|column| column.position);
        let other_columns = ProjectionMask::roots(descriptor, positions().filter(|column| !labels.contains(column)));
        let label_columns = (!labels.is_empty()).then(|| ProjectionMask::roots(descriptor, labels.iter().copied()));
        let footer = if labels.is_empty() { footer } else { undeclared::texts(&footer, &labels)? };
        let schema = Arc::new(Schema::new(fields));
        let metadata = ArrowReaderMetadata::try_new(footer, plain_options().with_schema(schema))?;
        Ok(RowGroupLayout { metadata, other_columns, label_columns })
    }

    /// A decoded batch as a chunk, with the numbers of labels beside it.
    pub(super) fn chunk(&self, batch: &RecordBatch, numbered: &[(String, ArrayRef)]) -> Result<RecordBatch> {
        self.wanted.chunk(batch, numbered)
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
