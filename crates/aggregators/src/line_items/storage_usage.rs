//! `storage_usage`: what each volume claim holds, requested and used.

use tokaki_core::WantedColumn;

use super::{labels, number, text};

/// Report type in paths and table names.
pub const REPORT_TYPE: &str = "storage_usage";

/// Namespace of the claim.
pub const NAMESPACE: &str = "namespace";
/// Pod that mounts it; null or empty when none does.
pub const POD: &str = "pod";
/// Node of the pod, as newer operators report it. Optional.
pub const NODE: &str = "node";
/// Name of the claim.
pub const CLAIM: &str = "persistentvolumeclaim";
/// Name of the volume it is bound to.
pub const VOLUME: &str = "persistentvolume";
/// Storage class.
pub const STORAGE_CLASS: &str = "storageclass";
/// Id of the volume at its provider. Optional.
pub const VOLUME_HANDLE: &str = "csi_volume_handle";
/// Labels of the volume.
pub const VOLUME_LABELS: &str = "persistentvolume_labels";
/// Labels of the claim.
pub const CLAIM_LABELS: &str = "persistentvolumeclaim_labels";

/// Size of the claim in bytes.
pub const CAPACITY_BYTES: &str = "persistentvolumeclaim_capacity_bytes";
/// Size over time, byte-seconds.
pub const CAPACITY_BYTE_SECONDS: &str = "persistentvolumeclaim_capacity_byte_seconds";
/// Requested size over time, byte-seconds.
pub const REQUEST_BYTE_SECONDS: &str = "volume_request_storage_byte_seconds";
/// Bytes in use over time, byte-seconds.
pub const USAGE_BYTE_SECONDS: &str = "persistentvolumeclaim_usage_byte_seconds";

/// Which pod mounts which claim.
pub const CLAIM_COLUMNS: [WantedColumn; 2] = [text(POD), text(CLAIM)];

/// What storage rows are made of (spec § 7).
pub const COLUMNS: [WantedColumn; 13] = [
    text(NAMESPACE),
    text(POD),
    text(NODE),
    text(CLAIM),
    text(VOLUME),
    text(STORAGE_CLASS),
    text(VOLUME_HANDLE),
    labels(VOLUME_LABELS),
    labels(CLAIM_LABELS),
    number(CAPACITY_BYTES),
    number(CAPACITY_BYTE_SECONDS),
    number(REQUEST_BYTE_SECONDS),
    number(USAGE_BYTE_SECONDS),
];
