//! What Koku groups a day's rows by, and what becomes of their measures (spec § 2, § 12).

use tokaki_core::rollup::Resolution;
use tokaki_readers::payload::ReportType;

use Measure::{Max, Sum};

/// How the rows of a report become daily rows.
#[derive(Debug)]
pub(super) struct DailyColumns {
    /// Rows that agree in these, and in their day, become one.
    pub(super) keys: &'static [&'static str],
    /// Measures and texts, in the order of the daily file.
    pub(super) measures: &'static [(&'static str, Measure)],
    /// Texts that a daily file has even if the operator was too old to send them.
    pub(super) texts: &'static [&'static str],
    /// Whole numbers of that kind.
    pub(super) counts: &'static [&'static str],
    /// Column of an id that is made of what the row is grouped by, if there is one.
    pub(super) id: Option<&'static str>,
}

/// What becomes of a column's values.
#[derive(Debug, Clone, Copy)]
pub(super) enum Measure {
    /// The largest one.
    Max,
    /// Their sum; null counts as 0.
    Sum(Resolution),
}

/// For measures in seconds, and for those whose rows are anomalies from 1e18: the finest resolution that holds a day.
const FINE: Measure = Sum(Resolution::CORE_SECONDS);
/// For measures that nobody keeps in bounds.
const WIDE: Measure = Sum(Resolution::BYTE_SECONDS);

/// The daily columns of a report.
pub(super) fn of(report_type: ReportType) -> &'static DailyColumns {
    match report_type {
        ReportType::PodUsage => &POD_USAGE,
        ReportType::StorageUsage => &STORAGE_USAGE,
        ReportType::NodeLabels => &NODE_LABELS,
        ReportType::NamespaceLabels => &NAMESPACE_LABELS,
        ReportType::VmUsage => &VM_USAGE,
        ReportType::GpuUsage => &GPU_USAGE,
        ReportType::AwsLineItems => &AWS_LINE_ITEMS,
    }
}

static POD_USAGE: DailyColumns = DailyColumns {
    keys: &["namespace", "node", "pod", "pod_labels"],
    measures: &[
        ("report_period_start", Max),
        ("report_period_end", Max),
        ("resource_id", Max),
        ("pod_usage_cpu_core_seconds", FINE),
        ("pod_request_cpu_core_seconds", FINE),
        ("pod_effective_usage_cpu_core_seconds", FINE),
        ("pod_limit_cpu_core_seconds", FINE),
        ("pod_usage_memory_byte_seconds", FINE),
        ("pod_request_memory_byte_seconds", FINE),
        ("pod_effective_usage_memory_byte_seconds", FINE),
        ("pod_limit_memory_byte_seconds", FINE),
        ("node_capacity_cpu_cores", Max),
        ("node_capacity_cpu_core_seconds", FINE),
        ("node_capacity_memory_bytes", Max),
        ("node_capacity_memory_byte_seconds", FINE),
        ("node_role", Max),
    ],
    texts: &["node_role"],
    counts: &[],
    id: None,
};

static STORAGE_USAGE: DailyColumns = DailyColumns {
    keys: &[
        "namespace",
        "node",
        "pod",
        "persistentvolumeclaim",
        "persistentvolume",
        "storageclass",
        "csi_driver",
        "csi_volume_handle",
        "persistentvolume_labels",
        "persistentvolumeclaim_labels",
    ],
    measures: &[
        ("report_period_start", Max),
        ("report_period_end", Max),
        ("persistentvolumeclaim_capacity_bytes", Max),
        ("persistentvolumeclaim_capacity_byte_seconds", FINE),
        ("volume_request_storage_byte_seconds", FINE),
        ("persistentvolumeclaim_usage_byte_seconds", FINE),
    ],
    texts: &["node", "csi_driver", "csi_volume_handle"],
    counts: &[],
    id: None,
};

static NODE_LABELS: DailyColumns =
    DailyColumns { keys: &["node", "node_labels"], measures: PERIOD, texts: &[], counts: &[], id: None };

static NAMESPACE_LABELS: DailyColumns =
    DailyColumns { keys: &["namespace", "namespace_labels"], measures: PERIOD, texts: &[], counts: &[], id: None };

const PERIOD: &[(&str, Measure)] = &[("report_period_start", Max), ("report_period_end", Max)];

static VM_USAGE: DailyColumns = DailyColumns {
    keys: &["namespace", "node", "vm_name", "vm_labels"],
    measures: &[
        ("report_period_start", Max),
        ("report_period_end", Max),
        ("resource_id", Max),
        ("vm_instance_type", Max),
        ("vm_os", Max),
        ("vm_guest_os_arch", Max),
        ("vm_guest_os_name", Max),
        ("vm_guest_os_version", Max),
        ("vm_uptime_total_seconds", FINE),
        ("vm_cpu_limit_cores", Max),
        ("vm_cpu_limit_core_seconds", FINE),
        ("vm_cpu_request_cores", Max),
        ("vm_cpu_request_core_seconds", FINE),
        ("vm_cpu_request_sockets", Max),
        ("vm_cpu_request_socket_seconds", FINE),
        ("vm_cpu_request_threads", Max),
        ("vm_cpu_request_thread_seconds", FINE),
        ("vm_cpu_usage_total_seconds", FINE),
        ("vm_memory_limit_bytes", Max),
        ("vm_memory_limit_byte_seconds", WIDE),
        ("vm_memory_request_bytes", Max),
        ("vm_memory_request_byte_seconds", WIDE),
        ("vm_memory_usage_byte_seconds", WIDE),
        ("vm_device", Max),
        ("vm_volume_mode", Max),
        ("vm_persistentvolumeclaim_name", Max),
        ("vm_disk_allocated_size_byte_seconds", WIDE),
    ],
    texts: &[],
    counts: &[],
    id: None,
};

static GPU_USAGE: DailyColumns = DailyColumns {
    keys: &["node", "namespace", "pod", "gpu_uuid", "mig_instance_id"],
    measures: &[
        ("report_period_start", Max),
        ("report_period_end", Max),
        ("gpu_model_name", Max),
        ("gpu_vendor_name", Max),
        ("gpu_memory_capacity_mib", Max),
        ("gpu_pod_uptime", FINE),
        ("mig_profile", Max),
        ("mig_slice_count", Max),
        ("gpu_max_slices", Max),
        ("mig_memory_capacity_mib", Max),
        ("mig_strategy", Max),
    ],
    texts: &["mig_instance_id", "mig_profile", "mig_strategy"],
    counts: &["mig_slice_count", "mig_memory_capacity_mib", "gpu_max_slices"],
    id: None,
};

/// The key of ocp-on-aws § 2.1.
static AWS_LINE_ITEMS: DailyColumns = DailyColumns {
    keys: &[
        "lineitem_resourceid",
        "bill_payeraccountid",
        "lineitem_usageaccountid",
        "lineitem_legalentity",
        "lineitem_lineitemdescription",
        "bill_billingentity",
        "lineitem_productcode",
        "lineitem_availabilityzone",
        "lineitem_lineitemtype",
        "lineitem_usagetype",
        "lineitem_operation",
        "product_productfamily",
        "product_operatingsystem",
        "product_instancetype",
        "product_region",
        "pricing_unit",
        "resourcetags",
        "costcategory",
    ],
    measures: &[
        ("lineitem_usageamount", FINE),
        ("lineitem_normalizationfactor", Max),
        ("lineitem_normalizedusageamount", FINE),
        ("lineitem_currencycode", Max),
        ("lineitem_unblendedrate", Max),
        ("lineitem_unblendedcost", FINE),
        ("lineitem_blendedrate", Max),
        ("lineitem_blendedcost", FINE),
        ("pricing_publicondemandcost", FINE),
        ("pricing_publicondemandrate", Max),
        ("savingsplan_savingsplaneffectivecost", FINE),
        ("bill_invoiceid", Max),
        ("product_productname", Max),
        ("product_vcpu", Max),
        ("product_memory", Max),
    ],
    texts: &[],
    counts: &[],
    id: Some("row_uuid"),
};
