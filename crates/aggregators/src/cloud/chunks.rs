//! The pieces that Koku takes a range of days in (ocp-on-aws § 1).

use chrono::TimeDelta;
use tokaki_core::DateRange;

/// Up to five days are one chunk. Of more, the first has six days and each further one five, the last what is left.
pub fn of(days: DateRange) -> Vec<DateRange> {
    let mut chunks = Vec::new();
    let mut start = days.start();
    while start <= days.end() {
        let more = TimeDelta::days(if chunks.is_empty() && days.end() - start > TimeDelta::days(4) { 5 } else { 4 });
        let end = (start + more).min(days.end());
        // Both ends lie inside the range.
        chunks.extend(DateRange::new(start, end));
        start = end + TimeDelta::days(1);
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(days: u32) -> Vec<i64> {
        let day = |day| chrono::NaiveDate::from_ymd_opt(2025, 10, day).expect("a date");
        let days = DateRange::new(day(1), day(days)).expect("in one month");
        of(days).iter().map(|chunk| (chunk.end() - chunk.start()).num_days() + 1).collect()
    }

    #[test]
    fn the_first_chunk_of_several_is_the_longest() {
        assert_eq!(lengths(1), [1]);
        assert_eq!(lengths(5), [5]);
        assert_eq!(lengths(6), [6]);
        assert_eq!(lengths(8), [6, 2]);
        assert_eq!(lengths(31), [6, 5, 5, 5, 5, 5]);
    }
}
