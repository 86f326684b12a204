//! Virtual machines with what they request and mount. See `README.md` in this folder.

mod from_pods;
mod state;

use std::sync::Arc;

use arrow::array::RecordBatch;
use tokaki_core::plugin::AggregatorPart;
use tokaki_core::section::NoSettings;
use tokaki_core::{
    Aggregator, AnyAggregator, Chunk, DateRange, Error, Finished, Input, InputId, Output, Result, Scope, Source,
};

use self::state::VmState;
use crate::line_items::{pod_usage, storage_usage, vm_usage};
use crate::summaries::vm_resources;

tokaki_core::register!(Aggregator, NoSettings, "vm", "Virtual machines with their requests and claims.", build);

fn build(part: &AggregatorPart) -> Result<Arc<dyn AnyAggregator>> {
    part.own.parse::<NoSettings>()?;
    Ok(Arc::new(Vm { scope: part.scope.clone() }))
}

struct Vm {
    scope: Scope,
}

impl Aggregator for Vm {
    /// The Pod rows of the same run.
    type Sides = RecordBatch;
    type State = VmState;

    fn inputs(&self) -> Vec<Input> {
        let partition = |source, columns: &[_]| Input::table(source, columns.to_vec()).of_whole_partition();
        vec![
            partition(Source::Hourly(vm_usage::REPORT_TYPE), &vm_usage::COLUMNS),
            partition(Source::DailyOrDerived(pod_usage::REPORT_TYPE), &pod_usage::NAME_COLUMNS),
            partition(Source::DailyOrDerived(storage_usage::REPORT_TYPE), &storage_usage::CLAIM_COLUMNS),
            Input::output_of("pod"),
        ]
    }

    fn outputs(&self) -> Vec<Output> {
        vec![vm_resources::output(&self.scope)]
    }

    fn prepare(&self, handovers: Vec<RecordBatch>, _days: DateRange) -> Result<RecordBatch> {
        handovers.into_iter().next().ok_or_else(|| Error::bug("no pod rows were handed over"))
    }

    fn start(&self) -> VmState {
        VmState::default()
    }

    fn fold(&self, _: &RecordBatch, state: &mut VmState, _: InputId, chunk: &Chunk) -> Result<()> {
        match chunk.table.report_type {
            vm_usage::REPORT_TYPE => state.fold_machines(chunk),
            pod_usage::REPORT_TYPE => state.fold_pods(chunk).map_err(|error| error.column(pod_usage::POD_LABELS)),
            _ => state.fold_claims(chunk),
        }
    }

    fn finish(&self, pods: &RecordBatch, state: VmState) -> Result<Finished> {
        let rows = if state.has_machines() { state.machines()? } else { from_pods::machines(pods, &state)? };
        Ok(vec![vm_resources::batch(&rows, &self.scope)?].into())
    }
}

#[cfg(test)]
mod tests;
