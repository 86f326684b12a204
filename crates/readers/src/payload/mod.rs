//! Reads what the operator uploads: CSV files, alone, in a folder, or in a `tar.gz` with a manifest. See `README.md` in
//! this folder.
//!
//! Knows the operator's files and what Koku makes of their rows. Does not know where the rows go.

mod archive;
mod bill;
mod cells;
mod columns;
mod effective_usage;
mod gpu;
mod input;
mod instants;
mod labels;
mod line_items;
mod manifest;
mod metered;
mod report_type;
mod tree;

pub use input::{CsvFile, Limits, Payload};
pub use line_items::{Anomaly, LineItems, Skipped};
pub use report_type::ReportType;
pub(crate) use tree::{CsvBytes, Located, find, open};

#[cfg(test)]
mod tests;
