//! Texts read as the bytes that they are. Parquet's decoder proves each row's text to be UTF-8; labels repeat from hour
//! to hour, and whoever gives them numbers proves each distinct one once.

use std::sync::Arc;

use parquet::errors::Result;
use parquet::file::metadata::{FileMetaData, ParquetMetaData};
use parquet::schema::types::{SchemaDescriptor, Type};

/// `footer` with a schema that does not declare that the columns at these positions of its root are text.
pub(super) fn texts(footer: &ParquetMetaData, positions: &[usize]) -> Result<Arc<ParquetMetaData>> {
    let file = footer.file_metadata();
    let root = file.schema_descr().root_schema();
    let mut fields = root.get_fields().to_vec();
    for position in positions {
        let field = &fields[*position];
        let bytes = Type::primitive_type_builder(field.name(), field.get_physical_type())
            .with_repetition(field.get_basic_info().repetition())
            .build()?;
        fields[*position] = Arc::new(bytes);
    }
    let root = Type::group_type_builder(root.name()).with_fields(fields).build()?;
    let schema = Arc::new(SchemaDescriptor::new(Arc::new(root)));
    let file = FileMetaData::new(file.version(), file.num_rows(), None, None, schema, None);
    Ok(Arc::new(ParquetMetaData::new(file, footer.row_groups().to_vec())))
}
