//! What a run covers: one source, days inside one month, one of two semantics.

use std::fmt;

use chrono::{Datelike, NaiveDate, TimeDelta};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// Days from `start` to `end`, both inclusive, inside one month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct DateRange {
    start: NaiveDate,
    end: NaiveDate,
}

impl DateRange {
    /// The days from `start` to `end`.
    ///
    /// # Errors
    /// [`ErrorKind::Range`] if `end` is before `start`, if the two lie in different months (spec § 11), or if the
    /// year is one that nanosecond timestamps cannot hold.
    pub fn new(start: NaiveDate, end: NaiveDate) -> Result<Self> {
        let range_error = |message: String| Err(Error::new(ErrorKind::Range, message));
        if end < start {
            return range_error(format!("the asked range ends ({end}) before it starts ({start})"));
        }
        if (start.year(), start.month()) != (end.year(), end.month()) {
            let first_of_month = end.with_day(1).unwrap_or(end);
            return Err(Error::new(
                ErrorKind::Range,
                format!("the asked range {start} to {end} does not lie in one month"),
            )
            .help(format!(
                "run each month on its own, for instance {start} to {} and {first_of_month} to {end}",
                Self::last_of_month(start)
            )));
        }
        if !(1700..=2200).contains(&start.year()) {
            return range_error(format!("the year {} is outside 1700 to 2200", start.year()));
        }
        Ok(Self { start, end })
    }

    /// First day.
    pub fn start(&self) -> NaiveDate {
        self.start
    }

    /// Last day, inclusive.
    pub fn end(&self) -> NaiveDate {
        self.end
    }

    /// Year of all days.
    pub fn year(&self) -> i32 {
        self.start.year()
    }

    /// Month of all days, 1 to 12.
    pub fn month(&self) -> u32 {
        self.start.month()
    }

    /// Number of days in the month, 28 to 31 (D of spec § 7).
    pub fn days_in_month(&self) -> u32 {
        Self::last_of_month(self.start).day()
    }

    /// First day of the month and first day of the next one: the bounds of a month partition.
    pub fn month_bounds(&self) -> (NaiveDate, NaiveDate) {
        let first = self.start.with_day(1).unwrap_or(self.start);
        (first, Self::last_of_month(self.start) + TimeDelta::days(1))
    }

    /// Half-open bounds as nanoseconds since 1970-01-01 UTC.
    pub fn nanoseconds(&self) -> std::ops::Range<i64> {
        let midnight = |day: NaiveDate| days_since_epoch(day) * NANOSECONDS_PER_DAY;
        midnight(self.start)..midnight(self.end + TimeDelta::days(1))
    }

    fn last_of_month(day: NaiveDate) -> NaiveDate {
        let next = if day.month() == 12 {
            NaiveDate::from_ymd_opt(day.year() + 1, 1, 1)
        } else {
            NaiveDate::from_ymd_opt(day.year(), day.month() + 1, 1)
        };
        next.and_then(|first| first.pred_opt()).unwrap_or(day)
    }
}

impl fmt::Display for DateRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.start == self.end { write!(f, "{}", self.start) } else { write!(f, "{} to {}", self.start, self.end) }
    }
}

/// Length of a UTC day.
pub const NANOSECONDS_PER_DAY: i64 = 86_400_000_000_000;

/// Days from 1970-01-01 to `day`.
pub fn days_since_epoch(day: NaiveDate) -> i64 {
    day.signed_duration_since(NaiveDate::default()).num_days()
}

/// The UTC day of an instant, as days since 1970-01-01 (usage_start of spec § 2).
pub fn day_of_instant(nanoseconds: i64) -> i32 {
    // A day count of any i64 nanosecond instant fits 18 bits.
    nanoseconds.div_euclid(NANOSECONDS_PER_DAY) as i32
}

/// One source and the days asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scope {
    /// Customer schema, for instance `org1234567`.
    pub org: String,
    /// Provider uuid of the source, as in the path `source=…`.
    pub source_uuid: String,
    /// The asked days.
    pub days: DateRange,
}

impl Scope {
    /// The same days of the source with this uuid; of the run's own source if there is none.
    #[must_use]
    pub fn of(&self, source: Option<&str>) -> Self {
        let mut scope = self.clone();
        if let Some(uuid) = source {
            uuid.clone_into(&mut scope.source_uuid);
        }
        scope
    }
}

/// How usage that joins several label sets, categories or places is counted (spec § 9).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Semantics {
    /// As Koku counts, double counting included.
    #[default]
    Koku,
    /// No join changes a sum.
    Conserving,
}

impl fmt::Display for Semantics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Koku => "koku",
            Self::Conserving => "conserving",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn a_range_lies_in_one_month() {
        let error = DateRange::new(day("2025-09-30"), day("2025-10-01")).expect_err("two months");
        assert_eq!(error.kind(), ErrorKind::Range);
        assert!(error.help_text().is_some_and(|help| help.contains("2025-10-01")));
        assert!(DateRange::new(day("2025-10-02"), day("2025-10-01")).is_err());
        assert!(DateRange::new(day("2024-02-01"), day("2024-02-29")).is_ok());
    }

    #[test]
    fn months_have_their_own_length() {
        let length = |text: &str| DateRange::new(day(text), day(text)).expect("one day").days_in_month();
        assert_eq!(["2024-02-10", "2025-02-10", "2025-12-31", "2025-04-01"].map(length), [29, 28, 31, 30]);
    }

    #[test]
    fn instants_before_1970_belong_to_their_own_day() {
        assert_eq!(day_of_instant(-1), -1);
        assert_eq!(day_of_instant(0), 0);
        assert_eq!(day_of_instant(NANOSECONDS_PER_DAY), 1);
    }
}
