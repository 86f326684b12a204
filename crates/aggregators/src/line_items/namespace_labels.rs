//! `namespace_labels`: the labels of each namespace, hour by hour or each distinct text of a day.

use tokaki_core::WantedColumn;

/// Report type in paths and table names.
pub const REPORT_TYPE: &str = "namespace_labels";
/// Name of the namespace.
pub const NAMESPACE: &str = "namespace";
/// Its labels.
pub const NAMESPACE_LABELS: &str = "namespace_labels";

/// Both columns.
pub const COLUMNS: [WantedColumn; 2] = [super::text(NAMESPACE), super::labels(NAMESPACE_LABELS)];
