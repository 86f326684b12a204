//! A run on bad input says what is wrong and where, and leaves the destination as it was.

use std::fs;

use tokaki_core::Semantics;
use tokaki_tests::cases::{self, Case, ERROR, KOKU};
use tokaki_tests::command::Outcome;
use tokaki_tests::destination::{DAILY_SUMMARY, Destination, Sink};
use tokaki_tests::rows::{self, Column, Kind, Row};
use tokaki_tests::{Result, parallel};

use crate::support::tokaki;

/// What is in the destination before: the rows of this case.
const BEFORE: &str = "two-pods-one-node-one-pvc";

#[test]
fn sqlite_is_left_as_it_was() {
    check_all(&Sink::Sqlite);
}

#[test]
fn parquet_is_left_as_it_was() {
    check_all(&Sink::Parquet);
}

#[test]
fn postgres_is_left_as_it_was() {
    check_all(&Sink::postgres().expect("a database"));
}

fn check_all(sink: &Sink) {
    let failures = parallel::map(&cases::bad().expect("cases"), |case| match check(case, sink) {
        Ok(()) => String::new(),
        Err(error) => format!("{}: {error}\n", case.name()),
    });
    let failures = failures.concat();
    assert!(failures.is_empty(), "bad input into {sink}:\n{failures}");
}

fn check(case: &Case, sink: &Sink) -> Result<()> {
    let before = Case::of_repository(BEFORE);
    let mut columns = rows::files::columns(&before.path(KOKU))?;
    columns.push(Column { name: "uuid".into(), kind: Kind::Text });
    let destination = Destination::new(sink)?;
    tokaki::run_case(&before, Semantics::Koku, &destination)?.require_success()?;
    let rows_before = content(&destination, &columns)?;

    for semantics in [Semantics::Koku, Semantics::Conserving] {
        let outcome = tokaki::run_case(case, semantics, &destination)?;
        let complaints = complaints(case, &outcome)?;
        if !complaints.is_empty() {
            return Err(format!("{semantics}: {}; the message was:\n{}", complaints.join(", "), outcome.stderr).into());
        }
        if content(&destination, &columns)? != rows_before {
            return Err(format!("{semantics}: the destination has changed").into());
        }
    }
    Ok(())
}

/// All rows in an order that does not depend on the sink.
fn content(destination: &Destination<'_>, columns: &[Column]) -> Result<Vec<Row>> {
    let mut rows = destination.read(DAILY_SUMMARY, columns)?;
    rows.sort_by_cached_key(|row| format!("{row:?}"));
    Ok(rows)
}

/// What the exit code and the message lack of what `error.json` asks for.
fn complaints(case: &Case, outcome: &Outcome) -> Result<Vec<String>> {
    let error: serde_json::Value = serde_json::from_str(&fs::read_to_string(case.path(ERROR))?)?;
    // What the user asked for can be corrected in the command; everything else is in the files.
    let code = if error["kind"] == "range" { 10 } else { 12 };
    let mut complaints = Vec::new();
    if outcome.code != Some(code) {
        complaints.push(format!("expected exit code {code}, found {:?}", outcome.code));
    }
    for part in ["file", "column"] {
        if let Some(name) = error[part].as_str()
            && !outcome.stderr.contains(name)
        {
            complaints.push(format!("the {part} {name} is not named"));
        }
    }
    Ok(complaints)
}
