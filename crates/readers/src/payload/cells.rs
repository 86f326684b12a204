//! The cells of one column: texts in, an array out.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Builder, Int64Builder, StringBuilder, TimestampMillisecondBuilder};

use super::report_type::{self, ReportType};
use super::{columns, instants, labels};

/// From here on a watched number is an anomaly, whatever its sign.
const ANOMALY: f64 = 1e18;

/// Cells of one column, under way to an array.
pub(super) enum Cells {
    /// Times. Rows of one hour follow each other, so the last text is usually the next one.
    Instants { array: TimestampMillisecondBuilder, last: Option<(String, i64)> },
    /// Numbers; an empty cell is 0, as in Koku.
    Numbers { array: Float64Builder, watched: bool },
    /// Whole numbers; an empty cell is null.
    Counts(Int64Builder),
    /// Labels as JSON text.
    Labels { array: StringBuilder, left_out: u64 },
    /// Anything else; an empty cell is the empty text, as in Koku.
    Texts(StringBuilder),
}

/// What was found in a cell.
pub(super) enum Cell {
    /// A value.
    Fine,
    /// A value that makes the whole row unusable.
    Anomaly,
}

impl Cells {
    /// No cells of the column `name`.
    pub(super) fn of(name: &str) -> Self {
        match name {
            _ if report_type::TIMES.contains(&name) || name == ReportType::AwsLineItems.time_column() => {
                Self::Instants { array: TimestampMillisecondBuilder::new(), last: None }
            }
            _ if columns::WATCHED.contains(&name) => Self::Numbers { array: Float64Builder::new(), watched: true },
            _ if columns::NUMBERS.contains(&name) => Self::Numbers { array: Float64Builder::new(), watched: false },
            _ if columns::COUNTS.contains(&name) => Self::Counts(Int64Builder::new()),
            _ if columns::LABELS.contains(&name) => Self::Labels { array: StringBuilder::new(), left_out: 0 },
            _ => Self::Texts(StringBuilder::new()),
        }
    }

    /// Adds a cell.
    ///
    /// # Errors
    /// What was expected instead of `text`.
    pub(super) fn push(&mut self, text: &str) -> Result<Cell, &'static str> {
        match self {
            Self::Instants { array, last } => match last {
                Some((known, instant)) if known == text => array.append_value(*instant),
                _ => {
                    let instant = instants::milliseconds(text).ok_or("a time such as 2025-10-01 00:00:00 +0000 UTC")?;
                    array.append_value(instant);
                    *last = Some((text.to_owned(), instant));
                }
            },
            Self::Numbers { array, watched } => {
                let number = if text.is_empty() { 0.0 } else { text.trim().parse::<f64>().map_err(|_| "a number")? };
                // NaN is how metrics say that there is no value.
                array.append_option((!number.is_nan()).then_some(number));
                if *watched && number.abs() >= ANOMALY {
                    return Ok(Cell::Anomaly);
                }
                if number.is_infinite() {
                    return Err("a finite number");
                }
            }
            Self::Counts(array) => {
                let number: f64 =
                    if text.is_empty() { f64::NAN } else { text.trim().parse().map_err(|_| "a number")? };
                if number.abs() >= ANOMALY {
                    return Err("a count");
                }
                array.append_option((!number.is_nan()).then_some(number as i64));
            }
            Self::Labels { array, left_out } => {
                let (json, more_left_out) = labels::to_json(text);
                array.append_value(json);
                *left_out += more_left_out;
            }
            Self::Texts(array) => array.append_value(text),
        }
        Ok(Cell::Fine)
    }

    /// The cells since the last call.
    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Instants { array, .. } => Arc::new(array.finish()),
            Self::Numbers { array, .. } => Arc::new(array.finish()),
            Self::Counts(array) => Arc::new(array.finish()),
            Self::Labels { array, .. } | Self::Texts(array) => Arc::new(array.finish()),
        }
    }

    /// Labels that the cells so far had and that could not be read.
    pub(super) fn labels_left_out(&self) -> u64 {
        if let Self::Labels { left_out, .. } = self { *left_out } else { 0 }
    }
}
