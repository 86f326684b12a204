//! Every case gives its expected rows, in every sink and both semantics.

use tokaki_core::Semantics::{self, Conserving, Koku};
use tokaki_tests::cases::{self, Case};
use tokaki_tests::compare::differences;
use tokaki_tests::destination::{DAILY_SUMMARY, Destination, Sink};
use tokaki_tests::{Result, parallel, rows};

use crate::support::tokaki;

#[test]
fn koku_rows_in_sqlite() {
    check_all(&Sink::Sqlite, Koku);
}

#[test]
fn koku_rows_in_parquet() {
    check_all(&Sink::Parquet, Koku);
}

#[test]
fn koku_rows_in_postgres() {
    check_all(&Sink::postgres().expect("a database"), Koku);
}

#[test]
fn conserving_rows_in_sqlite() {
    check_all(&Sink::Sqlite, Conserving);
}

#[test]
fn conserving_rows_in_parquet() {
    check_all(&Sink::Parquet, Conserving);
}

#[test]
fn conserving_rows_in_postgres() {
    check_all(&Sink::postgres().expect("a database"), Conserving);
}

fn check_all(sink: &Sink, semantics: Semantics) {
    let cases = cases::good().expect("cases");
    let failures = parallel::map(&cases, |case| {
        let differences = check(case, sink, semantics).unwrap_or_else(|error| vec![error.to_string()]);
        differences.into_iter().map(|difference| format!("{}: {difference}\n", case.name())).collect::<String>()
    });
    let failed = failures.iter().filter(|failure| !failure.is_empty()).count();
    assert!(failed == 0, "{failed} of {} cases failed:\n{}", cases.len(), failures.concat());
}

fn check(case: &Case, sink: &Sink, semantics: Semantics) -> Result<Vec<String>> {
    let file = case.expected_rows(semantics);
    let columns = rows::files::columns(&file)?;
    let expected = rows::files::read(&file, &columns)?;

    let destination = Destination::new(sink)?;
    tokaki::run_case(case, semantics, &destination)?.require_success()?;
    Ok(differences(&expected, &destination.read(DAILY_SUMMARY, &columns)?))
}
