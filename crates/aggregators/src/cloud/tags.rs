//! Tags of a bill's rows (ocp-on-aws § 5, § 9).

use std::collections::BTreeSet;

use tokaki_core::Result;

use crate::words::label_map::LabelMap;
use crate::words::tag_keys::VM_NAME;

use super::semantics::Attribution;

/// The tag that names a cluster.
pub const CLUSTER: &str = "openshift_cluster";
/// The tag that names a node.
pub const NODE: &str = "openshift_node";
/// The tag that names a namespace.
pub const PROJECT: &str = "openshift_project";

/// Keys enabled for the cloud provider and for OpenShift.
#[derive(Debug, Clone)]
pub struct Keys {
    cloud: BTreeSet<String>,
    openshift: BTreeSet<String>,
    attribution: Attribution,
}

impl Keys {
    /// The enabled keys of both sides.
    pub fn new(cloud: &[String], openshift: &[String], attribution: Attribution) -> Self {
        Self { cloud: cloud.iter().cloned().collect(), openshift: openshift.iter().cloned().collect(), attribution }
    }

    /// Keys enabled for both, in the same spelling (E of § 4).
    pub fn of_both(&self) -> impl Iterator<Item = &str> {
        self.cloud.intersection(&self.openshift).map(String::as_str)
    }

    /// Keys enabled for both in any spelling, in lower case (§ 12.1, Tags).
    pub fn of_both_in_lower_case(&self) -> BTreeSet<String> {
        let lower = |keys: &BTreeSet<String>| keys.iter().map(|key| key.to_lowercase()).collect::<BTreeSet<_>>();
        lower(&self.cloud).intersection(&lower(&self.openshift)).cloned().collect()
    }

    /// The pairs of a bill's tag text that an attribution may see: of enabled keys, and the three special tags. Null
    /// stays null; the empty text is an empty object.
    ///
    /// # Errors
    /// `Label` if it is no flat JSON object.
    pub fn seen(&self, text: Option<&str>) -> Result<Option<LabelMap>> {
        let keep = |key: &str| self.cloud.contains(key) || [CLUSTER, NODE, PROJECT].contains(&key);
        text.map(|text| LabelMap::filtered(Some(text), keep)).transpose()
    }

    /// Leaves the tags that are output: those enabled for either side, and the virtual machine's name. Where no key is
    /// enabled at all, not even that (trap 12).
    pub fn retain_output(&self, tags: &mut LabelMap) {
        let vm = !self.drop_virtual_machine();
        tags.retain(|key| (vm && key == VM_NAME) || self.cloud.contains(key) || self.openshift.contains(key));
    }

    /// Whether the virtual machine's name is dropped, since no key is enabled at all (trap 12).
    pub fn drop_virtual_machine(&self) -> bool {
        self.cloud.is_empty() && self.openshift.is_empty() && self.attribution == Attribution::Parity
    }
}

/// The value of a special tag as it is compared: a JSON null is the text `null`, an absent tag nothing.
pub fn special<'a>(tags: &'a LabelMap, key: &str) -> Option<&'a str> {
    tags.pairs().find(|(own, _)| *own == key).map(|(_, value)| value.unwrap_or("null"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(cloud: &[&str], openshift: &[&str], attribution: Attribution) -> Keys {
        let owned = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        Keys::new(&owned(cloud), &owned(openshift), attribution)
    }

    #[test]
    fn an_attribution_sees_enabled_and_special_tags() {
        let keys = keys(&["app"], &["env"], Attribution::Parity);
        let text = r#"{"app": "a", "env": "b", "openshift_node": null, "openshift_cluster": 5}"#;
        let seen = keys.seen(Some(text)).expect("flat").expect("tags");
        assert_eq!(seen.canonical(), r#"{"app":"a","openshift_cluster":"5","openshift_node":null}"#);
        assert_eq!(special(&seen, NODE), Some("null"));
        assert_eq!(special(&seen, CLUSTER), Some("5"));
        assert_eq!(special(&seen, PROJECT), None);
        assert_eq!(keys.seen(None).expect("null"), None);
        assert_eq!(keys.seen(Some("")).expect("empty"), Some(LabelMap::default()));
    }

    #[test]
    fn without_any_enabled_key_the_virtual_machine_goes_too() {
        let output = |attribution| {
            let mut tags = LabelMap::of_one(VM_NAME, "vm");
            keys(&[], &[], attribution).retain_output(&mut tags);
            tags.canonical()
        };
        assert_eq!(output(Attribution::Parity), "{}");
        assert_eq!(output(Attribution::Corrected), r#"{"vm_kubevirt_io_name":"vm"}"#);
    }
}
