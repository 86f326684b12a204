//! Daily use of volume claims per namespace, node, claim, volume and labels. See `README.md` in this folder.

mod finish;
mod fold;
mod place;
mod place_by_hour;
mod repeats;
mod state;

use std::sync::Arc;

use arrow::array::RecordBatch;
use tokaki_core::plugin::AggregatorPart;
use tokaki_core::section::NoSettings;
use tokaki_core::{
    Aggregator, AnyAggregator, Chunk, DateRange, Error, Field, FieldKind, Finished, Input, InputId, Output,
    ReferenceData, Result, Scope, Semantics, Source,
};

use self::state::StorageState;
use crate::labels::{self, KeptLabels};
use crate::line_items::{pod_usage, storage_usage};
use crate::summaries::ocp_daily_summary::{self, Owner};
use crate::words::cost_category::CostCategories;
use crate::words::tag_keys::TagKeys;

tokaki_core::register!(
    Aggregator,
    NoSettings,
    "storage",
    "Daily use of volume claims by namespace, node, volume and labels.",
    build
);

fn build(part: &AggregatorPart) -> Result<Arc<dyn AnyAggregator>> {
    part.own.parse::<NoSettings>()?;
    Ok(Arc::new(Storage {
        keys: TagKeys::new(&part.reference.enabled_tag_keys),
        categories: CostCategories::new(&part.reference.cost_categories)?,
        semantics: part.semantics,
        scope: part.scope.clone(),
        reference: Arc::clone(&part.reference),
    }))
}

/// The volume's id at its provider, for each row of the first output: the table has no column for it.
const VOLUME_HANDLE: Field = Field { name: storage_usage::VOLUME_HANDLE, kind: FieldKind::Text(0), nullable: true };

struct Storage {
    keys: TagKeys,
    categories: CostCategories,
    semantics: Semantics,
    scope: Scope,
    reference: Arc<ReferenceData>,
}

impl Aggregator for Storage {
    type Sides = KeptLabels;
    type State = StorageState;

    fn inputs(&self) -> Vec<Input> {
        let sources = |report_type| match self.semantics {
            Semantics::Koku => vec![Source::DailyOrDerived(report_type)],
            Semantics::Conserving => vec![Source::Hourly(report_type), Source::Daily(report_type)],
        };
        let items = sources(storage_usage::REPORT_TYPE);
        let pods = sources(pod_usage::REPORT_TYPE);
        let items = items.into_iter().map(|source| Input::table(source, storage_usage::COLUMNS.to_vec()));
        let pods = pods.into_iter().map(|source| Input::table(source, pod_usage::PLACE_COLUMNS.to_vec()));
        items.chain(pods).chain([Input::output_of(labels::NAME)]).collect()
    }

    fn outputs(&self) -> Vec<Output> {
        vec![ocp_daily_summary::output(Owner::Storage, &self.reference), Output::handover(&[VOLUME_HANDLE])]
    }

    fn prepare(&self, handovers: Vec<RecordBatch>, _days: DateRange) -> Result<KeptLabels> {
        let labels = handovers.first().ok_or_else(|| Error::bug("no labels were handed over"))?;
        KeptLabels::new(labels)
    }

    fn start(&self) -> StorageState {
        StorageState::default()
    }

    fn fold(&self, _: &KeptLabels, state: &mut StorageState, _: InputId, chunk: &Chunk) -> Result<()> {
        if chunk.table.report_type == storage_usage::REPORT_TYPE {
            state.fold_items(chunk, self.semantics, &self.keys)
        } else {
            state.fold_pods(chunk, self.semantics)
        }
    }

    fn finish(&self, labels: &KeptLabels, state: StorageState) -> Result<Finished> {
        let placed = match self.semantics {
            Semantics::Koku => place::of_days(&state),
            Semantics::Conserving => place_by_hour::of_hours(&state),
        };
        let findings = match self.semantics {
            Semantics::Koku => self.repeats(&placed, labels, &state)?,
            Semantics::Conserving => Vec::new(),
        };
        Ok(Finished { outputs: self.rows(placed, labels, &state)?, findings, ..Finished::default() })
    }
}

#[cfg(test)]
mod tests;
