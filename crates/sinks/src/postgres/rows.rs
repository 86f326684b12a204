//! Rows in the binary format of `COPY`.
//!
//! Written here and not by a library, because none takes doubles for `numeric` and texts for `uuid`: each would have us
//! convert whole columns first.

use arrow::array::{Array, AsArray, Date32Array, Float64Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{Date32Type, Float64Type, Int32Type};
use tokaki_core::{Error, ErrorKind, FieldKind, Output, Result};
use uuid::Uuid;

use super::numeric;

/// What comes before the first row: the signature, no flags, no extension.
pub(super) const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What comes behind the last row.
pub(super) const TRAILER: &[u8] = &(-1_i16).to_be_bytes();

/// The length of a null.
const NULL: [u8; 4] = (-1_i32).to_be_bytes();
/// 2000-01-01, PostgreSQL's first day, in days since 1970-01-01.
const EPOCH: i32 = 10_957;
/// The version of `jsonb`'s binary format, which is this byte and the text.
const JSONB: u8 = 1;
/// PostgreSQL's numbers of the types `text` and `varchar`.
const TEXT: u32 = 25;
const VARCHAR: u32 = 1043;

/// Rows on their way into the binary format of `COPY`, without its header and trailer.
#[derive(Debug)]
pub struct CopyRows<'a> {
    columns: Vec<(&'static str, Column<'a>)>,
    next: usize,
    rows: usize,
}

#[derive(Debug)]
enum Column<'a> {
    Uuid(&'a StringArray),
    Text(&'a StringArray),
    Json(&'a StringArray),
    /// With the type of the texts.
    Texts(u32, &'a StringArray),
    Integer(&'a Int32Array),
    Date(&'a Date32Array),
    Measure(&'a Float64Array),
}

impl<'a> CopyRows<'a> {
    /// The rows of a batch that has the schema of `output`.
    ///
    /// # Errors
    /// `Bug` if it has not.
    pub fn new(output: &Output, rows: &'a RecordBatch) -> Result<Self> {
        let columns = output.fields.iter().zip(rows.columns()).map(|(field, column)| {
            let texts = || column.as_string_opt();
            let column = match field.kind {
                FieldKind::Uuid => texts().map(Column::Uuid),
                FieldKind::Text(_) => texts().map(Column::Text),
                FieldKind::Json => texts().map(Column::Json),
                FieldKind::Texts(0) => texts().map(|texts| Column::Texts(TEXT, texts)),
                FieldKind::Texts(_) => texts().map(|texts| Column::Texts(VARCHAR, texts)),
                FieldKind::Integer => column.as_primitive_opt::<Int32Type>().map(Column::Integer),
                FieldKind::Date => column.as_primitive_opt::<Date32Type>().map(Column::Date),
                FieldKind::Measure => column.as_primitive_opt::<Float64Type>().map(Column::Measure),
                FieldKind::Instant => None,
            };
            let column = column.ok_or_else(|| Error::bug("no way to send this column").column(field.name))?;
            Ok((field.name, column))
        });
        Ok(Self { columns: columns.collect::<Result<_>>()?, next: 0, rows: rows.num_rows() })
    }

    /// Appends rows until `buffer` holds `bytes` or more, or none is left. Returns whether it appended any.
    ///
    /// # Errors
    /// `Type`, with the column, if a value does not fit its type in PostgreSQL.
    pub fn fill(&mut self, buffer: &mut Vec<u8>, bytes: usize) -> Result<bool> {
        let first = self.next;
        let count = (self.columns.len() as i16).to_be_bytes();
        while self.next < self.rows && buffer.len() < bytes {
            buffer.extend_from_slice(&count);
            for (name, column) in &self.columns {
                column.write(self.next, buffer).map_err(|error| error.column(*name))?;
            }
            self.next += 1;
        }
        Ok(self.next > first)
    }
}

impl Column<'_> {
    fn write(&self, row: usize, to: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Uuid(texts) if texts.is_valid(row) => {
                let text = texts.value(row);
                let uuid =
                    Uuid::try_parse(text).map_err(|_| unfit(format_args!("`{}`", text.escape_debug()), "uuid"))?;
                to.extend_from_slice(&16_i32.to_be_bytes());
                to.extend_from_slice(uuid.as_bytes());
            }
            Self::Text(texts) if texts.is_valid(row) => {
                let text = texts.value(row);
                to.extend_from_slice(&length(text.len())?);
                to.extend_from_slice(text.as_bytes());
            }
            Self::Json(texts) if texts.is_valid(row) => {
                let text = texts.value(row);
                to.extend_from_slice(&length(text.len() + 1)?);
                to.push(JSONB);
                to.extend_from_slice(text.as_bytes());
            }
            Self::Texts(of, lists) if lists.is_valid(row) => write_texts(*of, &texts_of_json(lists.value(row))?, to)?,
            Self::Integer(values) if values.is_valid(row) => {
                to.extend_from_slice(&4_i32.to_be_bytes());
                to.extend_from_slice(&values.value(row).to_be_bytes());
            }
            Self::Date(days) if days.is_valid(row) => {
                let day = days.value(row);
                let day = day.checked_sub(EPOCH).ok_or_else(|| unfit(format_args!("day {day}"), "date"))?;
                to.extend_from_slice(&4_i32.to_be_bytes());
                to.extend_from_slice(&day.to_be_bytes());
            }
            Self::Measure(values) if values.is_valid(row) => numeric::write(values.value(row), to)?,
            _ => to.extend_from_slice(&NULL),
        }
        Ok(())
    }
}

/// The texts of a list, which a batch holds as a JSON array.
fn texts_of_json(json: &str) -> Result<Vec<Option<String>>> {
    serde_json::from_str(json).map_err(|error| Error::bug(format!("a list of texts is none: {error}")))
}

/// An array of one dimension, counted from 1, or of none if there are no texts.
fn write_texts(of: u32, texts: &[Option<String>], to: &mut Vec<u8>) -> Result<()> {
    let start = to.len();
    to.extend_from_slice(&NULL);
    let has_nulls = i32::from(texts.iter().any(Option::is_none));
    to.extend_from_slice(&i32::from(!texts.is_empty()).to_be_bytes());
    to.extend_from_slice(&has_nulls.to_be_bytes());
    to.extend_from_slice(&of.to_be_bytes());
    if !texts.is_empty() {
        to.extend_from_slice(&length(texts.len())?);
        to.extend_from_slice(&1_i32.to_be_bytes());
    }
    for text in texts {
        match text {
            Some(text) => {
                to.extend_from_slice(&length(text.len())?);
                to.extend_from_slice(text.as_bytes());
            }
            None => to.extend_from_slice(&NULL),
        }
    }
    let bytes = length(to.len() - start - NULL.len())?;
    to[start..start + NULL.len()].copy_from_slice(&bytes);
    Ok(())
}

fn length(bytes: usize) -> Result<[u8; 4]> {
    let length = i32::try_from(bytes).map_err(|_| unfit(format_args!("a text of {bytes} bytes"), "column"))?;
    Ok(length.to_be_bytes())
}

fn unfit(found: std::fmt::Arguments<'_>, kind: &str) -> Error {
    Error::new(ErrorKind::Type, format!("{found} does not fit a {kind}"))
}
