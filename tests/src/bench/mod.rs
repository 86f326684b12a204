//! `cargo xtask bench`: how fast tokaki is, beside what, and whether its results are right.

mod contender;
mod digest;
mod events;
mod floor;
mod laws;
mod machine;
mod measure;
mod options;
mod proof;
mod python;
mod report;
mod scale;
mod spread;
mod sums;

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{SecondsFormat, Utc};
use serde::Deserialize;
use xtask::chore::{output, say};

pub use floor::decode;
pub use measure::own_peak_memory;
pub use options::{Form, FormName, Options};
pub use report::Report;

use self::contender::{Contender, Job, Programs, shown};
use self::events::Pieces;
use self::machine::Machine;
use self::measure::{Measured, measure};
use self::options::Competitor;
use self::report::{Check, Measurements, Race};
use self::scale::{Scale, pod_rows};
use self::sums::InputSums;
use crate::Result;
use crate::cases::{Case, repository};
use crate::command::Tokaki;
use crate::destination::{DAILY_SUMMARY, Destination, Sink};
use crate::iqe::SinkName;
use crate::s3::Server;

/// The code that the command ends with if a result is wrong.
pub const WRONG: u8 = 4;

/// What DuckDB's script computes, so what is compared with it.
const COMPARED: [&str; 2] = ["pod", "unallocated"];

/// Where data, Python and reports are kept.
const FOLDER: &str = "target/bench";

/// Measures what `options` ask for, and writes the report.
///
/// # Errors
/// Something keeps the benchmark from being carried out. That a result is wrong is no error but a finding of the report.
pub fn run(options: &Options) -> Result<(Report, PathBuf)> {
    let bench = Bench::new(options)?;
    let started = Utc::now();
    let mut races = Vec::new();
    for scale in options.scales() {
        let case = scale.data(&bench.folder.join("data"), &bench.programs.python, &bench.generator)?;
        let input = InputSums::read(&case, &bench.programs.python)?;
        for form in options.forms() {
            races.push(bench.race(scale, *form, &case, &input)?);
        }
    }
    let duckdb = options.vs.and_then(|_| bench.duckdb_version());
    let report = Report {
        version: report::VERSION,
        started: started.to_rfc3339_opts(SecondsFormat::Secs, true),
        tokaki: output(&bench.programs.tokaki.binary().display().to_string(), &["--version"])
            .ok_or("`tokaki --version` failed")?,
        // A command from elsewhere may be of any commit.
        commit: match &options.tokaki {
            Some(_) => None,
            None => output("git", &["rev-parse", "--short", "HEAD"]),
        },
        duckdb,
        machine: Machine::here(),
        right: races.iter().flat_map(|race: &Race| &race.checks).all(|check| check.passed),
        races,
    };
    let folder = options
        .report
        .clone()
        .unwrap_or_else(|| bench.folder.join("report").join(started.format("%Y-%m-%dT%H-%M-%S").to_string()));
    report.write(&folder)?;
    Ok((report, folder))
}

/// A benchmark that can begin.
struct Bench<'a> {
    options: &'a Options,
    programs: Programs,
    generator: PathBuf,
    folder: PathBuf,
    sink: Sink,
}

/// What is measured, and where.
#[derive(Clone, Copy)]
struct Place<'a> {
    case: &'a Case,
    form: Form,
    server: Option<&'a Server>,
    /// Folder for files of the race.
    scratch: &'a Path,
}

/// The end of a run in tokaki's own words.
#[derive(Debug, Deserialize)]
struct Done {
    rows_out: u64,
}

impl<'a> Bench<'a> {
    fn new(options: &'a Options) -> Result<Self> {
        let asked: Vec<&str> = options.aggregators.iter().map(String::as_str).collect();
        if !asked.contains(&"pod") {
            return Err("results are validated by their pod rows: --aggregators must have pod".into());
        }
        if options.vs.is_some() && !(asked.len() == 2 && COMPARED.iter().all(|name| asked.contains(name))) {
            return Err(format!("--vs duckdb compares --aggregators {}", COMPARED.join(",")).into());
        }
        let folder = PathBuf::from(FOLDER);
        fs::create_dir_all(folder.join("data"))?;
        let given = options.python.clone().or_else(|| std::env::var_os("TOKAKI_BENCH_PYTHON").map(PathBuf::from));
        Ok(Self {
            options,
            programs: Programs {
                tokaki: Tokaki::given_or_beside(options.tokaki.as_deref())?,
                python: python::find(given.as_deref(), &folder.join("venv"))?,
                aggregators: options.aggregators.clone(),
                set: options.set.clone(),
            },
            generator: options.generator.clone().unwrap_or_else(|| repository("bench/gen_bench.py")),
            folder,
            sink: match options.sink {
                SinkName::Sqlite => Sink::Sqlite,
                SinkName::Parquet => Sink::Parquet,
                SinkName::Postgres => Sink::postgres()?,
            },
        })
    }

    fn contenders(&self) -> Vec<Contender> {
        let floor = self.options.floor.then_some(Contender::Floor);
        let competitor = self.options.vs.map(|Competitor::Duckdb| Contender::Duckdb);
        [Some(Contender::Tokaki), floor, competitor].into_iter().flatten().collect()
    }

    /// One scale in one form: a round that warms up and is validated, then the measured ones.
    fn race(&self, scale: Scale, form: Form, case: &Case, input: &InputSums) -> Result<Race> {
        say(&format!("{scale}, {}: validating", form.name()));
        let scratch = tempfile::tempdir()?;
        let contenders = self.contenders();
        let server = self.options.s3.then(|| Server::start(&std::path::absolute(&case.folder)?)).transpose()?;
        let place = Place { case, form, server: server.as_ref(), scratch: scratch.path() };
        let (digest, rows_out, mut checks) = self.validate(&contenders, place, input)?;
        if self.options.laws {
            checks.extend(laws::checks(&self.programs, case, form, &self.folder.join("laws"))?);
        }
        let mut measurements: Vec<Measurements> = contenders
            .iter()
            .map(|contender| Measurements { name: contender.name(), command: String::new(), runs: Vec::new() })
            .collect();
        let mut pieces = None;
        let mut other_digests = 0;
        for round in 1..=self.options.runs {
            say(&format!("{scale}, {}: round {round} of {}", form.name(), self.options.runs));
            for (contender, measurements) in contenders.iter().zip(&mut measurements) {
                let destination = Destination::new(&self.sink)?;
                let (command, measured) = self.run_once(*contender, place, &destination)?;
                measurements.runs.push(measured.cost);
                if measurements.command.is_empty() {
                    measurements.command = command;
                }
                if *contender == Contender::Tokaki {
                    pieces.get_or_insert_with(|| events::pieces(&measured.stderr));
                    other_digests += usize::from(digest::of(&destination)? != digest);
                }
            }
        }
        let always = format!("{} runs gave the same", self.options.runs);
        checks.push(Check::new("digest", other_digests == 0, &always, &format!("{other_digests} runs gave another")));
        Ok(Race {
            scale: scale.to_string(),
            form: form.name(),
            pod_rows: pod_rows(case)?,
            sink: self.sink.to_string(),
            rows_out,
            digest,
            pieces: pieces.unwrap_or_else(Pieces::default),
            contenders: measurements,
            checks,
        })
    }

    /// Digest, number of rows and checks of a first run of all contenders, which also fills the page cache.
    fn validate(
        &self,
        contenders: &[Contender],
        place: Place<'_>,
        input: &InputSums,
    ) -> Result<(String, u64, Vec<Check>)> {
        let destination = Destination::new(&self.sink)?;
        let mut done = None;
        for contender in contenders {
            let (_, measured) = self.run_once(*contender, place, &destination)?;
            if *contender == Contender::Tokaki {
                done = measured.stdout.lines().last().map(serde_json::from_str::<Done>).transpose()?;
            }
        }
        let rows_out = done.ok_or("tokaki did not say what it has done")?.rows_out;
        let actual = place.scratch.join("actual.parquet");
        destination.export(DAILY_SUMMARY, &actual)?;
        let theirs = place.scratch.join(THEIRS);
        let expected = contenders.contains(&Contender::Duckdb).then_some(theirs.as_path());
        Ok((digest::of(&destination)?, rows_out, proof::checks(place.case, input, &actual, expected)?))
    }

    /// One run, and the command as one would type it.
    fn run_once(
        &self,
        contender: Contender,
        Place { case, form, server, scratch }: Place<'_>,
        destination: &Destination<'_>,
    ) -> Result<(String, Measured)> {
        let file = scratch.join(THEIRS);
        let job = Job { case, form, destination, server, file: &file };
        let mut command = contender.command(&self.programs, job)?;
        let measured = measure(&mut command)?;
        Ok((shown(&command), measured))
    }

    fn duckdb_version(&self) -> Option<String> {
        output(&self.programs.python.display().to_string(), &["-c", "import duckdb; print(duckdb.__version__)"])
    }
}

/// Name of the file that DuckDB writes.
const THEIRS: &str = "duckdb.parquet";
