//! Cuts a scope at midnights, so that days can leave as they finish and memory follows a day instead of a month.

use chrono::TimeDelta;

use crate::reader::Split;
use crate::scope::{DateRange, day_of_instant, days_since_epoch};

/// A split that reaches over a cut is decoded on both sides of it. This many of its rows at most for each row of the
/// window, in percent: files that hold a whole month are not read once a day.
const MOST_STRADDLING_PERCENT: u64 = 12;

/// The windows of `days`, in order and without gaps, each of `least_rows` rows or more as far as there are so many.
/// For 0 rows every midnight is a cut, also where there are no rows: a day's window then does not change with what comes
/// after it.
///
/// No aggregator that runs by windows looks across midnight, so where the cuts lie changes no row. They depend on the
/// splits alone and not on how many workers there are.
pub(super) fn cut<'a>(days: DateRange, splits: impl Iterator<Item = &'a Split>, least_rows: u64) -> Vec<DateRange> {
    let first = days_since_epoch(days.start());
    let count = usize::try_from(days_since_epoch(days.end()) - first + 1).unwrap_or(1);
    // Rows of splits by the day on which they begin, and rows that reach over the midnight behind each day.
    let mut beginning = vec![0; count];
    let mut straddling = vec![0; count];
    for split in splits {
        let position = |instant: i64| (i64::from(day_of_instant(instant)) - first).clamp(0, count as i64 - 1) as usize;
        let (from, to) = split.instants.map_or((0, count - 1), |(least, most)| (position(least), position(most)));
        beginning[from] += split.rows;
        for rows in &mut straddling[from..to] {
            *rows += split.rows;
        }
    }

    let mut windows = Vec::new();
    let mut start = 0;
    let mut rows = 0;
    let mut left: u64 = beginning.iter().sum();
    for day in 0..count {
        rows += beginning[day];
        left -= beginning[day];
        let last = day + 1 == count;
        let enough = least_rows == 0 || (rows >= least_rows && left > 0);
        let worth_it = enough && straddling[day] * 100 <= rows * MOST_STRADDLING_PERCENT;
        if last || worth_it {
            let date = |day: usize| days.start() + TimeDelta::days(day as i64);
            // Both ends lie inside the range that was cut.
            windows.extend(DateRange::new(date(start), date(day)));
            (start, rows) = (day + 1, 0);
        }
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::DataFile;
    use crate::scope::NANOSECONDS_PER_DAY;

    fn october() -> DateRange {
        let date = |day: &str| day.parse().expect("a date");
        DateRange::new(date("2025-10-01"), date("2025-10-05")).expect("in one month")
    }

    /// A split of `rows` rows from the `from`th to the `to`th of October.
    fn split(rows: u64, span: Option<(i64, i64)>) -> Split {
        let first = days_since_epoch(october().start());
        let midnight = |day: i64| (first + day - 1) * NANOSECONDS_PER_DAY;
        let file = DataFile { path: String::new(), shown: String::new(), bytes: 0, version: None };
        Split {
            file,
            row_group: 0,
            rows,
            bytes: 0,
            bytes_per_row: 0,
            instants: span.map(|(from, to)| (midnight(from), midnight(to + 1) - 1)),
        }
    }

    fn windows(splits: &[Split]) -> Vec<String> {
        cut(october(), splits.iter(), 65_536).iter().map(DateRange::to_string).collect()
    }

    #[test]
    fn each_day_of_enough_rows_is_a_window() {
        let days: Vec<_> = (1..=5).map(|day| split(100_000, Some((day, day)))).collect();
        assert_eq!(windows(&days), ["2025-10-01", "2025-10-02", "2025-10-03", "2025-10-04", "2025-10-05"]);
    }

    #[test]
    fn small_days_share_a_window_and_empty_days_join_their_neighbours() {
        assert_eq!(windows(&[]), ["2025-10-01 to 2025-10-05"]);
        let days = [(1, 40_000), (2, 40_000), (4, 70_000), (5, 10)].map(|(day, rows)| split(rows, Some((day, day))));
        assert_eq!(windows(&days), ["2025-10-01 to 2025-10-02", "2025-10-03 to 2025-10-04", "2025-10-05"]);
    }

    #[test]
    fn where_each_day_counts_empty_ones_do_too() {
        let cut = |splits: &[Split]| cut(october(), splits.iter(), 0).len();
        assert_eq!(cut(&[split(10, Some((2, 2)))]), 5);
        assert_eq!(cut(&[split(10, Some((2, 3)))]), 4);
    }

    #[test]
    fn files_of_a_whole_month_are_read_once() {
        assert_eq!(windows(&[split(1_000_000, Some((1, 5)))]), ["2025-10-01 to 2025-10-05"]);
        // Without statistics nobody knows the days.
        assert_eq!(windows(&[split(1_000_000, None)]), ["2025-10-01 to 2025-10-05"]);
    }

    #[test]
    fn a_few_rows_may_be_read_on_both_sides_of_a_cut() {
        let mut splits: Vec<_> = (1..=5).map(|day| split(100_000, Some((day, day)))).collect();
        splits.push(split(10_000, Some((2, 3))));
        splits.push(split(50_000, Some((4, 5))));
        assert_eq!(windows(&splits), ["2025-10-01", "2025-10-02", "2025-10-03", "2025-10-04 to 2025-10-05"]);
    }
}
