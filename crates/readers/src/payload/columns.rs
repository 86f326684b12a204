//! What is known of a report's columns by name. All others are text.

/// Columns whose text is in the label grammar.
pub(super) const LABELS: &[&str] = &[
    "pod_labels",
    "persistentvolume_labels",
    "persistentvolumeclaim_labels",
    "node_labels",
    "namespace_labels",
    "vm_labels",
];

/// Whole numbers that may be unknown.
pub(super) const COUNTS: &[&str] = &["mig_slice_count", "gpu_max_slices", "mig_memory_capacity_mib"];

/// Numbers that Koku checks for anomalies: values far beyond what a cluster can have, from faulty metrics.
pub(super) const WATCHED: &[&str] = &[
    "pod_usage_cpu_core_seconds",
    "pod_request_cpu_core_seconds",
    "pod_limit_cpu_core_seconds",
    "pod_usage_memory_byte_seconds",
    "pod_request_memory_byte_seconds",
    "pod_limit_memory_byte_seconds",
    "node_capacity_cpu_core_seconds",
    "node_capacity_memory_bytes",
    "node_capacity_memory_byte_seconds",
    "persistentvolumeclaim_capacity_bytes",
    "persistentvolumeclaim_capacity_byte_seconds",
    "volume_request_storage_byte_seconds",
    "persistentvolumeclaim_usage_byte_seconds",
];

/// All other numbers.
pub(super) const NUMBERS: &[&str] = &[
    "node_capacity_cpu_cores",
    "vm_uptime_total_seconds",
    "vm_cpu_limit_cores",
    "vm_cpu_limit_core_seconds",
    "vm_cpu_request_cores",
    "vm_cpu_request_core_seconds",
    "vm_cpu_request_sockets",
    "vm_cpu_request_socket_seconds",
    "vm_cpu_request_threads",
    "vm_cpu_request_thread_seconds",
    "vm_cpu_usage_total_seconds",
    "vm_memory_limit_bytes",
    "vm_memory_limit_byte_seconds",
    "vm_memory_request_bytes",
    "vm_memory_request_byte_seconds",
    "vm_memory_usage_byte_seconds",
    "vm_disk_allocated_size_byte_seconds",
    "gpu_memory_capacity_mib",
    "gpu_pod_uptime",
    "lineitem_usageamount",
    "lineitem_normalizationfactor",
    "lineitem_normalizedusageamount",
    "lineitem_unblendedrate",
    "lineitem_unblendedcost",
    "lineitem_blendedrate",
    "lineitem_blendedcost",
    "pricing_publicondemandcost",
    "pricing_publicondemandrate",
    "savingsplan_savingsplaneffectivecost",
];
