//! Which label keys are kept (spec § 4, Filter).

use std::collections::HashSet;

/// Kept even when no key is enabled: it names the virtual machine that a pod carries.
const ALWAYS_KEPT: &str = "vm_kubevirt_io_name";

/// The enabled keys. Compared exactly: case counts, nothing is normalised.
#[derive(Debug, Clone, Default)]
pub struct TagKeys(HashSet<String>);

impl TagKeys {
    /// These keys and the one that is always kept.
    pub fn new(enabled: &[String]) -> Self {
        Self(enabled.iter().cloned().collect())
    }

    /// Whether labels of this key are kept.
    pub fn keep(&self, key: &str) -> bool {
        key == ALWAYS_KEPT || self.0.contains(key)
    }
}
