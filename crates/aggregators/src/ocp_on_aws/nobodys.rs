//! Namespaces of cost that no namespace caused.

/// Position in [`TEXTS`]: what no volume claims of a disk, and volumes without claim.
pub(super) const STORAGE: usize = 0;
/// Position in [`TEXTS`]: data that a machine sent or received.
pub(super) const NETWORK: usize = 1;

/// The names.
pub(super) const TEXTS: [&str; 2] = ["Storage unattributed", "Network unattributed"];
