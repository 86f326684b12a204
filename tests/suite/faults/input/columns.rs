//! Columns are missing, or of other types than ours.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use tokaki_tests::destination::{Destination, Sink};
use tokaki_tests::table;

use super::{Bench, check_refused, rewrite};

#[test]
fn i3_types_of_other_writers() {
    let bench = Bench::new();
    let texts =
        [DataType::LargeUtf8, DataType::Utf8View, DataType::Dictionary(DataType::Int32.into(), DataType::Utf8.into())];
    let instants = [TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond]
        .into_iter()
        .flat_map(|unit| [None, Some("+00:00".into())].map(|zone| DataType::Timestamp(unit, zone)));
    for wanted in texts.into_iter().chain(instants) {
        for report_type in ["pod_usage", "storage_usage", "node_labels", "namespace_labels"] {
            let file = bench.job.files(report_type).swap_remove(0);
            let outcome = bench.run_damaged(&file, |file| {
                rewrite(file, |_, values| {
                    let alike = |data_type: &DataType| match data_type {
                        DataType::Timestamp(..) => 1,
                        data_type if data_type.is_string() || matches!(data_type, DataType::Dictionary(..)) => 2,
                        _ => 0,
                    };
                    let changes = alike(values.data_type()) == alike(&wanted);
                    if changes { cast(values, &wanted).expect("alike") } else { Arc::clone(values) }
                });
                let destination = Destination::new(&Sink::Sqlite).expect("a destination");
                let rows = bench.job.clean_rows(&destination);
                assert!(rows == bench.clean, "{report_type} as {wanted}: other rows");
            });
            assert_eq!(outcome.code, Some(0), "{report_type} as {wanted}: {}", outcome.stderr);
        }
    }
}

#[test]
fn i3_text_where_a_number_belongs() {
    let bench = Bench::new();
    for (report_type, column) in
        [("pod_usage", "pod_usage_cpu_core_seconds"), ("storage_usage", "persistentvolumeclaim_usage_byte_seconds")]
    {
        let file = bench.job.files(report_type).swap_remove(0);
        let outcome = bench.run_damaged(&file, |file| {
            rewrite(file, |name, values| {
                if name == column {
                    Arc::new(StringArray::from_iter_values((0..values.len()).map(|_| "much")))
                } else {
                    Arc::clone(values)
                }
            });
        });
        check_refused(&outcome, &file);
        assert!(outcome.stderr.contains(column), "{}", outcome.stderr);
    }
}

#[test]
fn i4_columns_missing_further_and_in_another_order() {
    let bench = Bench::new();
    let file = bench.job.files("pod_usage").swap_remove(0);
    let without = |name: &'static str| {
        move |file: &Path| {
            let batch = table::read(file).expect("Parquet");
            let schema = batch.schema();
            let columns = schema.fields().iter().zip(batch.columns());
            let kept = columns
                .filter(|(field, _)| field.name() != name)
                .map(|(field, column)| (field.name().clone(), Arc::clone(column)));
            let mut kept: Vec<_> = kept.collect();
            kept.reverse();
            kept.push(("column_of_tomorrow".to_owned(), Arc::clone(&kept[0].1)));
            table::write(file, &RecordBatch::try_from_iter(kept).expect("a batch")).expect("written");
        }
    };
    let outcome = bench.run_damaged(&file, without("interval_start"));
    check_refused(&outcome, &file);
    assert!(outcome.stderr.contains("interval_start"), "{}", outcome.stderr);
    let outcome = bench.run_damaged(&file, without("nothing"));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
}
