//! Line items from a few words, or from a small table of text.

use std::collections::BTreeMap;

use crate::input::Grain;

/// A value of a line item; a column that is not named is null.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// A text, or a number as a table of text has it: what it is depends on the column.
    Text(&'static str),
    /// A number; in a column of instants, hours since 2025-10-01T00:00Z.
    Number(f64),
}

/// One line item. A column exists in a table if one of its line items has it.
#[derive(Debug, Clone)]
pub struct Line {
    /// Report type of the table.
    pub report_type: &'static str,
    /// The source, if it is another one than the job's own.
    pub of: Option<&'static str>,
    /// Hourly or daily table.
    pub grain: Grain,
    /// Hours since 2025-10-01T00:00Z.
    pub hour: i64,
    /// Columns beside the time.
    pub cells: BTreeMap<&'static str, Cell>,
}

impl Line {
    /// The text of a column; `None` if it is null.
    pub fn text(&self, column: &str) -> Option<&'static str> {
        match self.cells.get(column) {
            Some(Cell::Text(text)) => Some(*text),
            _ => None,
        }
    }
}

/// A line item of an hourly table of the job's own source.
pub fn line(report_type: &'static str, hour: i64, cells: &[(&'static str, Cell)]) -> Line {
    Line { report_type, of: None, grain: Grain::Hourly, hour, cells: cells.iter().copied().collect() }
}

/// The hourly line items of a table of text: columns between `|`, names in the first line, one of them `hour`; `-` is
/// null and `''` the empty text.
///
/// # Panics
/// If a line has other columns than the first, or no hour.
pub fn lines(report_type: &'static str, table: &'static str) -> Vec<Line> {
    let mut rows = table.lines().map(str::trim).filter(|row| !row.is_empty()).map(|row| row.split('|').map(str::trim));
    let names: Vec<&'static str> = rows.next().expect("the first line names the columns").collect();
    rows.map(|row| {
        let values: Vec<&'static str> = row.collect();
        assert_eq!(values.len(), names.len(), "{values:?} has other columns than {names:?}");
        let mut cells: BTreeMap<_, _> = names.iter().copied().zip(values).collect();
        let hour = cells.remove("hour").and_then(|hour| hour.parse().ok()).expect("each line has an `hour`");
        cells.retain(|_, value| *value != "-");
        let text = |value: &'static str| Cell::Text(if value == "''" { "" } else { value });
        let cells: Vec<_> = cells.into_iter().map(|(name, value)| (name, text(value))).collect();
        line(report_type, hour, &cells)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_text_is_line_items() {
        let lines = lines("pod_usage", "hour | namespace | node | cores\n 0 | shop | '' | 2.5 \n\n 25 | - | n1 | -");
        assert_eq!(lines[0].cells["node"], Cell::Text(""));
        assert_eq!(lines[0].cells["cores"], Cell::Text("2.5"));
        assert_eq!((lines[1].hour, lines[1].cells.len()), (25, 1));
    }
}
