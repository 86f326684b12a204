//! Clusters that were found.

use arrow::array::RecordBatch;
use tokaki_core::rollup::{Rollup, RollupSpec};
use tokaki_core::{Chunk, Error, Result, State};

use super::Machines;
use crate::cloud::verdicts::Verdicts;
use crate::line_items::aws;

static FOUND: RollupSpec<1, 0, 0> = RollupSpec { keys: ["cluster"], sums: [], maxima: [] };

/// A partial result of the search.
pub(super) struct PairState {
    found: Rollup<1, 0, 0>,
    /// Ids that were looked at; no part of the result.
    seen: Verdicts,
}

impl Default for PairState {
    fn default() -> Self {
        Self { found: Rollup::new(&FOUND), seen: Verdicts::default() }
    }
}

impl PairState {
    pub(super) fn fold(&mut self, chunk: &Chunk, machines: &[Machines]) -> Result<()> {
        let ids = chunk.texts(aws::RESOURCE_ID)?;
        for row in 0..chunk.batch.num_rows() {
            let found = &mut self.found;
            self.seen.of(ids.text(row), |id| {
                for machines in machines.iter().filter(|machines| id.is_some_and(|id| machines.ids.any_in(id))) {
                    found.group([machines.cluster]);
                }
                Ok(true)
            })?;
        }
        Ok(())
    }

    /// Positions of the clusters, ascending.
    pub(super) fn clusters(&self) -> Vec<u32> {
        let mut clusters: Vec<u32> = self.found.keys().iter().map(|[cluster]| *cluster).collect();
        clusters.sort_unstable();
        clusters
    }
}

impl State for PairState {
    fn merge(&mut self, other: Self) -> Result<()> {
        self.found.absorb(&other.found, |key| key)
    }

    fn encode(&self) -> Result<Vec<RecordBatch>> {
        Ok(vec![self.found.encode()?])
    }

    fn decode(batches: &[RecordBatch]) -> Result<Self> {
        let [found] = batches else {
            return Err(Error::bug("encoded pairs have other tables than one"));
        };
        Ok(Self { found: Rollup::decode(&FOUND, found)?, ..Self::default() })
    }
}
