//! Which cost categories a namespace belongs to (spec § 6).

use tokaki_core::{CostCategory, Error, ErrorKind, Result};

/// The patterns, checked once.
#[derive(Debug, Clone, Default)]
pub struct CostCategories(Vec<(Vec<Part>, i32)>);

/// The categories of one namespace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Matches {
    /// Number of patterns that match, even with the same id.
    pub patterns: u32,
    /// Largest matching id.
    pub largest_id: Option<i32>,
}

/// One element of a `LIKE` pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// This very character.
    Literal(char),
    /// `_`: exactly one character.
    AnyOne,
    /// `%`: any run of characters, also none.
    AnyRun,
}

impl CostCategories {
    /// # Errors
    /// `Pattern` if a pattern ends in a lone backslash.
    pub fn new(categories: &[CostCategory]) -> Result<Self> {
        let parse = |category: &CostCategory| Ok((parts(&category.namespace_pattern)?, category.cost_category_id));
        categories.iter().map(parse).collect::<Result<_>>().map(Self)
    }

    /// The id of each pattern that matches the whole of `namespace`, ascending; a null namespace matches none.
    pub fn ids(&self, namespace: Option<&str>) -> Vec<i32> {
        let Some(namespace) = namespace else { return Vec::new() };
        let characters: Vec<char> = namespace.chars().collect();
        let matching = self.0.iter().filter(|(pattern, _)| is_like(pattern, &characters));
        let mut ids: Vec<i32> = matching.map(|(_, id)| *id).collect();
        ids.sort_unstable();
        ids
    }

    /// How often `namespace` matches, and the category that counts.
    pub fn of(&self, namespace: Option<&str>) -> Matches {
        let ids = self.ids(namespace);
        Matches { patterns: ids.len() as u32, largest_id: ids.last().copied() }
    }
}

fn parts(pattern: &str) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        parts.push(match character {
            '%' => Part::AnyRun,
            '_' => Part::AnyOne,
            '\\' => Part::Literal(characters.next().ok_or_else(|| {
                Error::new(
                    ErrorKind::Pattern,
                    format!("the cost category pattern {pattern:?} ends in a lone backslash"),
                )
                .column("namespace_pattern")
                .help("write two backslashes to mean one")
            })?),
            literal => Part::Literal(literal),
        });
    }
    Ok(parts)
}

/// Whether the pattern matches all of the text. On a mismatch only the last `%` seen takes one character more, which is
/// enough, so the time is at worst pattern × text.
fn is_like(pattern: &[Part], text: &[char]) -> bool {
    let (mut at, mut position) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while position < text.len() {
        match pattern.get(at) {
            Some(Part::AnyRun) => {
                retry = Some((at, position));
                at += 1;
            }
            Some(Part::AnyOne) => {
                at += 1;
                position += 1;
            }
            Some(Part::Literal(character)) if *character == text[position] => {
                at += 1;
                position += 1;
            }
            _ => {
                let Some((run, taken)) = retry else { return false };
                retry = Some((run, taken + 1));
                at = run + 1;
                position = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|part| *part == Part::AnyRun)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like(pattern: &str, namespace: Option<&str>) -> bool {
        let category = CostCategory { namespace_pattern: pattern.to_owned(), cost_category_id: 1 };
        CostCategories::new(&[category]).expect("a pattern").of(namespace).patterns == 1
    }

    #[test]
    fn patterns_are_sql_like() {
        for (pattern, namespace, expected) in [
            ("openshift-%", "openshift-", true),
            ("openshift-%", "Openshift-x", false),
            ("%a%b%", "xxaxxbxx", true),
            ("%ab", "aab", true),
            ("%aab", "aaaab", true),
            ("a_c", "aéc", true),
            ("a_c", "ac", false),
            ("a%", "a\nb", true),
            (r"a\%", "a%", true),
            (r"a\%", "ab", false),
            (r"a\b", "ab", true),
            (r"a\\", r"a\", true),
            ("", "", true),
            ("%", "", true),
            ("_", "", false),
            ("kube", "kube-system", false),
        ] {
            assert_eq!(like(pattern, Some(namespace)), expected, "{pattern} {namespace}");
        }
        assert!(!like("%", None));
    }

    #[test]
    fn the_largest_id_wins_and_every_pattern_counts() {
        let category = |pattern: &str, id| CostCategory { namespace_pattern: pattern.into(), cost_category_id: id };
        let categories = CostCategories::new(&[category("a%", 3), category("%b", 1), category("%", 3)]).expect("fine");
        assert_eq!(categories.of(Some("ab")), Matches { patterns: 3, largest_id: Some(3) });
        assert_eq!(categories.of(Some("zb")), Matches { patterns: 2, largest_id: Some(3) });
    }

    #[test]
    fn a_lone_backslash_at_the_end_is_an_error() {
        let category = CostCategory { namespace_pattern: r"a\".to_owned(), cost_category_id: 1 };
        assert_eq!(CostCategories::new(&[category]).expect_err("refused").kind(), ErrorKind::Pattern);
    }
}
