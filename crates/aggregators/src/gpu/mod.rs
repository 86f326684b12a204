//! GPUs of each namespace and day. See `README.md` in this folder.

mod state;

use std::sync::Arc;

use arrow::array::RecordBatch;
use tokaki_core::plugin::AggregatorPart;
use tokaki_core::section::NoSettings;
use tokaki_core::{
    Aggregator, AnyAggregator, Chunk, DateRange, Error, ErrorKind, Finished, Input, InputId, Output, ReferenceData,
    Result, Scope, Source,
};

use self::state::{GpuState, MAX_SLICES, MEMORY, MIG_MEMORY, MIG_SLICES, groups};
use crate::line_items::gpu_usage;
use crate::summaries::gpu_summary::{self, Row};
use crate::words::cost_category::CostCategories;
use crate::words::units::{decimal_gigabytes, storable};

tokaki_core::register!(Aggregator, NoSettings, "gpu", "GPUs and parts of GPUs by day, namespace and node.", build);

fn build(part: &AggregatorPart) -> Result<Arc<dyn AnyAggregator>> {
    part.own.parse::<NoSettings>()?;
    Ok(Arc::new(Gpu {
        categories: CostCategories::new(&part.reference.cost_categories)?,
        scope: part.scope.clone(),
        reference: Arc::clone(&part.reference),
    }))
}

struct Gpu {
    categories: CostCategories,
    scope: Scope,
    reference: Arc<ReferenceData>,
}

impl Aggregator for Gpu {
    type Sides = ();
    type State = GpuState;

    fn inputs(&self) -> Vec<Input> {
        vec![Input::table(Source::Hourly(gpu_usage::REPORT_TYPE), gpu_usage::COLUMNS.to_vec())]
    }

    fn outputs(&self) -> Vec<Output> {
        vec![gpu_summary::output(&self.scope)]
    }

    fn prepare(&self, _handovers: Vec<RecordBatch>, _days: DateRange) -> Result<()> {
        Ok(())
    }

    fn start(&self) -> GpuState {
        GpuState::default()
    }

    fn fold(&self, (): &(), state: &mut GpuState, _: InputId, chunk: &Chunk) -> Result<()> {
        state.fold(chunk)
    }

    fn finish(&self, (): &(), state: GpuState) -> Result<Finished> {
        let mut rows = Vec::new();
        for group in groups(&state) {
            let [namespace, node, vendor, model, mig_profile, mig_instance, gpu_uuid] = group.texts;
            rows.push(Row {
                day: group.day,
                namespace,
                node,
                vendor,
                model,
                mig_instance,
                gpu_uuid,
                mig_profile,
                mig_strategy: group.mig_strategy,
                memory_gb: gigabytes("memory_capacity_gb", group.maxima[MEMORY])?,
                mig_memory_gb: gigabytes("mig_memory_capacity_gb", group.maxima[MIG_MEMORY])?,
                mig_slices: count(gpu_usage::MIG_SLICES, group.maxima[MIG_SLICES])?,
                max_slices: count(gpu_usage::MAX_SLICES, group.maxima[MAX_SLICES])?,
                cost_category_id: self.categories.of(namespace).largest_id,
            });
        }
        Ok(vec![gpu_summary::batch(&rows, &self.scope, &self.reference)?].into())
    }
}

fn gigabytes(column: &'static str, mebibytes: Option<f64>) -> Result<Option<f64>> {
    mebibytes.map(|mebibytes| storable(column, decimal_gigabytes(mebibytes))).transpose()
}

/// Counts are integers in the destination; PostgreSQL rounds halves to even when it casts a double.
fn count(column: &'static str, value: Option<f64>) -> Result<Option<i32>> {
    let Some(value) = value else { return Ok(None) };
    let rounded = value.round_ties_even();
    if rounded.abs() > f64::from(i32::MAX) {
        return Err(Error::new(ErrorKind::Type, format!("{value:e} does not fit an integer")).column(column));
    }
    Ok(Some(rounded as i32))
}

#[cfg(test)]
mod tests;
