//! Plugins of all five kinds for this crate's own tests, so that those say nothing about real plugins.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use tokaki_core::plugin::{AggregatorPart, StorePart};
use tokaki_core::reader::ChunkDecoder;
use tokaki_core::section::NoSettings;
use tokaki_core::{
    Aggregator, Catalog, Chunk, DataFile, DateRange, Error, Files, Finished, Input, InputId, Output, PayloadOfDay,
    Reader, ReferenceData, ReferenceSource, Replacement, Result, Scope, Section, Selection, Sink, Source, Split,
    TableName,
};

use crate::config::environment::Environment;
use crate::config::text::Text;
use crate::config::{Config, Sources};
use crate::failure::Failure;

/// Settings that choose the fakes and cover a day.
pub(crate) const CHOICE: [(&str, &str); 9] = [
    ("catalog.type", "fake"),
    ("reader.type", "fake"),
    ("reference.type", "fake"),
    ("aggregators.enabled", "[\"fake\"]"),
    ("sink.url", "fake:anywhere"),
    ("scope.org", "org1"),
    ("scope.source_uuid", "5d6f8e9a-0000-4000-8000-000000000001"),
    ("scope.start_date", "2025-10-01"),
    ("scope.end_date", "2025-10-01"),
];

/// A configuration of the fakes and these `--set`s.
pub(crate) fn config(set: &[(&str, &str)]) -> Result<Config, Failure> {
    let flags = CHOICE.iter().chain(set).map(|(key, raw)| Text::new(*key, *raw, format!("--set {key}=…"))).collect();
    Config::load(&Sources { flags, environment: Environment::default(), case: None, file: None })
}

/// Its inputs are whatever a test looks at: here a table, and the rows of `fake-side`.
#[derive(Debug)]
struct FakeAggregator {
    inputs: Vec<Input>,
}

impl Aggregator for FakeAggregator {
    type Sides = ();
    type State = ();

    fn inputs(&self) -> Vec<Input> {
        self.inputs.clone()
    }

    fn outputs(&self) -> Vec<Output> {
        vec![Output::handover(&[])]
    }

    fn prepare(&self, _: Vec<RecordBatch>, _: DateRange) -> Result<()> {
        Ok(())
    }

    fn start(&self) {}

    fn fold(&self, (): &(), (): &mut (), _: InputId, _: &Chunk) -> Result<()> {
        Ok(())
    }

    fn finish(&self, (): &(), (): ()) -> Result<Finished> {
        Ok(vec![RecordBatch::new_empty(Output::handover(&[]).schema())].into())
    }
}

struct Fake;

#[async_trait]
impl Catalog for Fake {
    async fn files(&self, _: &TableName, _: &Scope) -> Result<Files> {
        let shown = "/data/a.parquet".into();
        Ok(vec![DataFile { path: "a.parquet".into(), shown, bytes: 2048, version: None }].into())
    }
}

#[async_trait]
impl Reader for Fake {
    async fn splits(&self, _: &DataFile, _: &Selection) -> Result<Vec<Split>> {
        Ok(Vec::new())
    }

    async fn payload(&self, _: &DataFile) -> Result<Option<PayloadOfDay>> {
        Ok(None)
    }

    async fn fetch(&self, _: &Split, _: &Selection) -> Result<ChunkDecoder> {
        Ok(Box::new(std::iter::empty()))
    }
}

#[async_trait]
impl ReferenceSource for Fake {
    async fn load(&self, _: &Scope) -> Result<ReferenceData> {
        Ok(ReferenceData::default())
    }
}

#[async_trait]
impl Sink for Fake {
    async fn check(&self, _: &Scope, _: &[Output]) -> Result<()> {
        Ok(())
    }

    async fn begin(&self, _: &Scope, _: &[Output]) -> Result<Box<dyn Replacement>> {
        Err(Error::bug("the fake sink takes no rows"))
    }
}

/// Settings of the fake aggregator.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct FakeAggregatorConfig {
    /// How many.
    limit: u32,
}

impl Default for FakeAggregatorConfig {
    fn default() -> Self {
        Self { limit: 3 }
    }
}

/// Settings of the fake sink.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the keys matter")]
struct FakeSinkConfig {
    /// Anywhere.
    url: String,
    /// What lets us in.
    #[serde(default)]
    #[schemars(extend("writeOnly" = true))]
    token: Option<String>,
}

fn fake_aggregator(part: &AggregatorPart) -> Result<Arc<dyn tokaki_core::AnyAggregator>> {
    let config: FakeAggregatorConfig = part.own.parse()?;
    let table = Input::table(Source::DailyOrDerived("pod_usage"), Vec::new());
    let inputs = if config.limit > 0 { vec![table, Input::output_of("fake-side")] } else { vec![table] };
    Ok(Arc::new(FakeAggregator { inputs }))
}

fn fake_side(_: &AggregatorPart) -> Result<Arc<dyn tokaki_core::AnyAggregator>> {
    Ok(Arc::new(FakeAggregator { inputs: vec![Input::table(Source::Hourly("node_labels"), Vec::new())] }))
}

fn fake_sink(section: &Section) -> Result<Arc<dyn Sink>> {
    section.parse::<FakeSinkConfig>()?;
    Ok(Arc::new(Fake))
}

tokaki_core::register!(Catalog, NoSettings, "fake", "A catalog of one file.", |_: &StorePart| Ok(Arc::new(Fake)));
tokaki_core::register!(Reader, NoSettings, "fake", "A reader of nothing.", |_: &StorePart| Ok(Arc::new(Fake)));
tokaki_core::register!(Reference, NoSettings, "fake", "Knows nothing.", |_: &Section| Ok(Arc::new(Fake)));
tokaki_core::register!(Aggregator, FakeAggregatorConfig, "fake", "Counts nothing.", fake_aggregator);
tokaki_core::register!(Aggregator, NoSettings, "fake-side", "Hands over nothing.", fake_side);
tokaki_core::register!(Sink, FakeSinkConfig, "fake", "Takes nothing.", fake_sink);
