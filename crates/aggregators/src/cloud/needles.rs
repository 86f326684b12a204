//! Many short texts looked for in one long text at once.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};
use tokaki_core::{Error, Result};

/// Distinct texts to look for, none of them empty (ocp-on-aws, notation: `⊒` and `⊒$` are false for empty texts).
#[derive(Debug, Clone)]
pub struct Needles {
    texts: Vec<String>,
    search: AhoCorasick,
}

impl Needles {
    /// The texts without repetition, in byte order.
    ///
    /// # Errors
    /// `Bug` if there are more texts than the search can hold.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let texts: BTreeSet<&str> = texts.into_iter().filter(|text| !text.is_empty()).collect();
        let texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
        let search = AhoCorasick::builder().match_kind(MatchKind::Standard).build(&texts);
        let search = search.map_err(|error| Error::bug(format!("texts cannot be searched for: {error}")))?;
        Ok(Self { texts, search })
    }

    /// The text at `position`.
    pub fn text(&self, position: usize) -> &str {
        &self.texts[position]
    }

    /// All texts.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(String::as_str)
    }

    /// Positions of the texts that `haystack` contains, ascending.
    pub fn contained_in(&self, haystack: &str) -> Vec<usize> {
        let mut found: Vec<usize> =
            self.search.find_overlapping_iter(haystack).map(|found| found.pattern().as_usize()).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether `haystack` contains one of the texts.
    pub fn any_in(&self, haystack: &str) -> bool {
        self.search.is_match(haystack)
    }

    /// Positions of the texts that `haystack` ends with, the longest first.
    pub fn ends_of(&self, haystack: &str) -> Vec<usize> {
        let found = self.search.find_overlapping_iter(haystack);
        let mut ends: Vec<_> = found.filter(|found| found.end() == haystack.len()).collect();
        ends.sort_unstable_by_key(|found| found.start());
        ends.into_iter().map(|found| found.pattern().as_usize()).collect()
    }

    /// Whether `haystack` ends with one of the texts.
    pub fn any_ends(&self, haystack: &str) -> bool {
        self.search.find_overlapping_iter(haystack).any(|found| found.end() == haystack.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_inside_texts_are_found_and_the_empty_text_never() {
        let needles = Needles::new(["i-1", "i-12", "", "i-12", "2"]).expect("builds");
        let found = |haystack: &str| {
            let found = needles.contained_in(haystack);
            found.into_iter().map(|position| needles.text(position).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found("arn:i-123"), ["2", "i-1", "i-12"]);
        assert_eq!(found(""), Vec::<String>::new());
        let ends: Vec<_> = needles.ends_of("arn:i-12").into_iter().map(|position| needles.text(position)).collect();
        assert_eq!(ends, ["i-12", "2"]);
        assert!(!needles.any_ends("i-123") && needles.any_in("i-123"));
        let nothing = Needles::new([]).expect("builds");
        assert!(!nothing.any_in("x") && !nothing.any_ends("x"));
    }
}
