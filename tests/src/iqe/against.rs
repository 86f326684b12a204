//! One run against the rows that a PostgreSQL table already has: how a site validates before it switches.

use std::time::Instant;

use chrono::{Days, Months, NaiveDate};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::checks;
use super::options::Options;
use super::outputs::OUTPUTS;
use super::report::{Check, Report, Scenario};
use super::validate::{RUN, empty_folder};
use crate::Result;
use crate::destination::{DAILY_SUMMARY, Destination, POSTGRES_TYPES, Sink, wait_for};
use crate::rows::{Column, Row, files, sql};

/// Name of the report's only scenario, and of its folder.
const NAME: &str = "against";

/// Column that no two runs need to agree in.
const ID: &str = "uuid";

/// Runs tokaki over the month into a temporary folder and compares the rows with those of the database at `url`.
///
/// # Errors
/// There is no tokaki, it fails, or the existing rows cannot be read.
pub(super) fn validate(options: &Options, url: &str) -> Result<Report> {
    let missing = "given together with --against, as the command line checks";
    let asked = &options.against;
    let (year, month) = (asked.year.expect(missing), asked.month.expect(missing));
    let (source, schema) = (asked.source.as_deref().expect(missing), asked.schema.as_deref().expect(missing));
    let first = NaiveDate::from_ymd_opt(year, month, 1).ok_or_else(|| format!("{year} is no year"))?;
    let last = first + Months::new(1) - Days::new(1);

    let tokaki = options.command()?;
    let folder = options.out.join(NAME);
    empty_folder(&folder)?;
    let mut scenarios = Vec::new();
    for semantics in options.semantics.all() {
        let started = Instant::now();
        let destination = Destination::new(&Sink::Parquet)?;
        let mut arguments = vec!["run".to_owned(), "--semantics".to_owned(), semantics.to_string()];
        arguments.extend(["--source".to_owned(), source.to_owned()]);
        arguments.extend(["--start-date".to_owned(), first.to_string(), "--end-date".to_owned(), last.to_string()]);
        for (flag, path) in [("--config", &asked.config), ("--case", &asked.case)] {
            arguments.extend(path.iter().flat_map(|path| [flag.to_owned(), path.display().to_string()]));
        }
        arguments.extend(destination.arguments());
        // A site's configuration is right to say that its table must exist, but this destination is new.
        arguments.extend(["--set".to_owned(), "sink.create_missing=true".to_owned()]);
        tokaki.run_here(arguments)?.require_success()?;

        let columns = destination.columns(DAILY_SUMMARY)?;
        let columns: Vec<_> = columns.into_iter().filter(|column| &*column.name != ID).collect();
        let actual = destination.read(DAILY_SUMMARY, &columns)?;
        let existing = wait_for(existing(url, schema, source, first, &columns))?;
        let folder = folder.join(semantics.to_string());
        empty_folder(&folder)?;
        files::write(&folder.join("actual.parquet"), &columns, &actual)?;
        files::write(&folder.join("existing.parquet"), &columns, &existing)?;

        let (of_table, totals) = checks::of_table(&OUTPUTS[0], &existing, &actual, None);
        let checks = [Check::passed(RUN)].into_iter().chain(of_table).collect();
        let seconds = started.elapsed().as_secs_f64();
        scenarios.push(Scenario { name: NAME.to_owned(), semantics: semantics.to_string(), seconds, checks, totals });
    }
    Report::new(&tokaki, Sink::Parquet.to_string(), scenarios)
}

/// The month's rows of the source, without those that tokaki does not write: rows with a cloud cost, and rows of a cost
/// model.
async fn existing(url: &str, schema: &str, source: &str, first: NaiveDate, columns: &[Column]) -> Result<Vec<Row>> {
    let table = format!("\"{}\".{DAILY_SUMMARY}", schema.replace('"', "\"\""));
    let query = format!(
        "{} WHERE source_uuid = CAST($1 AS uuid) \
         AND usage_start >= CAST($2 AS date) AND usage_start < CAST($2 AS date) + INTERVAL '1 month' \
         AND (infrastructure_raw_cost IS NULL OR infrastructure_raw_cost = 0) AND cost_model_rate_type IS NULL",
        sql::query(&table, columns, POSTGRES_TYPES)
    );
    let mut connection =
        PgConnection::connect(url).await.map_err(|error| format!("the database of --against: {error}"))?;
    let query = sqlx::query(AssertSqlSafe(query)).bind(source).bind(first.to_string());
    let answer = query.fetch_all(&mut connection).await.map_err(|error| format!("the table of --against: {error}"))?;
    sql::read(&answer, columns)
}
