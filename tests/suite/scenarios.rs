//! Every case gives its expected rows, in every sink and both semantics.

use crate::support::cases::{self, CONSERVING, Case, KOKU};
use crate::support::compare::differences;
use crate::support::destination::{Destination, Sink};
use crate::support::table;
use crate::support::{Result, parallel, tokaki};

#[test]
fn koku_rows_in_sqlite() {
    check_all(Sink::Sqlite, "koku");
}

#[test]
fn koku_rows_in_parquet() {
    check_all(Sink::Parquet, "koku");
}

#[test]
fn koku_rows_in_postgres() {
    check_all(Sink::Postgres, "koku");
}

#[test]
fn conserving_rows_in_sqlite() {
    check_all(Sink::Sqlite, "conserving");
}

#[test]
fn conserving_rows_in_parquet() {
    check_all(Sink::Parquet, "conserving");
}

#[test]
fn conserving_rows_in_postgres() {
    check_all(Sink::Postgres, "conserving");
}

fn check_all(sink: Sink, semantics: &str) {
    let cases = cases::good();
    let failures = parallel::map(&cases, |case| {
        let differences = check(case, sink, semantics).unwrap_or_else(|error| vec![error.to_string()]);
        differences.into_iter().map(|difference| format!("{}: {difference}\n", case.name())).collect::<String>()
    });
    let failed = failures.iter().filter(|failure| !failure.is_empty()).count();
    assert!(failed == 0, "{failed} of {} cases failed:\n{}", cases.len(), failures.concat());
}

fn check(case: &Case, sink: Sink, semantics: &str) -> Result<Vec<String>> {
    // Most inputs are such that the two semantics agree; those cases have one file.
    let conserving = case.path(CONSERVING);
    let file = if semantics == "conserving" && conserving.exists() { conserving } else { case.path(KOKU) };
    let columns = table::columns(&file)?;
    let expected = table::of_parquet(&file, &columns)?;

    let destination = Destination::new(sink)?;
    let outcome = tokaki::run_case(case, semantics, &destination)?;
    if outcome.code != Some(0) {
        return Err(format!("exit code {:?}\n{}{}", outcome.code, outcome.stdout, outcome.stderr).into());
    }

    let actual = destination.read(&columns)?;
    Ok(differences(&expected, &actual))
}
