//! A result looked at day by day, so that a month need not lie in memory as rows: its sums, and whether somebody else's
//! result is the same.

use std::collections::BTreeSet;
use std::path::Path;

use arrow::array::{AsArray, Date32Array, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::compute::kernels::cmp::eq;
use arrow::datatypes::Date32Type;

use super::report::Check;
use super::sums::{InputSums, Totals};
use crate::Result;
use crate::cases::Case;
use crate::compare::differences;
use crate::rows::{Column, Row, files};
use crate::table;

/// Checks the daily summary in the file `actual`, if there is another's in the file `expected` against that as well.
///
/// # Errors
/// A file cannot be read.
pub(super) fn checks(case: &Case, input: &InputSums, actual: &Path, expected: Option<&Path>) -> Result<Vec<Check>> {
    let rows = Days::open(actual)?;
    let mut totals = Totals::default();
    for day in rows.days() {
        totals.add(case, &rows.of(day, &rows.columns)?)?;
    }
    let mut checks = totals.checks(input);
    if let Some(expected) = expected {
        checks.push(same_rows(&Days::open(expected)?, &rows)?);
    }
    Ok(checks)
}

fn same_rows(expected: &Days, actual: &Days) -> Result<Check> {
    let mut wrong = Vec::new();
    for day in expected.days().union(&actual.days()) {
        let columns = &expected.columns;
        wrong.extend(differences(&expected.of(*day, columns)?, &actual.of(*day, columns)?));
    }
    let same = format!(
        "{} rows in {} columns are the same as DuckDB's, matched one to one: measures within 1e-9 relatively (those of \
         unallocated rows within 1e-9 of the node's capacity), everything else exactly",
        expected.batch.num_rows(),
        expected.columns.len()
    );
    wrong.truncate(4);
    Ok(Check::new("same rows as DuckDB", wrong.is_empty(), &same, &wrong.join("; ")))
}

/// A table that is looked at by `usage_start`.
struct Days {
    batch: RecordBatch,
    columns: Vec<Column>,
}

impl Days {
    fn open(file: &Path) -> Result<Self> {
        let days = Self { batch: table::read(file)?, columns: files::columns(file)? };
        days.usage_start().ok_or_else(|| format!("{} has no usage_start of type date", file.display()))?;
        Ok(days)
    }

    fn usage_start(&self) -> Option<&Date32Array> {
        self.batch.column_by_name("usage_start")?.as_primitive_opt::<Date32Type>()
    }

    fn days(&self) -> BTreeSet<i32> {
        self.usage_start().into_iter().flatten().flatten().collect()
    }

    fn of(&self, day: i32, columns: &[Column]) -> Result<Vec<Row>> {
        let usage_start = self.usage_start().ok_or("a table lost its usage_start")?;
        let mask = eq(usage_start, &Date32Array::new_scalar(day))?;
        files::rows(&filter_record_batch(&self.batch, &mask)?, columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::KOKU;

    #[test]
    fn a_result_is_the_same_as_itself_and_not_as_one_with_a_day_less() {
        let open = || Days::open(&Case::of_repository("label-precedence").path(KOKU)).expect("a table");
        let (expected, mut actual) = (open(), open());
        assert!(same_rows(&expected, &actual).expect("a comparison").passed);
        actual.batch = actual.batch.slice(1, actual.batch.num_rows() - 1);
        assert!(!same_rows(&expected, &actual).expect("a comparison").passed);
        assert!(!same_rows(&actual, &expected).expect("a comparison").passed);
    }
}
