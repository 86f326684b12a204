//! What nodes had and no pod used. See `README.md` in this folder.

mod finish;

use std::sync::Arc;

use arrow::array::RecordBatch;
use tokaki_core::plugin::AggregatorPart;
use tokaki_core::section::NoSettings;
use tokaki_core::{
    Aggregator, AnyAggregator, Chunk, DateRange, Error, Finished, Input, InputId, Output, ReferenceData, Result, Scope,
    Semantics,
};

use crate::summaries::ocp_daily_summary::{self, Owner};
use crate::words::cost_category::CostCategories;

tokaki_core::register!(
    Aggregator,
    NoSettings,
    "unallocated",
    "Daily capacity of nodes that no pod used; computed from pod rows.",
    build
);

fn build(part: &AggregatorPart) -> Result<Arc<dyn AnyAggregator>> {
    part.own.parse::<NoSettings>()?;
    Ok(Arc::new(Unallocated {
        categories: CostCategories::new(&part.reference.cost_categories)?,
        semantics: part.semantics,
        scope: part.scope.clone(),
        reference: Arc::clone(&part.reference),
    }))
}

struct Unallocated {
    categories: CostCategories,
    semantics: Semantics,
    scope: Scope,
    reference: Arc<ReferenceData>,
}

impl Aggregator for Unallocated {
    /// The Pod rows of the same run.
    type Sides = RecordBatch;
    type State = ();

    fn inputs(&self) -> Vec<Input> {
        vec![Input::output_of("pod")]
    }

    fn outputs(&self) -> Vec<Output> {
        vec![ocp_daily_summary::output(Owner::Unallocated, &self.reference)]
    }

    fn prepare(&self, handovers: Vec<RecordBatch>, _days: DateRange) -> Result<RecordBatch> {
        handovers.into_iter().next().ok_or_else(|| Error::bug("no pod rows were handed over"))
    }

    fn start(&self) {}

    fn fold(&self, _: &RecordBatch, (): &mut (), _: InputId, _: &Chunk) -> Result<()> {
        Err(Error::bug("unallocated capacity is computed from pod rows, not from a table"))
    }

    fn finish(&self, pods: &RecordBatch, (): ()) -> Result<Finished> {
        self.rows(pods)
    }
}

#[cfg(test)]
mod tests;
