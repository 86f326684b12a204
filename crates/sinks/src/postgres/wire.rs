//! Rows as PostgreSQL's binary format wants them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, FixedSizeBinaryBuilder, RecordBatch};
use arrow::datatypes::{DataType, Field as ArrowField, FieldRef, Float64Type, Schema, SchemaRef};
use pgpq::ArrowToPostgresBinaryEncoder;
use pgpq::encoders::{EncoderBuilder, StringEncoderBuilder};
use pgpq::pg_schema::PostgresType;
use tokaki_core::{Error, ErrorKind, Field, FieldKind, Output, Result};
use uuid::Uuid;

use super::numeric::{PRECISION, SCALE, numeric};

/// Turns batches of one output into bytes.
pub(super) struct Wire {
    fields: Vec<Field>,
    schema: SchemaRef,
    /// Writes header, batches and footer.
    pub(super) encoder: ArrowToPostgresBinaryEncoder,
}

impl Wire {
    /// An encoder for the columns of `output`.
    pub(super) fn new(output: &Output) -> Result<Self> {
        let fields = output.fields.clone();
        let wire_fields: Result<Vec<_>> = fields.iter().map(wire_field).collect();
        let schema = Arc::new(Schema::new(wire_fields?));
        let encoders: Result<HashMap<_, _>> = fields
            .iter()
            .zip(schema.fields())
            .map(|(field, wire)| Ok((field.name.to_owned(), encoder(field.kind, wire.clone()).map_err(broken)?)))
            .collect();
        let encoder = ArrowToPostgresBinaryEncoder::try_new_with_encoders(&schema, &encoders?).map_err(broken)?;
        Ok(Self { fields, schema, encoder })
    }

    /// The same rows in the types that the encoder takes.
    pub(super) fn convert(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let columns: Result<_> =
            self.fields.iter().zip(rows.columns()).map(|(field, column)| convert(field, column)).collect();
        RecordBatch::try_new(self.schema.clone(), columns?).map_err(|error| Error::bug(error.to_string()))
    }
}

/// An encoder does not know a type that we gave it.
pub(super) fn broken(error: pgpq::error::ErrorKind) -> Error {
    Error::bug(error.to_string())
}

fn wire_field(field: &Field) -> Result<ArrowField> {
    let data_type = match field.kind {
        // Declared as bytes; the same sixteen are a uuid.
        FieldKind::Uuid => DataType::FixedSizeBinary(16),
        FieldKind::Text(_) | FieldKind::Json => DataType::Utf8,
        FieldKind::Integer => DataType::Int32,
        FieldKind::Date => DataType::Date32,
        FieldKind::Instant => return Err(Error::bug("no destination has a column for instants").column(field.name)),
        FieldKind::Measure => DataType::Decimal128(PRECISION, SCALE),
    };
    Ok(ArrowField::new(field.name, data_type, field.nullable))
}

fn encoder(kind: FieldKind, field: FieldRef) -> Result<EncoderBuilder, pgpq::error::ErrorKind> {
    match kind {
        FieldKind::Json => {
            StringEncoderBuilder::new_with_output(field, PostgresType::Jsonb).map(EncoderBuilder::String)
        }
        _ => EncoderBuilder::try_new(field),
    }
}

fn convert(field: &Field, column: &ArrayRef) -> Result<ArrayRef> {
    match field.kind {
        FieldKind::Uuid => uuids(column),
        FieldKind::Measure => measures(column),
        _ => Ok(column.clone()),
    }
    .map_err(|error| error.column(field.name))
}

fn uuids(column: &ArrayRef) -> Result<ArrayRef> {
    let mut builder = FixedSizeBinaryBuilder::with_capacity(column.len(), 16);
    for text in column.as_string::<i32>() {
        let Some(text) = text else {
            builder.append_null();
            continue;
        };
        let uuid = Uuid::try_parse(text)
            .map_err(|_| Error::new(ErrorKind::Type, format!("expected a uuid, found `{}`", text.escape_debug())))?;
        builder.append_value(uuid.as_bytes()).map_err(|error| Error::bug(error.to_string()))?;
    }
    Ok(Arc::new(builder.finish()))
}

fn measures(column: &ArrayRef) -> Result<ArrayRef> {
    let unfit = |value: f64| Error::new(ErrorKind::Type, format!("{value} does not fit numeric({PRECISION},{SCALE})"));
    let numerics: Result<Decimal128Array> =
        column.as_primitive::<Float64Type>().try_unary(|value| numeric(value).ok_or_else(|| unfit(value)));
    let numerics = numerics?.with_precision_and_scale(PRECISION, SCALE);
    Ok(Arc::new(numerics.map_err(|error| Error::bug(error.to_string()))?))
}
