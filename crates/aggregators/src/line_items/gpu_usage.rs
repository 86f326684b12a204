//! `gpu_usage`: which GPUs, or parts of GPUs, pods had.

use tokaki_core::WantedColumn;

use super::{number, text};

/// Report type in paths and table names.
pub const REPORT_TYPE: &str = "gpu_usage";

/// Namespace of the pod.
pub const NAMESPACE: &str = "namespace";
/// Node of the GPU.
pub const NODE: &str = "node";
/// Vendor, as the writer of the file normalised it.
pub const VENDOR: &str = "gpu_vendor_name";
/// Model, likewise.
pub const MODEL: &str = "gpu_model_name";
/// Id of the GPU.
pub const GPU_UUID: &str = "gpu_uuid";
/// Id of the part of a divided GPU. Optional.
pub const MIG_INSTANCE: &str = "mig_instance_id";
/// Profile of the part, for instance `2g.10gb`. Optional.
pub const MIG_PROFILE: &str = "mig_profile";
/// How the GPU is divided. Optional.
pub const MIG_STRATEGY: &str = "mig_strategy";

/// Memory of the GPU in MiB.
pub const MEMORY_MIB: &str = "gpu_memory_capacity_mib";
/// Memory of the part in MiB. Optional.
pub const MIG_MEMORY_MIB: &str = "mig_memory_capacity_mib";
/// Slices of the part. Optional.
pub const MIG_SLICES: &str = "mig_slice_count";
/// Slices that the whole GPU has. Optional.
pub const MAX_SLICES: &str = "gpu_max_slices";

/// What GPU rows are made of.
pub const COLUMNS: [WantedColumn; 12] = [
    text(NAMESPACE),
    text(NODE),
    text(VENDOR),
    text(MODEL),
    text(GPU_UUID),
    text(MIG_INSTANCE),
    text(MIG_PROFILE),
    text(MIG_STRATEGY),
    number(MEMORY_MIB),
    number(MIG_MEMORY_MIB),
    number(MIG_SLICES),
    number(MAX_SLICES),
];
