//! The six reports of an operator and the bill of a cloud provider, told apart by their columns: file names say nothing in a payload.

use std::fmt;

use tokaki_core::{Grain, OPENSHIFT, TableName};

/// What a file reports; names as in the paths of spec § 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReportType {
    /// Usage of pods and capacity of nodes.
    PodUsage,
    /// Volumes and their claims.
    StorageUsage,
    /// Labels of nodes.
    NodeLabels,
    /// Labels of namespaces.
    NamespaceLabels,
    /// Virtual machines.
    VmUsage,
    /// GPUs.
    GpuUsage,
    /// The bill of an AWS account.
    AwsLineItems,
}

impl ReportType {
    /// All types, in the order in which Koku tries them.
    pub const ALL: [Self; 7] = [
        Self::StorageUsage,
        Self::PodUsage,
        Self::NodeLabels,
        Self::NamespaceLabels,
        Self::VmUsage,
        Self::GpuUsage,
        Self::AwsLineItems,
    ];

    /// Name in paths, for instance `pod_usage`.
    pub fn name(self) -> &'static str {
        match self {
            Self::PodUsage => "pod_usage",
            Self::StorageUsage => "storage_usage",
            Self::NodeLabels => "node_labels",
            Self::NamespaceLabels => "namespace_labels",
            Self::VmUsage => "vm_usage",
            Self::GpuUsage => "gpu_usage",
            Self::AwsLineItems => "aws_line_items",
        }
    }

    /// The table that its rows are of.
    pub fn table(self, grain: Grain) -> TableName {
        match self {
            Self::AwsLineItems => TableName { provider: "AWS", report_type: "line_items", grain },
            openshift => TableName { provider: OPENSHIFT, report_type: openshift.name(), grain },
        }
    }

    /// Column that dates a row.
    pub fn time_column(self) -> &'static str {
        match self {
            Self::AwsLineItems => "lineitem_usagestartdate",
            _ => "interval_start",
        }
    }

    /// The type of a file with these columns: the first one whose columns are all there.
    ///
    /// # Errors
    /// The type that comes closest, and which of its columns are missing.
    pub(super) fn detect(columns: &[String]) -> Result<Self, (Self, Vec<&'static str>)> {
        let missing = |report_type: Self| -> Vec<_> {
            report_type.columns().filter(|column| !columns.iter().any(|found| found == column)).collect()
        };
        let candidates = Self::ALL.map(|report_type| (report_type, missing(report_type)));
        let lacking = |(report_type, missing): &(Self, Vec<_>)| {
            // Compared as fractions, so that a type of few columns is not close to everything.
            missing.len() * 1000 / (report_type.times().len() + report_type.own_columns().len())
        };
        let (report_type, missing) = candidates.into_iter().min_by_key(lacking).expect("there are report types");
        if missing.is_empty() { Ok(report_type) } else { Err((report_type, missing)) }
    }

    /// The columns that every file of the type has.
    pub fn columns(self) -> impl Iterator<Item = &'static str> {
        self.times().iter().chain(self.own_columns()).copied()
    }

    /// The times that every file of the type has.
    fn times(self) -> &'static [&'static str] {
        if self == Self::AwsLineItems { &[] } else { TIMES }
    }

    /// The columns that every file of the type has, beside times.
    fn own_columns(self) -> &'static [&'static str] {
        match self {
            Self::PodUsage => POD_USAGE,
            Self::StorageUsage => STORAGE_USAGE,
            Self::NodeLabels => &["node", "node_labels"],
            Self::NamespaceLabels => &["namespace", "namespace_labels"],
            Self::VmUsage => VM_USAGE,
            Self::GpuUsage => GPU_USAGE,
            Self::AwsLineItems => AWS_LINE_ITEMS,
        }
    }
}

impl fmt::Display for ReportType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Columns of every operator's report.
pub(super) const TIMES: &[&str] = &["report_period_start", "report_period_end", "interval_start", "interval_end"];

const AWS_LINE_ITEMS: &[&str] = &[
    "lineitem_usagestartdate",
    "lineitem_resourceid",
    "lineitem_productcode",
    "lineitem_usageaccountid",
    "lineitem_lineitemtype",
    "lineitem_usageamount",
    "lineitem_unblendedcost",
];

const POD_USAGE: &[&str] = &[
    "pod",
    "namespace",
    "node",
    "resource_id",
    "pod_usage_cpu_core_seconds",
    "pod_request_cpu_core_seconds",
    "pod_limit_cpu_core_seconds",
    "pod_usage_memory_byte_seconds",
    "pod_request_memory_byte_seconds",
    "pod_limit_memory_byte_seconds",
    "node_capacity_cpu_cores",
    "node_capacity_cpu_core_seconds",
    "node_capacity_memory_bytes",
    "node_capacity_memory_byte_seconds",
    "pod_labels",
];

const STORAGE_USAGE: &[&str] = &[
    "namespace",
    "pod",
    "persistentvolumeclaim",
    "persistentvolume",
    "storageclass",
    "persistentvolumeclaim_capacity_bytes",
    "persistentvolumeclaim_capacity_byte_seconds",
    "volume_request_storage_byte_seconds",
    "persistentvolumeclaim_usage_byte_seconds",
    "persistentvolume_labels",
    "persistentvolumeclaim_labels",
];

const VM_USAGE: &[&str] = &[
    "node",
    "namespace",
    "vm_name",
    "resource_id",
    "vm_instance_type",
    "vm_os",
    "vm_guest_os_arch",
    "vm_guest_os_name",
    "vm_guest_os_version",
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
    "vm_device",
    "vm_volume_mode",
    "vm_persistentvolumeclaim_name",
    "vm_disk_allocated_size_byte_seconds",
    "vm_labels",
];

const GPU_USAGE: &[&str] = &[
    "node",
    "namespace",
    "pod",
    "gpu_uuid",
    "gpu_model_name",
    "gpu_vendor_name",
    "gpu_memory_capacity_mib",
    "gpu_pod_uptime",
];
