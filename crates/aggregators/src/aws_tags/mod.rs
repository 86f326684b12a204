//! Which pairs of an AWS bill's tags are also labels of a cluster. See `README.md` in this folder.

mod state;

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Int32Array, RecordBatch, StringArray};
use tokaki_core::plugin::AggregatorPart;
use tokaki_core::section::NoSettings;
use tokaki_core::{
    Aggregator, AnyAggregator, Chunk, DateRange, Error, Field, FieldKind, Finished, Input, InputId, Output,
    ReferenceData, Result,
};

use self::state::TagState;
use crate::cloud::chunks;
use crate::cloud::label_pairs::{self, LowerPair};
use crate::cloud::needles::Needles;
use crate::cloud::semantics::Attribution;
use crate::cloud::tags::Keys;
use crate::cloud::tenant::{self, INPUTS, Tenant};
use crate::line_items::aws;

/// Name in the registry, for those who take the output.
pub const NAME: &str = "aws_tags";

tokaki_core::register!(
    Aggregator,
    NoSettings,
    "aws_tags",
    "Pairs of an AWS bill's tags that are labels of a cluster; feeds `ocp_on_aws`, writes no rows.",
    build
);

fn build(part: &AggregatorPart) -> Result<Arc<dyn AnyAggregator>> {
    part.own.parse::<NoSettings>()?;
    Ok(Arc::new(AwsTags { reference: Arc::clone(&part.reference) }))
}

/// Columns of the handover: one row for each distinct pair of a cluster, which is named by its position on the bill.
const HANDOVER: [Field; 3] = [
    Field { name: "cluster", kind: FieldKind::Integer, nullable: false },
    Field { name: "key", kind: FieldKind::Text(0), nullable: false },
    Field { name: "value", kind: FieldKind::Text(0), nullable: false },
];

struct AwsTags {
    reference: Arc<ReferenceData>,
}

/// What tags are compared with.
struct Labels {
    /// Keys enabled for both sides (E of § 4).
    keys: Needles,
    /// Pairs of each cluster's labels.
    clusters: Vec<HashSet<LowerPair>>,
}

impl Aggregator for AwsTags {
    type Sides = Labels;
    type State = TagState;

    fn inputs(&self) -> Vec<Input> {
        let clusters = self.reference.bill.iter().flat_map(|bill| &bill.clusters);
        [aws::daily(&aws::TAG_COLUMNS)].into_iter().chain(clusters.flat_map(tenant::inputs)).collect()
    }

    fn outputs(&self) -> Vec<Output> {
        vec![Output::handover(&HANDOVER)]
    }

    fn windows(&self, days: DateRange) -> Option<Vec<DateRange>> {
        Some(chunks::of(days))
    }

    fn prepare(&self, handovers: Vec<RecordBatch>, _: DateRange) -> Result<Labels> {
        let mut labels = Labels { keys: Needles::new([])?, clusters: Vec::new() };
        let Some(bill) = &self.reference.bill else { return Ok(labels) };
        let keys = Keys::new(&bill.enabled_tag_keys, &self.reference.enabled_tag_keys, Attribution::Parity);
        labels.keys = Needles::new(keys.of_both())?;
        for (cluster, rows) in bill.clusters.iter().zip(handovers.chunks(INPUTS)) {
            let mut tenant = Tenant::default();
            tenant.add(rows, cluster.distribution)?;
            labels.clusters.push(label_pairs::of_cluster(&tenant.clusters[0], &tenant.texts, Some(&labels.keys))?);
        }
        Ok(labels)
    }

    fn start(&self) -> TagState {
        TagState::default()
    }

    fn fold(&self, labels: &Labels, state: &mut TagState, _: InputId, chunk: &Chunk) -> Result<()> {
        state.fold(chunk, labels).map_err(|error| error.column(aws::TAGS))
    }

    fn finish(&self, _: &Labels, state: TagState) -> Result<Finished> {
        let pairs = state.pairs();
        let batch = RecordBatch::try_new(
            Output::handover(&HANDOVER).schema(),
            vec![
                Arc::new(pairs.iter().map(|(cluster, ..)| *cluster as i32).collect::<Int32Array>()),
                Arc::new(StringArray::from_iter_values(pairs.iter().map(|(_, key, _)| key))),
                Arc::new(StringArray::from_iter_values(pairs.iter().map(|(.., value)| value))),
            ],
        );
        Ok(vec![batch.map_err(|error| Error::bug(error.to_string()))?].into())
    }
}

#[cfg(test)]
mod tests;
