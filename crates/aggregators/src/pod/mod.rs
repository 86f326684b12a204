//! Daily usage of pods per namespace, node and labels. See `README.md` in this folder.

mod capacity;
mod finish;
mod fold;
mod hours;
mod repeats;
mod state;

use std::sync::Arc;

use arrow::array::RecordBatch;
use tokaki_core::plugin::AggregatorPart;
use tokaki_core::section::NoSettings;
use tokaki_core::{
    Aggregator, AnyAggregator, Chunk, DateRange, Error, Finished, Input, InputId, Output, ReferenceData, Result, Scope,
    Semantics, Source,
};

use self::state::PodState;
use crate::labels::{self, KeptLabels};
use crate::line_items::pod_usage;
use crate::summaries::ocp_daily_summary::{self, Owner};
use crate::words::cost_category::CostCategories;
use crate::words::tag_keys::TagKeys;

tokaki_core::register!(Aggregator, NoSettings, "pod", "Daily usage of pods by namespace, node and labels.", build);

fn build(part: &AggregatorPart) -> Result<Arc<dyn AnyAggregator>> {
    part.own.parse::<NoSettings>()?;
    Ok(Arc::new(Pod {
        keys: TagKeys::new(&part.reference.enabled_tag_keys),
        categories: CostCategories::new(&part.reference.cost_categories)?,
        semantics: part.semantics,
        scope: part.scope.clone(),
        reference: Arc::clone(&part.reference),
    }))
}

struct Pod {
    keys: TagKeys,
    categories: CostCategories,
    semantics: Semantics,
    scope: Scope,
    reference: Arc<ReferenceData>,
}

/// Position of the capacity input. All inputs behind it but the last are usage, the last is the labels.
const CAPACITY: InputId = 0;

impl Aggregator for Pod {
    type Sides = KeptLabels;
    type State = PodState;

    fn inputs(&self) -> Vec<Input> {
        let usage = |source| Input::table(source, pod_usage::USAGE_COLUMNS.to_vec());
        let mut inputs =
            vec![Input::table(Source::Hourly(pod_usage::REPORT_TYPE), pod_usage::CAPACITY_COLUMNS.to_vec())];
        match self.semantics {
            Semantics::Koku => inputs.push(usage(Source::DailyOrDerived(pod_usage::REPORT_TYPE))),
            Semantics::Conserving => {
                inputs.push(usage(Source::Hourly(pod_usage::REPORT_TYPE)));
                inputs.push(usage(Source::Daily(pod_usage::REPORT_TYPE)));
            }
        }
        inputs.push(Input::output_of(labels::NAME));
        inputs
    }

    fn outputs(&self) -> Vec<Output> {
        vec![ocp_daily_summary::output(Owner::Pod, &self.reference)]
    }

    fn prepare(&self, handovers: Vec<RecordBatch>, _days: DateRange) -> Result<KeptLabels> {
        let labels = handovers.first().ok_or_else(|| Error::bug("no labels were handed over"))?;
        KeptLabels::new(labels)
    }

    fn start(&self) -> PodState {
        PodState::default()
    }

    fn fold(&self, labels: &KeptLabels, state: &mut PodState, input: InputId, chunk: &Chunk) -> Result<()> {
        if input == CAPACITY {
            state.fold_capacity(chunk)
        } else {
            state.fold_usage(chunk, self.semantics, &self.keys, labels)
        }
    }

    fn finish(&self, labels: &KeptLabels, mut state: PodState) -> Result<Finished> {
        finish::decide_effective(&mut state)?;
        let findings = match self.semantics {
            Semantics::Koku => self.repeats(labels, &state)?,
            Semantics::Conserving => Vec::new(),
        };
        Ok(Finished { outputs: vec![self.rows(labels, &state)?], findings, ..Finished::default() })
    }
}

#[cfg(test)]
mod tests;
