//! Destination tables: definition, written columns, owned rows, row ids.

pub mod ocp_daily_summary;
pub mod row_id;
