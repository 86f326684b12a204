//! `node_labels`: the labels of each node, hour by hour or each distinct text of a day.

use tokaki_core::WantedColumn;

/// Report type in paths and table names.
pub const REPORT_TYPE: &str = "node_labels";
/// Name of the node.
pub const NODE: &str = "node";
/// Its labels.
pub const NODE_LABELS: &str = "node_labels";

/// Both columns.
pub const COLUMNS: [WantedColumn; 2] = [super::text(NODE), super::labels(NODE_LABELS)];
