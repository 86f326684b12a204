//! Expected rows of a new scenario: what tokaki writes now, for somebody to check.

use std::fs;

use tokaki_core::Semantics;

use crate::Result;
use crate::cases::{CONSERVING, Case, KOKU};
use crate::command::Tokaki;
use crate::compare::findings;
use crate::destination::{DAILY_SUMMARY, Destination, Sink};
use crate::rows::{Column, Row, files};

/// Writes `expected/koku.parquet`, and `expected/conserving.parquet` where that is different; returns the former's rows.
pub(super) fn write(tokaki: &Tokaki, case: &Case) -> Result<Vec<Row>> {
    fs::create_dir_all(case.path("expected"))?;
    let (columns, koku) = rows(tokaki, case, Semantics::Koku)?;
    files::write(&case.path(KOKU), &columns, &koku)?;
    let (columns, conserving) = rows(tokaki, case, Semantics::Conserving)?;
    if !findings(&koku, &conserving).is_empty() {
        files::write(&case.path(CONSERVING), &columns, &conserving)?;
    } else if case.path(CONSERVING).exists() {
        fs::remove_file(case.path(CONSERVING))?;
    }
    Ok(koku)
}

/// What a run writes, without the rows' own ids.
fn rows(tokaki: &Tokaki, case: &Case, semantics: Semantics) -> Result<(Vec<Column>, Vec<Row>)> {
    let destination = Destination::new(&Sink::Parquet)?;
    tokaki.run_case(case, semantics, &destination)?.require_success()?;
    let columns = destination.columns(DAILY_SUMMARY)?;
    let columns: Vec<_> = columns.into_iter().filter(|column| &*column.name != "uuid").collect();
    let rows = destination.read(DAILY_SUMMARY, &columns)?;
    Ok((columns, rows))
}
