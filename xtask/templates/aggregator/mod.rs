//! Requested core-hours of each namespace and day. See `README.md`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, RecordBatch, StringArray};
use tokaki_core::plugin::AggregatorPart;
use tokaki_core::rollup::{ByDay, DayRollup, Resolution, RollupSpec};
use tokaki_core::{
    Aggregator, AnyAggregator, Chunk, ColumnKind, Condition, DateRange, Error, Field, FieldKind, Finished, Input,
    InputId, Output, Result, Source, Table, WantedColumn,
};

tokaki_core::register!(Aggregator, NewPluginConfig, "new_plugin", "Requested core-hours by namespace and day.", build);

/// Settings of the aggregator `new_plugin`. Doc comments are what `tokaki plugins show new_plugin` says.
#[derive(Debug, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewPluginConfig {
    /// Core-hours a day; namespaces that request less are left out.
    pub least_core_hours: f64,
}

const NAMESPACE: &str = "namespace";
const REQUEST: &str = "pod_request_cpu_core_seconds";

/// Where the rows go. A sink makes the table if it is not there.
static TABLE: Table = Table {
    name: "tokaki_new_plugin",
    fields: &[
        Field { name: "source_uuid", kind: FieldKind::Uuid, nullable: false },
        Field { name: "usage_start", kind: FieldKind::Date, nullable: false },
        Field { name: "namespace", kind: FieldKind::Text(253), nullable: false },
        Field { name: "request_core_hours", kind: FieldKind::Measure, nullable: false },
    ],
    day_field: Some("usage_start"),
    primary_key: &["usage_start", "source_uuid", "namespace"],
    indexes: &[],
    headline: &["usage_start", "namespace", "request_core_hours"],
};

/// What is left of line items: sums by day and namespace.
struct Requests;

impl ByDay<2, 1, 0> for Requests {
    const SPEC: &'static RollupSpec<2, 1, 0> =
        &RollupSpec { keys: ["day", NAMESPACE], sums: [(REQUEST, Resolution::CORE_SECONDS)], maxima: [] };
}

struct NewPlugin {
    config: NewPluginConfig,
    source_uuid: String,
}

fn build(part: &AggregatorPart) -> Result<Arc<dyn AnyAggregator>> {
    let source_uuid = part.scope.source_uuid.to_lowercase();
    Ok(Arc::new(NewPlugin { config: part.own.parse()?, source_uuid }))
}

impl NewPlugin {
    fn output(&self) -> Output {
        // A run deletes these rows of the asked days, and no others, before it writes its own.
        let owned = vec![Condition::UuidEquals("source_uuid", self.source_uuid.clone())];
        Output::to_table(&TABLE, &["source_uuid", "usage_start", "namespace", "request_core_hours"], owned)
    }
}

impl Aggregator for NewPlugin {
    type Sides = ();
    type State = DayRollup<Requests, 2, 1, 0>;

    fn inputs(&self) -> Vec<Input> {
        let columns =
            vec![WantedColumn::new(NAMESPACE, ColumnKind::Text), WantedColumn::new(REQUEST, ColumnKind::Number)];
        vec![Input::table(Source::Hourly("pod_usage"), columns)]
    }

    fn outputs(&self) -> Vec<Output> {
        vec![self.output()]
    }

    fn prepare(&self, _handovers: Vec<RecordBatch>, _days: DateRange) -> Result<()> {
        Ok(())
    }

    fn start(&self) -> Self::State {
        DayRollup::default()
    }

    fn fold(&self, (): &(), state: &mut Self::State, _input: InputId, chunk: &Chunk) -> Result<()> {
        state.fold(chunk)
    }

    fn finish(&self, (): &(), state: Self::State) -> Result<Finished> {
        let (mut days, mut namespaces, mut hours) = (Vec::new(), Vec::new(), Vec::new());
        for row in state.rows() {
            // Without a namespace, or without any request, there is nothing to say.
            let (Some(namespace), Some(core_seconds)) = (row.texts[0], row.sum(0)) else { continue };
            let core_hours = core_seconds / 3600.0;
            if core_hours >= self.config.least_core_hours {
                days.push(row.day);
                namespaces.push(namespace);
                hours.push(core_hours);
            }
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec![self.source_uuid.as_str(); days.len()])),
            Arc::new(Date32Array::from(days)),
            Arc::new(StringArray::from(namespaces)),
            Arc::new(Float64Array::from(hours)),
        ];
        let rows = RecordBatch::try_new(self.output().schema(), columns);
        Ok(vec![rows.map_err(|error| Error::bug(error.to_string()))?].into())
    }
}

#[cfg(test)]
mod tests;
