//! What holds of every aggregator, whatever it computes.

use std::cell::Cell as Count;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestCaseResult, TestRunner};

use super::job::{Cut, Job};
use super::line::Line;
use super::owned;
use super::plugins::{Plugins, job};
use super::random::any_lines;
use crate::error::{ErrorKind, Result};
use crate::finding::{Finding, Finished};
use crate::plugin::{Plugin, PluginKind};
use crate::scope::{DateRange, Semantics};

/// Random inputs for each law and aggregator.
const CASES: u32 = 32;

/// Line items in any order, chunks of any size, any number of states that are encoded, decoded and merged, texts with a
/// dictionary or without: of every aggregator of the crate the rows and findings stay the same, to the last bit.
///
/// # Panics
/// With the line items that show the opposite.
pub fn no_cut_changes_a_bit(plugins: &Plugins) {
    let cut = (1_usize..9, 1_usize..4, any::<bool>()).prop_map(|(chunk_rows, workers, dictionaries)| Cut {
        chunk_rows,
        workers,
        dictionaries,
    });
    for_every_aggregator(plugins, cut.boxed(), |plugin, job, lines, (in_other_order, cut)| {
        let whole = outcome(job.finished(plugin.name, lines, usize::MAX));
        let cut = outcome(job.window(plugin.name, in_other_order, *cut, job.days()));
        let texts = |rows: &[RecordBatch]| rows.iter().map(as_text).collect::<Vec<_>>();
        if let (Ok((whole, _)), Ok((cut, _))) = (&whole, &cut) {
            // The same as below, and easier to read.
            prop_assert_eq!(texts(whole), texts(cut));
        }
        prop_assert_eq!(&whole, &cut);
        Ok(whole.is_ok_and(|(rows, _)| rows.iter().any(|rows| rows.num_rows() > 0)))
    });
}

/// What the days of a run give one by one is what they give together, unless the aggregator, or one that it needs, says
/// that they must be seen together.
///
/// # Panics
/// With the line items that show the opposite.
pub fn days_apart_are_days_together(plugins: &Plugins) {
    for_every_aggregator(plugins, Just(()).boxed(), |plugin, job, lines, _| {
        let Ok(Some(windows)) = windows(job, plugin.name) else { return Ok(true) };
        let together = job.finished(plugin.name, lines, usize::MAX);
        let apart: Result<Vec<Finished>> =
            windows.iter().map(|window| job.window(plugin.name, lines, Cut::chunks(usize::MAX), *window)).collect();
        match (together, apart) {
            (Ok(together), Ok(apart)) => {
                let outputs = job.aggregator(plugin.name).expect("it was built before").outputs();
                for (index, output) in outputs.iter().enumerate() {
                    let rows = &together.outputs[index];
                    let parts = apart.iter().map(|finished| &finished.outputs[index]);
                    let joined = concat_batches(&rows.schema(), parts).expect("outputs of one schema");
                    let (mut together, mut apart) = (as_text(rows), as_text(&joined));
                    // Whoever takes rows from another aggregator gets all at once, in an order of their own.
                    if output.destination.is_none() {
                        together.sort_unstable();
                        apart.sort_unstable();
                    }
                    prop_assert_eq!(together, apart);
                }
                Ok(together.outputs.iter().any(|rows| rows.num_rows() > 0))
            }
            (together, apart) => {
                prop_assert_eq!(together.is_err(), apart.is_err(), "an error must not depend on windows");
                Ok(false)
            }
        }
    });
}

/// Every row lies on an asked day, meets the conditions of the rows that its output owns, and has a key of its own: so
/// the next run of the same days replaces it.
///
/// # Panics
/// With the line items that show the opposite.
pub fn rows_are_the_outputs_own(plugins: &Plugins) {
    for_every_aggregator(plugins, Just(()).boxed(), |plugin, job, lines, _| {
        let Ok(finished) = job.finished(plugin.name, lines, usize::MAX) else { return Ok(false) };
        let outputs = job.aggregator(plugin.name).expect("it was built before").outputs();
        for (output, rows) in outputs.iter().zip(&finished.outputs) {
            owned::check(output, rows, job.days()).map_err(TestCaseError::fail)?;
        }
        Ok(finished.outputs.iter().any(|rows| rows.num_rows() > 0))
    });
}

/// Tries a law on random line items of each aggregator, in both semantics. The law gets them in two orders, and says
/// whether rows came of them.
fn for_every_aggregator<E: std::fmt::Debug + 'static>(
    plugins: &Plugins,
    extra: BoxedStrategy<E>,
    law: impl Fn(&Plugin, &Job, &[Line], &(Vec<Line>, E)) -> Result<bool, TestCaseError>,
) {
    for plugin in plugins.of(PluginKind::Aggregator) {
        let job = job(plugin);
        let lines =
            any_lines(&job, plugin.name, plugins.texts).unwrap_or_else(|error| panic!("{}: {error}", plugin.name));
        let in_two_orders = lines.prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle())).boxed();
        let with_rows = Count::new(0);
        let check = |((lines, shuffled), extra, conserving): ((Vec<Line>, Vec<Line>), E, bool)| -> TestCaseResult {
            let semantics = if conserving { Semantics::Conserving } else { Semantics::Koku };
            let job = Job { semantics, ..job.clone() };
            let rows = law(plugin, &job, &lines, &(shuffled, extra))?;
            with_rows.set(with_rows.get() + u32::from(rows));
            Ok(())
        };
        let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
        let outcome = TestRunner::new(config).run(&(in_two_orders, extra.clone(), any::<bool>()), check);
        if let Err(error) = outcome {
            panic!("the aggregator `{}` breaks a law: {error}", plugin.name);
        }
        assert!(
            with_rows.get() > 0,
            "no row came of any of {CASES} inputs of `{}`, so nothing was shown: name the texts that its columns may have",
            plugin.name
        );
    }
}

/// The pieces of the job's days that may be computed one by one, if there are any.
fn windows(job: &Job, name: &str) -> Result<Option<Vec<DateRange>>> {
    let mut asked = None;
    if job.aggregator(name)?.is_survey() {
        return Ok(None);
    }
    for (_, aggregator) in job.needed(name)? {
        if aggregator.inputs().iter().any(|input| input.whole_partition) {
            return Ok(None);
        }
        asked = asked.or(aggregator.windows(job.days()));
    }
    let days = job.days().start().iter_days().take_while(|day| *day <= job.days().end());
    Ok(Some(asked.unwrap_or(days.map(|day| DateRange::new(day, day)).collect::<Result<_>>()?)))
}

/// Each row as text.
fn as_text(rows: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("-");
    let columns = rows.columns().iter().map(|column| ArrayFormatter::try_new(column, &options));
    let columns: Vec<_> = columns.collect::<Result<_, _>>().expect("columns that can be shown");
    let row = |row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join(" | ");
    (0..rows.num_rows()).map(row).collect()
}

fn outcome(finished: Result<Finished>) -> Result<(Vec<RecordBatch>, Vec<Finding>), ErrorKind> {
    finished.map(|finished| (finished.outputs, finished.findings)).map_err(|error| error.kind())
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Date32Array, Int32Array};

    use super::*;
    use crate::aggregator::{Aggregator, AnyAggregator, State};
    use crate::chunk::Chunk;
    use crate::error::Error;
    use crate::input::{Input, InputId, Source};
    use crate::output::{Destination, Field, FieldKind, Output, Table};
    use crate::plugin::{AggregatorPart, Build};
    use crate::section::{NoSettings, schema_of};

    const OURS: Plugins = Plugins { of_crate: "tokaki_core", texts: &[] };
    const FIELDS: [Field; 2] = [
        Field { name: "day", kind: FieldKind::Date, nullable: false },
        Field { name: "chunks", kind: FieldKind::Integer, nullable: false },
    ];
    static TABLE: Table = Table {
        name: "t",
        fields: &FIELDS,
        day_field: Some("day"),
        primary_key: &["day"],
        indexes: &[],
        headline: &[],
    };

    /// Breaks every law: it counts chunks, those of all days together, and dates the row at will.
    struct CountsChunks;

    impl State for i32 {
        fn merge(&mut self, other: Self) -> Result<()> {
            *self += other;
            Ok(())
        }

        fn encode(&self) -> Result<Vec<RecordBatch>> {
            let count: ArrayRef = Arc::new(Int32Array::from(vec![*self]));
            Ok(vec![RecordBatch::try_from_iter([("count", count)]).map_err(|error| Error::bug(error.to_string()))?])
        }

        fn decode(batches: &[RecordBatch]) -> Result<Self> {
            let counts = batches[0].column(0).as_any().downcast_ref::<Int32Array>();
            Ok(counts.map_or(0, |counts| counts.value(0)))
        }
    }

    impl Aggregator for CountsChunks {
        type Sides = ();
        type State = i32;

        fn inputs(&self) -> Vec<Input> {
            vec![Input::table(Source::Hourly("pod_usage"), Vec::new())]
        }

        fn outputs(&self) -> Vec<Output> {
            let destination = Destination {
                table: &TABLE,
                owned: Vec::new(),
                left_alone_if_empty: false,
                union: None,
                also_of: None,
            };
            vec![Output { fields: FIELDS.to_vec(), destination: Some(destination) }]
        }

        fn prepare(&self, _: Vec<RecordBatch>, _: DateRange) -> Result<()> {
            Ok(())
        }

        fn start(&self) -> i32 {
            0
        }

        fn fold(&self, (): &(), state: &mut i32, _: InputId, _: &Chunk) -> Result<()> {
            *state += 1;
            Ok(())
        }

        fn finish(&self, (): &(), chunks: i32) -> Result<Finished> {
            let columns: Vec<ArrayRef> =
                vec![Arc::new(Date32Array::from(vec![chunks])), Arc::new(Int32Array::from(vec![chunks]))];
            let rows = RecordBatch::try_new(Aggregator::outputs(self)[0].schema(), columns);
            Ok(vec![rows.map_err(|error| Error::bug(error.to_string()))?].into())
        }
    }

    fn build(_: &AggregatorPart) -> Result<Arc<dyn AnyAggregator>> {
        Ok(Arc::new(CountsChunks))
    }

    inventory::submit! {
        Plugin {
            name: "counts_chunks",
            summary: "Counts chunks.",
            module: module_path!(),
            schema: schema_of::<NoSettings>,
            sample: "[aggregators.counts_chunks]",
            build: Build::Aggregator(build),
        }
    }

    #[test]
    fn an_aggregator_that_breaks_them_is_found_out() {
        assert!(catch_unwind(|| no_cut_changes_a_bit(&OURS)).is_err());
        assert!(catch_unwind(|| days_apart_are_days_together(&OURS)).is_err());
        assert!(catch_unwind(|| rows_are_the_outputs_own(&OURS)).is_err());
        super::super::describe_themselves(&OURS);
        let nobody = Plugins { of_crate: "nobody", ..OURS };
        assert!(catch_unwind(|| super::super::describe_themselves(&nobody)).is_err());
    }
}
