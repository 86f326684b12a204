//! `vm_usage`: what each virtual machine is and requests.

use tokaki_core::WantedColumn;

use super::{number, text};

/// Report type in paths and table names.
pub const REPORT_TYPE: &str = "vm_usage";

/// Name of the virtual machine.
pub const VM_NAME: &str = "vm_name";
/// Node it runs on.
pub const NODE: &str = "node";
/// A claim that it mounts.
pub const CLAIM: &str = "vm_persistentvolumeclaim_name";
/// Requested cores.
pub const REQUEST_CORES: &str = "vm_cpu_request_cores";
/// Requested memory in bytes.
pub const REQUEST_BYTES: &str = "vm_memory_request_bytes";

/// What the list of virtual machines is made of.
pub const COLUMNS: [WantedColumn; 5] =
    [text(VM_NAME), text(NODE), text(CLAIM), number(REQUEST_CORES), number(REQUEST_BYTES)];
