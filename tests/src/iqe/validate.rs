//! Scenarios, each run twice in a destination of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use tokaki_core::Semantics;
use xtask::postgres::Server;

use super::bill;
use super::checks;
use super::options::{Options, SemanticsName, SinkName};
use super::outputs::{BILL, OUTPUTS, Output};
use super::report::{Check, Difference, Report, Scenario};
use super::totals::Total;
use crate::cases::{self, Case, SUMMARY};
use crate::command::Tokaki;
use crate::compare::findings;
use crate::destination::{DAILY_SUMMARY, Destination, Sink};
use crate::rows::{Row, files};
use crate::{Result, parallel};

/// Id and subject of the check that tokaki ends well.
pub(super) const RUN: (&str, &str) = ("run", "tokaki ends with exit code 0");
/// Id and subject of the check that a second run changes nothing.
const REPEAT: (&str, &str) = ("repeat", "a second run leaves the same rows, in every table and column");

/// A table's name and all its rows.
type Content = (String, Vec<Row>);

/// Validates the scenarios that `options` ask for.
///
/// # Errors
/// There is no such scenario, no tokaki or no database, or the folder for the results cannot be written.
pub(super) fn all(options: &Options) -> Result<Report> {
    let tokaki = options.command()?;
    let mut cases = cases::in_folder(&options.cases)?;
    cases.retain(|case| options.filter.is_empty() || options.filter.iter().any(|text| case.name().contains(text)));
    if cases.is_empty() {
        return Err(format!("no scenario in {} has a name that --filter asks for", options.cases.display()).into());
    }
    let sink = match options.sink {
        SinkName::Sqlite => Sink::Sqlite,
        SinkName::Parquet => Sink::Parquet,
        SinkName::Postgres => match &options.database_url {
            None => Sink::postgres()?,
            Some(url) => Sink::Postgres { database: Server::at(url)?.create_database()? },
        },
    };
    let jobs: Vec<(Case, Semantics)> = cases
        .into_iter()
        .flat_map(|case| options.semantics.all().iter().map(move |semantics| (case.clone(), *semantics)))
        .collect();
    let scenarios = parallel::map(&jobs, |(case, semantics)| {
        let folder = prepare_folder(options, case, *semantics)?;
        Ok(scenario(&tokaki, &sink, case, *semantics, &folder))
    });
    Report::new(&tokaki, sink.to_string(), scenarios.into_iter().collect::<Result<_>>()?)
}

/// The folder for a scenario's rows, without those of an earlier validation.
fn prepare_folder(options: &Options, case: &Case, semantics: Semantics) -> Result<PathBuf> {
    let mut folder = options.out.join(case.name());
    if options.semantics == SemanticsName::Both && semantics == Semantics::Conserving {
        folder.push(case.semantics_name(semantics));
    }
    empty_folder(&folder)?;
    Ok(folder)
}

/// Makes the folder if need be, and deletes the Parquet files in it.
pub(super) fn empty_folder(folder: &Path) -> Result<()> {
    let fail = |error: std::io::Error| format!("cannot prepare the folder {}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(fail)?;
    for entry in fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.extension().is_some_and(|extension| extension == "parquet") {
            fs::remove_file(&path).map_err(fail)?;
        }
    }
    Ok(())
}

fn scenario(tokaki: &Tokaki, sink: &Sink, case: &Case, semantics: Semantics, folder: &Path) -> Scenario {
    let started = Instant::now();
    let (checks, totals) = match run(tokaki, sink, case, semantics, folder) {
        Ok(done) => done,
        Err(error) => (not_run(case, semantics, &error.to_string()), Vec::new()),
    };
    Scenario {
        name: case.name(),
        semantics: case.semantics_name(semantics),
        seconds: started.elapsed().as_secs_f64(),
        checks,
        totals,
    }
}

fn run(
    tokaki: &Tokaki,
    sink: &Sink,
    case: &Case,
    semantics: Semantics,
    folder: &Path,
) -> Result<(Vec<Check>, Vec<Total>)> {
    let destination = Destination::new(sink)?;
    let mut further = further_aggregators(case, semantics);
    further.extend(case.is_bill().then(|| "--log-format=json".to_owned()));
    let run = || tokaki.run_case_with(&further, case, semantics, &destination)?.require_success();
    let outcome = run()?;
    export(&destination, folder)?;

    let mut checks = vec![Check::passed(RUN)];
    let mut totals = Vec::new();
    for (output, file) in expectations(case, semantics) {
        let columns = files::columns(&file)?;
        let expected = files::read(&file, &columns)?;
        let actual = destination.read(output.table, &columns)?;
        let by_hand = if output.prefix.is_empty() { totals_by_hand(case, semantics)? } else { None };
        let (of_table, totals_of_table) = checks::of_table(output, &expected, &actual, by_hand.as_ref());
        checks.extend(of_table);
        totals.extend(totals_of_table);
    }
    if case.is_bill() {
        checks.push(bill::amounts(case, semantics, &outcome)?);
        checks.push(bill::clusters(tokaki, case)?);
    }
    let before = content(&destination)?;
    run()?;
    checks.push(repeat(&before, &content(&destination)?));
    Ok((checks, totals))
}

/// The tables that the case expects rows of. The daily summary is always one, so that a case without any expectation
/// does not pass.
fn expectations(case: &Case, semantics: Semantics) -> impl Iterator<Item = (&'static Output, PathBuf)> {
    static OF_BILL: [Output; 1] = [BILL];
    let outputs = if case.is_bill() { &OF_BILL[..] } else { &OUTPUTS[..] };
    let files = outputs.iter().map(move |output| (output, (output.expected)(case, semantics)));
    files.filter(|(output, file)| output.prefix.is_empty() || file.exists())
}

/// Enables the aggregators of tables that are not written unless asked for.
fn further_aggregators(case: &Case, semantics: Semantics) -> Vec<String> {
    let outputs: Vec<_> = expectations(case, semantics).map(|(output, _)| output).collect();
    if outputs.len() == 1 {
        return Vec::new();
    }
    let names: Vec<_> = outputs.iter().flat_map(|output| output.aggregators).copied().collect();
    vec!["--aggregators".to_owned(), names.join(",")]
}

/// Leaves one file for each table: the daily summary as `actual.parquet`, others by their names.
fn export(destination: &Destination<'_>, folder: &Path) -> Result<()> {
    for table in destination.tables()? {
        let name = if table == DAILY_SUMMARY { "actual" } else { &table };
        destination.export(&table, &folder.join(format!("{name}.parquet")))?;
    }
    Ok(())
}

/// The totals in `expected/summary.json` of the asked semantics; those of `koku` hold for both if there are no others.
fn totals_by_hand(case: &Case, semantics: Semantics) -> Result<Option<serde_json::Value>> {
    let file = case.path(SUMMARY);
    if !file.exists() {
        return Ok(None);
    }
    let summary: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&file)?).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(summary.get(semantics.to_string()).or_else(|| summary.get("koku")).cloned())
}

fn repeat(before: &[Content], after: &[Content]) -> Check {
    let mut differences = Vec::new();
    for (table, rows) in before {
        let again = after.iter().find(|(name, _)| name == table).map_or(&[][..], |(_, rows)| rows);
        differences.extend(findings(rows, again).iter().map(|finding| Difference {
            table: table.clone(),
            row: finding.to_string(),
            column: None,
            expected: "as after the first run".into(),
            actual: "changed by the second run".into(),
        }));
    }
    Check::of_differences(REPEAT.0.to_owned(), REPEAT.1, differences)
}

fn content(destination: &Destination<'_>) -> Result<Vec<Content>> {
    let rows = |table: String| {
        let rows = destination.read(&table, &destination.columns(&table)?)?;
        Ok((table, rows))
    };
    destination.tables()?.into_iter().map(rows).collect()
}

/// All checks of a scenario that could not be run.
fn not_run(case: &Case, semantics: Semantics, reason: &str) -> Vec<Check> {
    let of_tables = expectations(case, semantics).flat_map(|(output, _)| checks::ids(output));
    let of_bill = [bill::AMOUNTS, bill::CLUSTERS].into_iter().filter(|_| case.is_bill());
    let further = of_bill.chain([REPEAT]).map(|(id, about)| (id.to_owned(), about));
    let skipped = of_tables.chain(further);
    [Check::failed(RUN, reason)].into_iter().chain(skipped.map(|(id, about)| Check::skipped(id, about))).collect()
}
