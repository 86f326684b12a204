//! What a cluster calls its machines, nodes, namespaces and volumes. See `README.md` in this folder.

mod state;

use std::sync::Arc;

use arrow::array::{Date32Array, RecordBatch, StringArray};
use tokaki_core::plugin::AggregatorPart;
use tokaki_core::section::NoSettings;
use tokaki_core::{
    Aggregator, AnyAggregator, Chunk, DateRange, Error, Field, FieldKind, Finished, Input, InputId, Output, Result,
    Source, WantedColumn,
};

use self::state::NameState;
use crate::line_items::{pod_usage, storage_usage, text};

/// Name in the registry, for those who take the output.
pub const NAME: &str = "cluster_names";

tokaki_core::register!(
    Aggregator,
    NoSettings,
    "cluster_names",
    "Names of machines, nodes, namespaces and volumes; feeds cloud attribution, writes no rows.",
    build
);

fn build(part: &AggregatorPart) -> Result<Arc<dyn AnyAggregator>> {
    part.own.parse::<NoSettings>()?;
    Ok(Arc::new(ClusterNames))
}

/// What a name is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Named {
    /// The machine that is a node, by its id at the cloud provider.
    Machine,
    /// A node.
    Node,
    /// A namespace.
    Namespace,
    /// A volume; the second name is its id at the provider of its storage.
    Volume,
}

impl Named {
    const ALL: [Self; 4] = [Self::Machine, Self::Node, Self::Namespace, Self::Volume];

    fn word(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Node => "node",
            Self::Namespace => "namespace",
            Self::Volume => "volume",
        }
    }

    /// What the word of the handover means.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|named| named.word() == word)
    }
}

/// Columns of the handover: one row for each distinct name of a day. Names may be null.
const HANDOVER: [Field; 4] = [
    Field { name: "day", kind: FieldKind::Date, nullable: false },
    Field { name: "named", kind: FieldKind::Text(0), nullable: false },
    Field { name: "name", kind: FieldKind::Text(0), nullable: true },
    Field { name: "second_name", kind: FieldKind::Text(0), nullable: true },
];

const POD_COLUMNS: [WantedColumn; 3] =
    [text(pod_usage::RESOURCE_ID), text(pod_usage::NODE), text(pod_usage::NAMESPACE)];
const VOLUME_COLUMNS: [WantedColumn; 2] = [text(storage_usage::VOLUME), text(storage_usage::VOLUME_HANDLE)];

struct ClusterNames;

impl Aggregator for ClusterNames {
    type Sides = ();
    type State = NameState;

    fn inputs(&self) -> Vec<Input> {
        vec![
            Input::table(Source::DailyOrDerived(pod_usage::REPORT_TYPE), POD_COLUMNS.to_vec()),
            Input::table(Source::DailyOrDerived(storage_usage::REPORT_TYPE), VOLUME_COLUMNS.to_vec()),
        ]
    }

    fn outputs(&self) -> Vec<Output> {
        vec![Output::handover(&HANDOVER)]
    }

    // Which of two volumes an id means depends on the volumes of all clusters and days.
    fn is_survey(&self) -> bool {
        true
    }

    fn prepare(&self, _: Vec<RecordBatch>, _: DateRange) -> Result<()> {
        Ok(())
    }

    fn start(&self) -> NameState {
        NameState::default()
    }

    fn fold(&self, (): &(), state: &mut NameState, _: InputId, chunk: &Chunk) -> Result<()> {
        if chunk.table.report_type == pod_usage::REPORT_TYPE {
            state.fold_pods(chunk)
        } else {
            state.fold_volumes(chunk)
        }
    }

    fn finish(&self, (): &(), state: NameState) -> Result<Finished> {
        let names = state.names();
        let batch = RecordBatch::try_new(
            Output::handover(&HANDOVER).schema(),
            vec![
                Arc::new(names.iter().map(|name| Some(name.day)).collect::<Date32Array>()),
                Arc::new(StringArray::from_iter_values(names.iter().map(|name| name.named.word()))),
                Arc::new(names.iter().map(|name| name.name).collect::<StringArray>()),
                Arc::new(names.iter().map(|name| name.second_name).collect::<StringArray>()),
            ],
        );
        Ok(vec![batch.map_err(|error| Error::bug(error.to_string()))?].into())
    }
}

#[cfg(test)]
mod tests;
