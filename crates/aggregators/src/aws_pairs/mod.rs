//! Which clusters run on an AWS account. See `README.md` in this folder.

mod state;

use std::sync::Arc;

use arrow::array::{Int32Array, RecordBatch};
use tokaki_core::plugin::AggregatorPart;
use tokaki_core::section::NoSettings;
use tokaki_core::{
    Aggregator, AnyAggregator, Chunk, Cluster, DateRange, Error, Field, FieldKind, Finished, Input, InputId, Output,
    ReferenceData, Result,
};

use self::state::PairState;
use crate::cloud::names::Names;
use crate::cloud::needles::Needles;
use crate::cloud::semantics::Attribution;
use crate::cloud::tenant;
use crate::line_items::aws;

/// Name in the registry, for those who take the output.
pub const NAME: &str = "aws_pairs";

tokaki_core::register!(
    Aggregator,
    NoSettings,
    "aws_pairs",
    "Clusters that run on an AWS account; feeds `ocp_on_aws`, writes no rows.",
    build
);

fn build(part: &AggregatorPart) -> Result<Arc<dyn AnyAggregator>> {
    part.own.parse::<NoSettings>()?;
    Ok(Arc::new(AwsPairs { reference: Arc::clone(&part.reference) }))
}

/// The column of the handover: positions on the bill of the clusters that were found.
const HANDOVER: [Field; 1] = [Field { name: "cluster", kind: FieldKind::Integer, nullable: false }];

struct AwsPairs {
    reference: Arc<ReferenceData>,
}

/// Machine ids of a cluster.
struct Machines {
    /// Position on the bill.
    cluster: u32,
    ids: Needles,
}

impl AwsPairs {
    /// The clusters that are looked for, each with its position on the bill.
    fn looked_for(&self) -> impl Iterator<Item = (usize, &Cluster)> {
        let clusters = self.reference.bill.iter().flat_map(|bill| bill.clusters.iter().enumerate());
        clusters.filter(|(_, cluster)| !cluster.mapped)
    }
}

impl Aggregator for AwsPairs {
    type Sides = Vec<Machines>;
    type State = PairState;

    fn inputs(&self) -> Vec<Input> {
        let names = self.looked_for().map(|(_, cluster)| tenant::names(cluster));
        [aws::daily(&aws::ID_COLUMNS)].into_iter().chain(names).collect()
    }

    fn outputs(&self) -> Vec<Output> {
        vec![Output::handover(&HANDOVER)]
    }

    // A cluster is on the account on all days, or on none.
    fn is_survey(&self) -> bool {
        true
    }

    fn prepare(&self, handovers: Vec<RecordBatch>, days: DateRange) -> Result<Vec<Machines>> {
        let machines = self.looked_for().zip(&handovers).map(|((cluster, _), names)| {
            let names = Names::new(names, days, Attribution::Parity)?;
            Ok(Machines { cluster: cluster as u32, ids: Needles::new(names.machines.iter().map(String::as_str))? })
        });
        machines.collect()
    }

    fn start(&self) -> PairState {
        PairState::default()
    }

    fn fold(&self, machines: &Vec<Machines>, state: &mut PairState, _: InputId, chunk: &Chunk) -> Result<()> {
        state.fold(chunk, machines)
    }

    fn finish(&self, _: &Vec<Machines>, state: PairState) -> Result<Finished> {
        let clusters = Int32Array::from_iter_values(state.clusters().into_iter().map(|cluster| cluster as i32));
        let batch = RecordBatch::try_new(Output::handover(&HANDOVER).schema(), vec![Arc::new(clusters)]);
        Ok(vec![batch.map_err(|error| Error::bug(error.to_string()))?].into())
    }
}

#[cfg(test)]
mod tests;
