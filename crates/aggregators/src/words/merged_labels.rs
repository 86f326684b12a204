//! Merged label maps, each merged once however many groups it has (spec § 4, Merge).

use hashbrown::HashMap;
use tokaki_core::Result;
use tokaki_core::rollup::Interner;

use super::label_map::{LabelMap, NO_LABELS};

/// Maps merged from `N` layers, the later ones winning.
#[derive(Debug)]
pub struct MergedLabels<const N: usize> {
    canonical: Interner,
    known: HashMap<[u32; N], u32>,
}

impl<const N: usize> Default for MergedLabels<N> {
    fn default() -> Self {
        Self { canonical: Interner::default(), known: HashMap::new() }
    }
}

impl<const N: usize> MergedLabels<N> {
    /// The id of the merged map of these layers; `canonical` gives their texts and is asked once per combination.
    ///
    /// # Errors
    /// `Bug` if a text is not canonical.
    pub fn id<'a>(&mut self, layers: [u32; N], canonical: impl FnOnce() -> [&'a str; N]) -> Result<u32> {
        if let Some(id) = self.known.get(&layers) {
            return Ok(*id);
        }
        let id = self.canonical.id(&LabelMap::merged(&canonical())?);
        self.known.insert(layers, id);
        Ok(id)
    }

    /// Canonical text of a merged map.
    pub fn text(&self, id: u32) -> &str {
        self.canonical.text(id).unwrap_or(NO_LABELS)
    }

    /// See [`Interner::ranks`].
    pub fn ranks(&self) -> Vec<u32> {
        self.canonical.ranks()
    }
}
