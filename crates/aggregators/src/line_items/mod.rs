//! Source tables: a file per report type with its columns (spec § 2).

pub mod aws;
pub mod gpu_usage;
pub mod namespace_labels;
pub mod node_labels;
pub mod pod_usage;
pub mod storage_usage;
pub mod vm_usage;

use tokaki_core::{ColumnKind, WantedColumn};

pub(crate) const fn text(name: &'static str) -> WantedColumn {
    WantedColumn::new(name, ColumnKind::Text)
}

const fn labels(name: &'static str) -> WantedColumn {
    WantedColumn::new(name, ColumnKind::Labels)
}

const fn number(name: &'static str) -> WantedColumn {
    WantedColumn::new(name, ColumnKind::Number)
}
