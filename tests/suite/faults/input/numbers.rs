//! Numbers that are none, almost nothing, or too large.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{AsArray, Float64Array};
use arrow::datatypes::Float64Type;
use tokaki_tests::destination::{Destination, Sink};

use super::rewrite;
use crate::support::job::{Job, content, error};
use crate::support::koku::Koku;

/// Writes the file anew with `value` in every row of the number columns that `of` names.
fn with_numbers(file: &Path, of: impl Fn(&str) -> bool, value: Option<f64>) {
    rewrite(file, |name, values| match values.as_primitive_opt::<Float64Type>() {
        Some(numbers) if of(name) => Arc::new(numbers.iter().map(|_| value).collect::<Float64Array>()),
        _ => Arc::clone(values),
    });
}

#[test]
fn i9_numbers_that_are_almost_nothing_are_nothing_and_negative_ones_count() {
    let koku = Koku::empty();
    let with = |value: Option<f64>| {
        let job = Job::new();
        for file in job.all_files() {
            with_numbers(&file, |_| true, value);
        }
        let outcome = job.run_on_folder(&koku.destination(), &["sink.create_missing=false"]);
        assert_eq!(outcome.code, Some(0), "{value:?}: {}", outcome.stderr);
        koku.digest()
    };
    assert_eq!(with(Some(f64::NAN)), with(None), "no number is null");
    assert_eq!(with(Some(-0.0)), with(Some(0.0)));
    assert_eq!(with(Some(f64::from_bits(1))), with(Some(0.0)), "less than the last digit that is stored");
    assert_ne!(with(None), with(Some(0.0)));
    assert_ne!(with(Some(-1e6)), with(Some(0.0)), "negative usage is a number like any other");
}

#[test]
fn i9_numbers_that_fit_nowhere_are_refused_with_their_column_and_where_they_are() {
    let job = Job::new();
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    let before = job.clean_rows(&destination);
    let hourly = |report_type: &str| {
        let path = format!("/parquet/org1234567/OCP/{report_type}/");
        job.all_files().into_iter().find(|file| file.to_string_lossy().contains(&path)).expect("a file")
    };
    let [pods, hours, volumes] =
        [job.files("pod_usage").swap_remove(0), hourly("pod_usage"), job.files("storage_usage").swap_remove(0)];
    let sums = [
        (&pods, "pod_usage_cpu_core_seconds"),
        (&pods, "pod_request_cpu_core_seconds"),
        (&pods, "pod_effective_usage_cpu_core_seconds"),
        (&pods, "pod_limit_cpu_core_seconds"),
        (&pods, "pod_usage_memory_byte_seconds"),
        (&pods, "pod_request_memory_byte_seconds"),
        (&pods, "pod_effective_usage_memory_byte_seconds"),
        (&pods, "pod_limit_memory_byte_seconds"),
        (&volumes, "persistentvolumeclaim_capacity_byte_seconds"),
        (&volumes, "volume_request_storage_byte_seconds"),
        (&volumes, "persistentvolumeclaim_usage_byte_seconds"),
    ];
    // Of these the largest counts, so that which row is to blame shows only when all are read.
    let maxima = [
        (&pods, "node_capacity_cpu_cores", "node_capacity_cpu_cores"),
        (&pods, "node_capacity_memory_bytes", "node_capacity_memory_gigabytes"),
        (&hours, "node_capacity_cpu_core_seconds", "node_capacity_cpu_core_seconds"),
        (&hours, "node_capacity_memory_byte_seconds", "node_capacity_memory_byte_seconds"),
        (&volumes, "persistentvolumeclaim_capacity_bytes", "persistentvolumeclaim_capacity_gigabyte"),
    ];
    let refused = |file: &Path, column: &str, value: f64| {
        let whole = fs::read(file).expect("a file");
        with_numbers(file, |name| name == column, Some(value));
        let outcome = job.run_on_folder(&destination, &[]);
        fs::write(file, whole).expect("repaired");
        assert_eq!(outcome.code, Some(12), "{column} {value:e}: {}", outcome.stderr);
        error(&outcome).to_owned()
    };
    for (file, column) in sums {
        for value in [f64::INFINITY, f64::NEG_INFINITY, 1e308, -1e308] {
            let error = refused(file, column, value);
            let name = file.file_name().expect("a name").to_string_lossy();
            assert!(error.contains(column) && error.contains(name.as_ref()), "{column} {value:e}: {error}");
        }
    }
    for (file, column, told) in maxima {
        let error = refused(file, column, f64::INFINITY);
        let name = file.file_name().expect("a name").to_string_lossy();
        assert!(error.contains(column) && error.contains(name.as_ref()), "{column}: {error}");
        let error = refused(file, column, 1e308);
        assert!(error.contains(told) && error.contains("look at the ") && error.contains("node "), "{column}: {error}");
    }
    // Each of the values may be stored, and their sum may not.
    let error = refused(&pods, "pod_usage_cpu_core_seconds", 1.9e21);
    assert!(error.contains("a sum is too large") && error.contains("pod_usage_cpu_core_seconds"), "{error}");
    assert!(content(&destination) == before, "changed although all of them failed");
}
