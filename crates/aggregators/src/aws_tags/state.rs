//! Distinct pairs by cluster.

use arrow::array::RecordBatch;
use tokaki_core::rollup::{Interner, Rollup, RollupSpec};
use tokaki_core::{Chunk, Error, Result, State};

use super::Labels;
use crate::cloud::label_pairs::LowerPair;
use crate::cloud::verdicts::Verdicts;
use crate::line_items::aws;
use crate::words::label_map::LabelMap;

static PAIRS: RollupSpec<3, 0, 0> = RollupSpec { keys: ["cluster", "key", "value"], sums: [], maxima: [] };

/// A partial result of tags.
pub(super) struct TagState {
    texts: Interner,
    pairs: Rollup<3, 0, 0>,
    /// Tag texts that were looked at; no part of the result.
    seen: Verdicts,
}

impl Default for TagState {
    fn default() -> Self {
        Self { texts: Interner::default(), pairs: Rollup::new(&PAIRS), seen: Verdicts::default() }
    }
}

impl TagState {
    pub(super) fn fold(&mut self, chunk: &Chunk, labels: &Labels) -> Result<()> {
        let tags = chunk.texts(aws::TAGS)?;
        for row in 0..chunk.batch.num_rows() {
            let (texts, pairs) = (&mut self.texts, &mut self.pairs);
            self.seen.of(tags.text(row), |tags| {
                let Some(tags) = tags.filter(|tags| labels.keys.any_in(tags)) else { return Ok(false) };
                let tags = LabelMap::filtered(Some(tags), |_| true)?;
                for pair in tags.pairs() {
                    let (Some(lower), (key, Some(value))) = (LowerPair::of(pair), pair) else { continue };
                    for (cluster, labels) in labels.clusters.iter().enumerate() {
                        if labels.contains(&lower) {
                            pairs.group([cluster as u32, texts.id(key), texts.id(value)]);
                        }
                    }
                }
                Ok(true)
            })?;
        }
        Ok(())
    }

    /// All pairs, sorted: cluster, key, value.
    pub(super) fn pairs(&self) -> Vec<(u32, &str, &str)> {
        let text = |id| self.texts.text(id).unwrap_or_default();
        let pair = |[cluster, key, value]: &[u32; 3]| (*cluster, text(*key), text(*value));
        let mut pairs: Vec<_> = self.pairs.keys().iter().map(pair).collect();
        pairs.sort_unstable();
        pairs
    }
}

impl State for TagState {
    fn merge(&mut self, other: Self) -> Result<()> {
        let texts = self.texts.absorb(&other.texts);
        self.pairs.absorb(&other.pairs, |[cluster, key, value]| [cluster, texts[key as usize], texts[value as usize]])
    }

    fn encode(&self) -> Result<Vec<RecordBatch>> {
        Ok(vec![self.texts.encode()?, self.pairs.encode()?])
    }

    fn decode(batches: &[RecordBatch]) -> Result<Self> {
        let [texts, pairs] = batches else {
            return Err(Error::bug("encoded tags have other tables than two"));
        };
        Ok(Self { texts: Interner::decode(texts)?, pairs: Rollup::decode(&PAIRS, pairs)?, ..Self::default() })
    }
}
