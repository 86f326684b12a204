#![doc = include_str!("README.md")]

use std::io::Write;
use std::sync::Arc;

use tokaki_core::{Field, Result, Section, Sink};

use crate::lines::{Cell, LineFormat, Lines, LinesConfig};

tokaki_core::register!(
    Sink,
    LinesConfig,
    "csv",
    "Writes the rows of a run as CSV, to files or standard output.",
    build
);

fn build(section: &Section) -> Result<Arc<dyn Sink>> {
    Ok(Arc::new(Lines::new(section, Csv)?))
}

/// Comma-separated values (RFC 4180), with a header and lines that end in a line feed.
#[derive(Clone, Copy)]
struct Csv;

impl LineFormat for Csv {
    const NAME: &'static str = "csv";

    fn write_head(self, fields: &[Field], to: &mut dyn Write) -> std::io::Result<()> {
        let mut line = csv::Writer::from_writer(to);
        line.write_record(fields.iter().map(|field| field.name))?;
        line.flush()
    }

    fn write_row(self, _: &[Field], cells: &[Cell<'_>], to: &mut dyn Write) -> std::io::Result<()> {
        let mut line = csv::Writer::from_writer(to);
        line.write_record(cells.iter().map(ToString::to_string))?;
        line.flush()
    }
}
