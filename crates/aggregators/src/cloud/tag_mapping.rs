//! Child keys of tags under the names of their parents (ocp-on-aws § 10.5), as Koku's statement does it.

use std::collections::BTreeMap;

use tokaki_core::TagMapping;

use crate::words::label_map::LabelMap;

/// Parents by child key. Of several parents of a key the last one counts.
#[derive(Debug, Clone, Default)]
pub struct Mapping<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Mapping<'a> {
    /// The mappings of a tenant.
    pub fn new(mappings: &'a [TagMapping]) -> Self {
        Self(mappings.iter().map(|mapping| (mapping.child.as_str(), mapping.parent.as_str())).collect())
    }

    /// The tags under mapped keys; `None` if they have no child key.
    ///
    /// Where some child stands beside its own parent, all children go, those of absent parents too. Of several children
    /// of one parent the last one in PostgreSQL's order of keys counts: the longer, or else the greater one.
    pub fn of(&self, tags: &LabelMap) -> Option<LabelMap> {
        let has = |key: &str| tags.pairs().any(|(own, _)| own == key);
        let children: Vec<_> = self.0.iter().filter(|(child, _)| has(child)).collect();
        if children.is_empty() {
            return None;
        }
        let beside_parent = children.iter().any(|(_, parent)| has(parent));
        let mut pairs: Vec<_> = tags.pairs().collect();
        pairs.sort_by_key(|(key, _)| (key.len(), *key));
        let mapped = pairs.into_iter().filter_map(|(key, value)| match self.0.get(key) {
            Some(_) if beside_parent => None,
            Some(parent) => Some((*parent, value)),
            None => Some((key, value)),
        });
        Some(mapped.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(text: &str) -> Option<String> {
        let mappings = [("application", "app"), ("name", "app"), ("stage", "env")];
        let mappings = mappings.map(|(child, parent)| TagMapping { child: child.into(), parent: parent.into() });
        let tags = LabelMap::from_canonical(text).expect("canonical");
        Mapping::new(&mappings).of(&tags).map(|tags| tags.canonical())
    }

    #[test]
    fn a_child_takes_the_name_of_its_parent_unless_the_parent_is_there() {
        assert_eq!(mapped(r#"{"owner":"me"}"#), None);
        assert_eq!(mapped(r#"{"owner":"me","stage":"dev"}"#).as_deref(), Some(r#"{"env":"dev","owner":"me"}"#));
        assert_eq!(mapped(r#"{"env":"prod","stage":"dev"}"#).as_deref(), Some(r#"{"env":"prod"}"#));
        // As Koku does it: one parent that is there takes all children away.
        assert_eq!(mapped(r#"{"env":"prod","name":"shop","stage":"dev"}"#).as_deref(), Some(r#"{"env":"prod"}"#));
    }

    #[test]
    fn of_two_children_the_longer_key_counts() {
        assert_eq!(mapped(r#"{"application":"a","name":"z"}"#).as_deref(), Some(r#"{"app":"a"}"#));
    }
}
