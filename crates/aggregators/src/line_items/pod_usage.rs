//! `pod_usage`: what each pod used, requested and was limited to, and what its node has.

use tokaki_core::WantedColumn;

use super::{labels, number, text};

/// Report type in paths and table names.
pub const REPORT_TYPE: &str = "pod_usage";

/// Namespace of the pod.
pub const NAMESPACE: &str = "namespace";
/// Node it runs on; null or empty while it is not scheduled.
pub const NODE: &str = "node";
/// Name of the pod.
pub const POD: &str = "pod";
/// Machine id of the node.
pub const RESOURCE_ID: &str = "resource_id";
/// Labels of the pod.
pub const POD_LABELS: &str = "pod_labels";

/// Core-seconds used.
pub const USAGE_CPU: &str = "pod_usage_cpu_core_seconds";
/// Core-seconds requested.
pub const REQUEST_CPU: &str = "pod_request_cpu_core_seconds";
/// Core-seconds that were the limit.
pub const LIMIT_CPU: &str = "pod_limit_cpu_core_seconds";
/// Core-seconds, per hour the larger of used and requested. Optional.
pub const EFFECTIVE_CPU: &str = "pod_effective_usage_cpu_core_seconds";
/// Byte-seconds used.
pub const USAGE_MEMORY: &str = "pod_usage_memory_byte_seconds";
/// Byte-seconds requested.
pub const REQUEST_MEMORY: &str = "pod_request_memory_byte_seconds";
/// Byte-seconds that were the limit.
pub const LIMIT_MEMORY: &str = "pod_limit_memory_byte_seconds";
/// Byte-seconds, per hour the larger of used and requested. Optional.
pub const EFFECTIVE_MEMORY: &str = "pod_effective_usage_memory_byte_seconds";

/// Cores of the node.
pub const NODE_CORES: &str = "node_capacity_cpu_cores";
/// Memory of the node in bytes.
pub const NODE_BYTES: &str = "node_capacity_memory_bytes";
/// Core-seconds the node had in the interval.
pub const NODE_CORE_SECONDS: &str = "node_capacity_cpu_core_seconds";
/// Byte-seconds of memory the node had in the interval.
pub const NODE_BYTE_SECONDS: &str = "node_capacity_memory_byte_seconds";

/// What pod rows are made of (spec § 5). Which pod it was matters only where effective usage is not reported (spec § 12).
pub const USAGE_COLUMNS: [WantedColumn; 15] = [
    text(NAMESPACE),
    text(NODE),
    text(POD).only_without(&[EFFECTIVE_CPU, EFFECTIVE_MEMORY]),
    text(RESOURCE_ID),
    labels(POD_LABELS),
    number(USAGE_CPU),
    number(REQUEST_CPU),
    number(LIMIT_CPU),
    number(EFFECTIVE_CPU),
    number(USAGE_MEMORY),
    number(REQUEST_MEMORY),
    number(LIMIT_MEMORY),
    number(EFFECTIVE_MEMORY),
    number(NODE_CORES),
    number(NODE_BYTES),
];

/// Where a pod ran, and what tells its derived daily rows apart (spec § 7, § 12).
pub const PLACE_COLUMNS: [WantedColumn; 5] =
    [text(NAMESPACE), text(NODE), text(POD), text(RESOURCE_ID), labels(POD_LABELS)];

/// Which pod carries which labels.
pub const NAME_COLUMNS: [WantedColumn; 2] = [text(POD), labels(POD_LABELS)];

/// What capacity is made of (spec § 5, Capacity).
pub const CAPACITY_COLUMNS: [WantedColumn; 3] = [text(NODE), number(NODE_CORE_SECONDS), number(NODE_BYTE_SECONDS)];
