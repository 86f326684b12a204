//! Rows of no time, or of another age.

use std::fs;
use std::sync::Arc;

use arrow::array::{AsArray, TimestampMillisecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampMillisecondType};
use tokaki_tests::destination::{Destination, Sink};
use tokaki_tests::table;

use super::rewrite;
use crate::support::job::Job;

#[test]
fn i10_rows_of_no_time_or_of_another_age_are_as_if_they_were_not_there() {
    let job = Job::new();
    let sink = Sink::Sqlite;
    for report_type in ["pod_usage", "storage_usage", "namespace_labels"] {
        let file = job.files(report_type).swap_remove(1);
        let whole = fs::read(&file).expect("a file");
        let rows = table::read(&file).expect("Parquet");
        table::write(&file, &rows.slice(1, rows.num_rows() - 1)).expect("written");
        let expected = job.clean_rows(&Destination::new(&sink).expect("a destination"));
        // In milliseconds: the beginning of all clocks, a favourite for `never`, the oldest that nanoseconds can tell.
        let (never, oldest) = (253_402_300_799_000, -9_223_372_036_854);
        for instant in [None, Some(0), Some(never), Some(oldest), Some(i64::MIN), Some(i64::MAX)] {
            fs::write(&file, &whole).expect("repaired");
            rewrite(&file, |name, values| {
                if name != "interval_start" {
                    return Arc::clone(values);
                }
                let milliseconds = cast(values, &DataType::Timestamp(TimeUnit::Millisecond, None)).expect("an instant");
                let milliseconds = milliseconds.as_primitive::<TimestampMillisecondType>();
                let with = milliseconds.iter().enumerate().map(|(row, old)| if row == 0 { instant } else { old });
                Arc::new(with.collect::<TimestampMillisecondArray>())
            });
            let rows = job.clean_rows(&Destination::new(&sink).expect("a destination"));
            assert!(rows == expected, "{report_type} at {instant:?}: other rows");
        }
        fs::write(&file, whole).expect("repaired");
    }
}
