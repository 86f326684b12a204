//! Label maps of nodes and namespaces, by day or by hour. See `README.md` in this folder.
//!
//! Folded before pods and storage, and handed to them whole: the tables are small, and whoever counts by the hour must
//! know an hour's labels before the first line item.

mod lookup;
mod state;

use std::sync::Arc;

use arrow::array::{Date32Array, RecordBatch, StringArray, TimestampNanosecondArray};
use tokaki_core::plugin::AggregatorPart;
use tokaki_core::scope::day_of_instant;
use tokaki_core::section::NoSettings;
use tokaki_core::{
    Aggregator, AnyAggregator, Chunk, DateRange, Error, Field, FieldKind, Finished, Grain, Input, InputId, Output,
    Result, Semantics, Source,
};

use self::state::LabelRows;
use crate::line_items::{namespace_labels, node_labels};
use crate::words::tag_keys::TagKeys;

pub use self::lookup::KeptLabels;

/// Name in the registry, for those who take the output.
pub const NAME: &str = "labels";

tokaki_core::register!(
    Aggregator,
    NoSettings,
    "labels",
    "Kept labels of nodes and namespaces; feeds the others, writes no rows.",
    build
);

fn build(part: &AggregatorPart) -> Result<Arc<dyn AnyAggregator>> {
    part.own.parse::<NoSettings>()?;
    Ok(Arc::new(Labels { keys: TagKeys::new(&part.reference.enabled_tag_keys), semantics: part.semantics }))
}

/// Whose labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u32)]
pub enum Bearer {
    /// A node.
    Node,
    /// A namespace.
    Namespace,
}

impl Bearer {
    fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Namespace => "namespace",
        }
    }
}

/// Columns of the handover: one row per distinct map of a bearer and day (`koku`), or one per bearer and instant
/// (`conserving`). `grain` is `hourly` or `daily`.
const HANDOVER: [Field; 6] = [
    Field { name: "bearer", kind: FieldKind::Text(0), nullable: false },
    Field { name: "name", kind: FieldKind::Text(0), nullable: false },
    Field { name: "grain", kind: FieldKind::Text(0), nullable: false },
    Field { name: "day", kind: FieldKind::Date, nullable: false },
    Field { name: "instant", kind: FieldKind::Instant, nullable: false },
    Field { name: "labels", kind: FieldKind::Json, nullable: false },
];

struct Labels {
    keys: TagKeys,
    semantics: Semantics,
}

impl Labels {
    /// Bearer of each input, and where its rows come from.
    fn sources(&self) -> Vec<(Bearer, Source)> {
        let of = |bearer, report_type| match self.semantics {
            Semantics::Koku => vec![(bearer, Source::DailyOrDerived(report_type))],
            Semantics::Conserving => vec![(bearer, Source::Hourly(report_type)), (bearer, Source::Daily(report_type))],
        };
        let mut sources = of(Bearer::Node, node_labels::REPORT_TYPE);
        sources.extend(of(Bearer::Namespace, namespace_labels::REPORT_TYPE));
        sources
    }
}

impl Aggregator for Labels {
    type Sides = ();
    type State = LabelRows;

    fn inputs(&self) -> Vec<Input> {
        let columns = |bearer| match bearer {
            Bearer::Node => node_labels::COLUMNS.to_vec(),
            Bearer::Namespace => namespace_labels::COLUMNS.to_vec(),
        };
        self.sources().into_iter().map(|(bearer, source)| Input::table(source, columns(bearer))).collect()
    }

    fn outputs(&self) -> Vec<Output> {
        vec![Output::handover(&HANDOVER)]
    }

    fn prepare(&self, _handovers: Vec<RecordBatch>, _days: DateRange) -> Result<()> {
        Ok(())
    }

    fn start(&self) -> LabelRows {
        LabelRows::default()
    }

    fn fold(&self, (): &(), state: &mut LabelRows, input: InputId, chunk: &Chunk) -> Result<()> {
        let (bearer, _) = self.sources()[input];
        let columns = match bearer {
            Bearer::Node => [node_labels::NODE, node_labels::NODE_LABELS],
            Bearer::Namespace => [namespace_labels::NAMESPACE, namespace_labels::NAMESPACE_LABELS],
        };
        // Under `koku` only the day matters, so hours of one day fall together at once.
        let whole_days = self.semantics == Semantics::Koku;
        state.fold(bearer, columns, chunk, whole_days, &self.keys)
    }

    fn finish(&self, (): &(), state: LabelRows) -> Result<Finished> {
        let mut rows = state.rows();
        rows.sort_unstable();
        if self.semantics == Semantics::Conserving {
            // Among several maps at one instant the largest text counts (spec § 9, rule 2). Reversed, it comes first
            // and is the one that stays.
            rows.reverse();
            rows.dedup_by_key(|row| (row.bearer, row.name, row.grain, row.instant));
            rows.reverse();
        }
        let texts =
            |of: &dyn Fn(&state::LabelRow<'_>) -> String| Arc::new(StringArray::from_iter_values(rows.iter().map(of)));
        let batch = RecordBatch::try_new(
            Output::handover(&HANDOVER).schema(),
            vec![
                texts(&|row| row.bearer.name().to_owned()),
                texts(&|row| row.name.to_owned()),
                texts(&|row| grain_name(row.grain).to_owned()),
                Arc::new(rows.iter().map(|row| Some(day_of_instant(row.instant))).collect::<Date32Array>()),
                Arc::new(rows.iter().map(|row| Some(row.instant)).collect::<TimestampNanosecondArray>()),
                texts(&|row| row.labels.to_owned()),
            ],
        );
        Ok(vec![batch.map_err(|error| Error::bug(error.to_string()))?].into())
    }
}

fn grain_name(grain: Grain) -> &'static str {
    match grain {
        Grain::Hourly => "hourly",
        Grain::Daily => "daily",
    }
}

#[cfg(test)]
mod tests;
