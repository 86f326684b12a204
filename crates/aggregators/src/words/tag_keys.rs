//! Which label keys are kept (spec § 4, Filter).

use hashbrown::HashSet;

/// The label that names the virtual machine which a pod carries. Kept even when no key is enabled.
pub const VM_NAME: &str = "vm_kubevirt_io_name";

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
        key == VM_NAME || self.0.contains(key)
    }
}
