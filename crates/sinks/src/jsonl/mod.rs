#![doc = include_str!("README.md")]

use std::io::Write;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;
use tokaki_core::{Field, Result, Section, Sink};

use crate::lines::{Cell, LineFormat, Lines, LinesConfig};

tokaki_core::register!(
    Sink,
    LinesConfig,
    "jsonl",
    "Writes the rows of a run as lines of JSON, to files or standard output.",
    build
);

fn build(section: &Section) -> Result<Arc<dyn Sink>> {
    Ok(Arc::new(Lines::new(section, JsonLines)?))
}

/// One object a line, with labels as objects.
#[derive(Clone, Copy)]
struct JsonLines;

impl LineFormat for JsonLines {
    const NAME: &'static str = "jsonl";

    fn write_head(self, _: &[Field], _: &mut dyn Write) -> std::io::Result<()> {
        Ok(())
    }

    fn write_row(self, fields: &[Field], cells: &[Cell<'_>], to: &mut dyn Write) -> std::io::Result<()> {
        serde_json::to_writer(&mut *to, &Row { fields, cells })?;
        to.write_all(b"\n")
    }
}

struct Row<'a> {
    fields: &'a [Field],
    cells: &'a [Cell<'a>],
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_map(Some(self.fields.len()))?;
        for (field, cell) in self.fields.iter().zip(self.cells) {
            match cell {
                Cell::Null => row.serialize_entry(field.name, &())?,
                Cell::Text(text) => row.serialize_entry(field.name, text)?,
                Cell::Json(text) => {
                    let json: &RawValue = serde_json::from_str(text).map_err(serde::ser::Error::custom)?;
                    row.serialize_entry(field.name, json)?;
                }
                Cell::Integer(number) => row.serialize_entry(field.name, number)?,
                Cell::Number(number) => row.serialize_entry(field.name, number)?,
                Cell::Day(day) => row.serialize_entry(field.name, &day.to_string())?,
            }
        }
        row.end()
    }
}
