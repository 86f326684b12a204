//! Days at the edges of months and years, and moments at the edges of days.

use std::fs;
use std::sync::Arc;

use arrow::array::{AsArray, TimestampMillisecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampMillisecondType};
use chrono::{Datelike, Days, NaiveDate};
use tokaki_tests::destination::{Destination, Sink};
use tokaki_tests::rows::{Row, Value};
use tokaki_tests::table;

use crate::support::job::{Job, content};

const DAY: i64 = 86_400_000;

/// Changes the instants, in milliseconds, of a column of all files.
fn change_instants(job: &Job, column: &str, change: impl Fn(i64) -> i64) {
    for file in job.all_files() {
        let changed = table::rewrite(&file, |name, values| {
            if name != column {
                return Arc::clone(values);
            }
            let instants = cast(values, &DataType::Timestamp(TimeUnit::Millisecond, None)).expect("instants");
            let changed: TimestampMillisecondArray = instants.as_primitive::<TimestampMillisecondType>().unary(&change);
            Arc::new(changed)
        });
        changed.expect("a file that can be changed");
    }
}

/// Rows without what depends on the days themselves: ids, days told from the first one, and measures of a month told in
/// days.
fn from_first_day(rows: Vec<Row>, first: NaiveDate) -> Vec<String> {
    let told = |row: Row| {
        let cells = row.into_iter().filter(|(name, _)| &**name != "uuid").map(|(name, value)| match value {
            Value::Date(day) => {
                let day: NaiveDate = day.parse().expect("a day");
                format!("{name} day {}", day.signed_duration_since(first).num_days())
            }
            Value::Number(months) if name.ends_with("_months") => {
                format!("{name} {:.9}", months * f64::from(first.num_days_in_month()))
            }
            value => format!("{name} {value:?}"),
        });
        cells.collect::<Vec<_>>().join(", ")
    };
    let mut rows: Vec<_> = rows.into_iter().map(told).collect();
    rows.sort();
    rows
}

#[test]
fn t1_the_last_moment_of_a_day_is_of_that_day() {
    let hourly = ["reader.pods=hourly"];
    let rows = |job: &Job| {
        let destination = Destination::new(&Sink::Sqlite).expect("a destination");
        let outcome = job.run_on_folder(&destination, &hourly);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        content(&destination)
    };
    let job = Job::new();
    let expected = rows(&job);
    let last_hour = |instant: i64| instant.rem_euclid(DAY) == DAY - DAY / 24;
    let to_the_end = |instant| if last_hour(instant) { instant - instant.rem_euclid(DAY) + DAY - 1 } else { instant };
    change_instants(&job, "interval_start", to_the_end);
    assert!(rows(&job) == expected, "23:59:59.999 is another day than 23:00");
    change_instants(
        &job,
        "interval_start",
        |instant| if instant.rem_euclid(DAY) == DAY - 1 { instant + 1 } else { instant },
    );
    assert!(rows(&job) != expected, "a millisecond later it is the next day");
}

#[test]
fn t2_t3_days_at_the_edges_of_months_and_years_are_days_like_any_other() {
    let sample = NaiveDate::from_ymd_opt(2025, 10, 1).expect("a day");
    let job = Job::new();
    let expected = from_first_day(job.clean_rows(&Destination::new(&Sink::Sqlite).expect("a destination")), sample);
    for first in ["2024-02-27", "2025-02-26", "2025-12-29", "2026-01-01", "2025-03-29"] {
        let first: NaiveDate = first.parse().expect("a day");
        let last = first.checked_add_days(Days::new(2)).expect("a day");
        let job = Job::new();
        let later = first.signed_duration_since(sample).num_days() * DAY;
        change_instants(&job, "interval_start", |instant| instant + later);
        for file in job.all_files() {
            let month = format!("year={}/month={:02}", first.year(), first.month());
            let moved = file.to_string_lossy().replace("year=2025/month=10", &month);
            fs::create_dir_all(std::path::Path::new(&moved).parent().expect("a folder")).expect("created");
            fs::rename(&file, moved).expect("moved");
        }
        let destination = Destination::new(&Sink::Sqlite).expect("a destination");
        let days = [format!("scope.start_date={first}"), format!("scope.end_date={last}")];
        let outcome = job.run_on_folder(&destination, &[&days[0], &days[1]]);
        assert_eq!(outcome.code, Some(0), "{first}: {}", outcome.stderr);
        let rows = from_first_day(content(&destination), first);
        let other = rows.iter().zip(&expected).find(|(one, other)| one != other);
        assert!(rows == expected, "other rows from {first} on, for instance {other:?}");
    }
}
