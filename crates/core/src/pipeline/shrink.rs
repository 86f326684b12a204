//! Refuses to replace many rows by few.
//!
//! A folder that was emptied by mistake, an upload that broke off or a reader of the wrong month looks like a cluster
//! that stopped. Nobody sees the difference in the input; in the destination it is plain.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::error::{Error, ErrorKind, Place, Result};
use crate::output::{Destination, Output};
use crate::sink::RowsOfDay;

/// Rows that a run has written, by what owns them and day.
#[derive(Default)]
pub(super) struct Written(Vec<(Destination, BTreeMap<NaiveDate, u64>)>);

impl Written {
    /// Counts rows of an output.
    pub(super) fn add(&mut self, output: &Output, day: Option<NaiveDate>, rows: u64) {
        let (Some(destination), Some(day)) = (&output.destination, day) else { return };
        let known = self.0.iter().position(|(known, _)| known == destination);
        let position = known.unwrap_or_else(|| {
            self.0.push((destination.clone(), BTreeMap::new()));
            self.0.len() - 1
        });
        *self.0[position].1.entry(day).or_default() += rows;
    }

    /// Rows in the place of those that were removed.
    fn instead_of(&self, removed: &RowsOfDay) -> u64 {
        let same = |to: &Destination| to.table.name == removed.table && to.owned == removed.owned;
        let of_day = |(to, days): &(Destination, BTreeMap<_, _>)| same(to).then(|| days.get(&removed.day).copied());
        self.0.iter().filter_map(of_day).flatten().sum()
    }
}

/// Refuses if some day lost more than `limit` of its rows.
///
/// # Errors
/// `Shrunk`, with the first such day and how many others there are.
pub(super) fn check(removed: &[RowsOfDay], written: &Written, limit: f64) -> Result<()> {
    let too_few = |removed: &&RowsOfDay| {
        let lost = removed.rows.saturating_sub(written.instead_of(removed));
        lost as f64 > limit * removed.rows as f64
    };
    let mut shrunk: Vec<&RowsOfDay> = removed.iter().filter(too_few).collect();
    shrunk.sort_by_key(|removed| removed.day);
    let Some(first) = shrunk.first() else { return Ok(()) };
    let days: std::collections::BTreeSet<NaiveDate> = shrunk.iter().map(|removed| removed.day).collect();
    let others = match days.len() - 1 {
        0 => String::new(),
        1 => ", and another day would shrink too".to_owned(),
        others => format!(", and {others} other days would shrink too"),
    };
    let message = format!(
        "{} has {} rows in the destination and would have {} of the same kind{others}",
        first.day,
        first.rows,
        written.instead_of(first)
    );
    Err(Error::new(ErrorKind::Shrunk, message)
        .at(&Place { table: Some(first.table.to_owned()), ..Place::default() })
        .help("look whether files are missing; --accept-shrink writes it all the same, run.shrink_limit says how much may go"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{Condition, Table};

    static TABLE: Table =
        Table { name: "t", fields: &[], day_field: Some("d"), primary_key: &[], indexes: &[], headline: &[] };

    fn owned(value: i32) -> Vec<Condition> {
        vec![Condition::IntegerEquals("kind", value)]
    }

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2025, 10, day).expect("a date")
    }

    fn written(rows: &[(i32, u32, u64)]) -> Written {
        let mut written = Written::default();
        for (kind, on, rows) in rows {
            written.add(&Output::to_table(&TABLE, &[], owned(*kind)), Some(day(*on)), *rows);
        }
        written
    }

    fn removed(kind: i32, on: u32, rows: u64) -> RowsOfDay {
        RowsOfDay { table: "t", owned: owned(kind), day: day(on), rows }
    }

    #[test]
    fn a_day_may_lose_up_to_the_limit() {
        let written = written(&[(1, 1, 40), (1, 1, 10), (1, 2, 50)]);
        assert!(check(&[removed(1, 1, 100), removed(1, 2, 60)], &written, 0.5).is_ok());
        let error = check(&[removed(1, 2, 60), removed(1, 1, 101)], &written, 0.5).expect_err("51 of 101 are lost");
        assert_eq!(error.kind(), ErrorKind::Shrunk);
        assert_eq!(error.message(), "2025-10-01 has 101 rows in the destination and would have 50 of the same kind");
    }

    #[test]
    fn what_one_output_lost_is_not_made_up_for_by_another() {
        let written = written(&[(1, 1, 1_000)]);
        let error = check(&[removed(2, 1, 10), removed(2, 3, 10)], &written, 0.5).expect_err("kind 2 is gone");
        assert!(error.message().ends_with(", and another day would shrink too"), "{error}");
        assert!(check(&[removed(2, 1, 10)], &written, 1.0).is_ok());
    }
}
