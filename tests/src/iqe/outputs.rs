//! What is compared: the tables, and for each the checks that its columns belong to.

use std::path::PathBuf;

use tokaki_core::Semantics;

use crate::cases::Case;
use crate::destination::DAILY_SUMMARY;

/// A table that tokaki writes.
pub(super) struct Output {
    /// Its name.
    pub(super) table: &'static str,
    /// Where a case has its expected rows; a case without that file expects nothing of the table.
    pub(super) expected: fn(&Case, Semantics) -> PathBuf,
    /// What the ids of its checks begin with.
    pub(super) prefix: &'static str,
    /// Checks of columns.
    pub(super) columns: &'static [ColumnCheck],
    /// The check of all columns that no other check names.
    pub(super) other_columns: ColumnCheck,
    /// The aggregators that have to be enabled for it.
    pub(super) aggregators: &'static [&'static str],
}

/// A check of some columns.
pub(super) struct ColumnCheck {
    /// Stable name.
    pub(super) id: &'static str,
    /// What is checked.
    pub(super) about: &'static str,
    /// The columns.
    pub(super) columns: &'static [&'static str],
}

/// Whether every expected row is there and no other, and the columns that say what a row is about.
pub(super) const ROW_KEYS: ColumnCheck = ColumnCheck {
    id: "row-keys",
    about: "every expected row is there and no other: day, namespace, node, claim, volume and the like",
    columns: &[
        "data_source",
        "usage_start",
        "usage_end",
        "namespace",
        "node",
        "persistentvolumeclaim",
        "persistentvolume",
        "storageclass",
        "gpu_uuid",
        "vm_name",
        "pvc_name",
    ],
};

/// All tables. A further one is a further entry.
pub(super) const OUTPUTS: [Output; 3] = [
    Output {
        table: DAILY_SUMMARY,
        expected: Case::expected_rows,
        prefix: "",
        columns: &DAILY_SUMMARY_COLUMNS,
        other_columns: ColumnCheck {
            id: "constants",
            about: "ids of period, cluster, source and machine, and usage cost",
            columns: &[],
        },
        aggregators: &["pod", "storage", "unallocated"],
    },
    Output {
        table: "reporting_ocp_gpu_summary_p",
        expected: |case, _| case.path("expected/gpu.parquet"),
        prefix: "gpu-",
        columns: &[],
        other_columns: VALUES,
        aggregators: &["gpu"],
    },
    Output {
        table: "tokaki_ocp_vm_resources",
        // The list is made of Pod rows, which differ between the semantics.
        expected: |case, semantics| match semantics {
            Semantics::Koku => case.path("expected/vm.parquet"),
            Semantics::Conserving => case.path("expected/vm-conserving.parquet"),
        },
        prefix: "vm-",
        columns: &[],
        other_columns: VALUES,
        aggregators: &["vm"],
    },
];

/// The table of a case about a bill.
pub(super) const BILL: Output = Output {
    table: "reporting_ocpawscostlineitem_project_daily_summary_p",
    expected: Case::expected_rows,
    prefix: "ocp-on-aws-",
    columns: &BILL_COLUMNS,
    other_columns: ColumnCheck {
        id: "constants",
        about: "ids of period, bill, cluster, source and account alias, currency",
        columns: &[],
    },
    aggregators: &["ocp_on_aws"],
};

const BILL_COLUMNS: [ColumnCheck; 5] = [
    ColumnCheck {
        id: "product",
        about: "what was billed, to which account and where",
        columns: &[
            "resource_id",
            "product_code",
            "product_family",
            "instance_type",
            "usage_account_id",
            "availability_zone",
            "region",
            "unit",
            "data_transfer_direction",
        ],
    },
    ColumnCheck {
        id: "usage",
        about: "usage, and data sent and received",
        columns: &["usage_amount", "infrastructure_data_in_gigabytes", "infrastructure_data_out_gigabytes"],
    },
    ColumnCheck {
        id: "costs",
        about: "the four costs",
        columns: &["unblended_cost", "blended_cost", "savingsplan_effective_cost", "calculated_amortized_cost"],
    },
    ColumnCheck {
        id: "markup",
        about: "markup of each cost",
        columns: &["markup_cost", "markup_cost_blended", "markup_cost_savingsplan", "markup_cost_amortized"],
    },
    ColumnCheck {
        id: "tags",
        about: "labels and tags, and categories",
        columns: &["pod_labels", "tags", "aws_cost_category", "cost_category_id"],
    },
];

const VALUES: ColumnCheck = ColumnCheck { id: "values", about: "all columns", columns: &[] };

const DAILY_SUMMARY_COLUMNS: [ColumnCheck; 7] = [
    ColumnCheck {
        id: "cpu",
        about: "usage, request, limit and effective usage of CPU",
        columns: &[
            "pod_usage_cpu_core_hours",
            "pod_request_cpu_core_hours",
            "pod_limit_cpu_core_hours",
            "pod_effective_usage_cpu_core_hours",
        ],
    },
    ColumnCheck {
        id: "memory",
        about: "usage, request, limit and effective usage of memory",
        columns: &[
            "pod_usage_memory_gigabyte_hours",
            "pod_request_memory_gigabyte_hours",
            "pod_limit_memory_gigabyte_hours",
            "pod_effective_usage_memory_gigabyte_hours",
        ],
    },
    ColumnCheck {
        id: "node-capacity",
        about: "size and capacity of the node",
        columns: &[
            "node_capacity_cpu_cores",
            "node_capacity_cpu_core_hours",
            "node_capacity_memory_gigabytes",
            "node_capacity_memory_gigabyte_hours",
        ],
    },
    ColumnCheck {
        id: "cluster-capacity",
        about: "capacity of the cluster",
        columns: &["cluster_capacity_cpu_core_hours", "cluster_capacity_memory_gigabyte_hours"],
    },
    ColumnCheck {
        id: "storage",
        about: "capacity, request and usage of volumes",
        columns: &[
            "persistentvolumeclaim_capacity_gigabyte",
            "persistentvolumeclaim_capacity_gigabyte_months",
            "volume_request_storage_gigabyte_months",
            "persistentvolumeclaim_usage_gigabyte_months",
        ],
    },
    ColumnCheck {
        id: "labels",
        about: "labels of pods and volumes, filtered and merged",
        columns: &["pod_labels", "volume_labels", "all_labels"],
    },
    ColumnCheck { id: "cost-category", about: "cost category of the namespace", columns: &["cost_category_id"] },
];
