//! Aggregators that run for another source than the run's own, so that one run can bring several sources together.

use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::aggregator::{AnyAggregator, Fold};
use crate::error::Result;
use crate::input::Input;
use crate::output::Output;
use crate::scope::DateRange;

/// Name in a run of the aggregator that works for the source `of`; plain for the run's own source.
pub fn name(aggregator: &str, of: Option<&str>) -> String {
    of.map_or_else(|| aggregator.to_owned(), |uuid| format!("{aggregator} of {uuid}"))
}

/// An aggregator all of whose inputs are those of one source. It does not know of it.
pub struct Member {
    source: String,
    aggregator: Arc<dyn AnyAggregator>,
}

impl Member {
    /// `aggregator`, reading what belongs to the source with this uuid.
    pub fn new(source: impl Into<String>, aggregator: Arc<dyn AnyAggregator>) -> Self {
        Self { source: source.into(), aggregator }
    }
}

impl AnyAggregator for Member {
    fn inputs(&self) -> Vec<Input> {
        self.aggregator.inputs().into_iter().map(|input| input.of_source(&self.source)).collect()
    }

    fn outputs(&self) -> Vec<Output> {
        self.aggregator.outputs()
    }

    fn windows(&self, days: DateRange) -> Option<Vec<DateRange>> {
        self.aggregator.windows(days)
    }

    fn is_survey(&self) -> bool {
        self.aggregator.is_survey()
    }

    fn prepare(self: Arc<Self>, handovers: Vec<RecordBatch>, days: DateRange) -> Result<Arc<dyn Fold>> {
        Arc::clone(&self.aggregator).prepare(handovers, days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregator::Aggregator;
    use crate::chunk::Chunk;
    use crate::finding::Finished;
    use crate::input::{InputId, Source};
    use crate::pipeline::plan::{Aggregators, DailyTables, Listing, Plan};
    use crate::scope::Scope;

    /// Reads and takes what it is told to.
    struct Reads {
        inputs: Vec<Input>,
        survey: bool,
    }

    impl Aggregator for Reads {
        type Sides = ();
        type State = ();

        fn inputs(&self) -> Vec<Input> {
            self.inputs.clone()
        }

        fn outputs(&self) -> Vec<Output> {
            Vec::new()
        }

        fn is_survey(&self) -> bool {
            self.survey
        }

        fn windows(&self, days: DateRange) -> Option<Vec<DateRange>> {
            self.inputs.iter().any(|input| input.provider == "CLOUD").then(|| vec![days])
        }

        fn prepare(&self, _: Vec<RecordBatch>, _: DateRange) -> Result<()> {
            Ok(())
        }

        fn start(&self) {}

        fn fold(&self, (): &(), (): &mut (), _: InputId, _: &Chunk) -> Result<()> {
            Ok(())
        }

        fn finish(&self, (): &(), (): ()) -> Result<Finished> {
            Ok(Finished::default())
        }
    }

    fn reads(inputs: &[Input]) -> Arc<dyn AnyAggregator> {
        Arc::new(Reads { inputs: inputs.to_vec(), survey: false })
    }

    #[test]
    fn members_come_before_those_who_take_their_rows_and_read_their_own_tables() {
        let pods = || reads(&[Input::table(Source::Hourly("pod_usage"), Vec::new())]);
        let rest = || reads(&[Input::output_of("pod")]);
        let bill = [
            Input::table(Source::Hourly("line_items"), Vec::new()).of_provider("CLOUD", "day"),
            Input::output_of("rest").of_source("a"),
            Input::output_of("rest").of_source("b"),
            Input::output_of("names"),
        ];
        let names = Reads { inputs: vec![Input::table(Source::Hourly("names"), Vec::new())], survey: true };
        let mut aggregators = Aggregators::new();
        aggregators.insert("bill".to_owned(), reads(&bill));
        aggregators.insert("names".to_owned(), Arc::new(names));
        for source in ["a", "b"] {
            aggregators.insert(name("pod", Some(source)), Arc::new(Member::new(source, pods())));
            aggregators.insert(name("rest", Some(source)), Arc::new(Member::new(source, rest())));
        }
        let day = "2025-10-01".parse().expect("a date");
        let days = DateRange::new(day, day).expect("one day");
        let scope = Scope { org: "org".to_owned(), source_uuid: "c".to_owned(), days };
        let written = vec!["bill".to_owned()];
        let plan = Plan::new(scope, &aggregators, written, &Listing::new(), DailyTables::Auto, 1).expect("a plan");

        let stages: Vec<_> = plan.all_stages().map(|stage| stage.aggregators.join(", ")).collect();
        assert_eq!(stages, ["names", "pod of a, pod of b", "rest of a, rest of b", "bill"]);
        let scans = plan.all_stages().flat_map(|stage| &stage.scans);
        let tables: Vec<_> = scans.map(|scan| name(&scan.table.to_string(), scan.of.as_deref())).collect();
        assert_eq!(
            tables,
            [
                "openshift_names_line_items",
                "openshift_pod_usage_line_items of a",
                "openshift_pod_usage_line_items of b",
                "cloud_line_items"
            ]
        );
        assert_eq!(plan.windows, Some(vec![days]));
    }
}
