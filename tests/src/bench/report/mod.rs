//! What a benchmark has found, for programs and for people.

mod markdown;

use std::fs;
use std::path::Path;

use serde::Serialize;

use super::events::Pieces;
use super::machine::Machine;
use super::measure::Cost;
use super::spread::Spread;
use crate::Result;

/// Version of the JSON report.
pub(super) const VERSION: u32 = 1;

/// A whole benchmark.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Version of this structure.
    pub version: u32,
    /// When it began, RFC 3339.
    pub started: String,
    /// What `tokaki --version` says.
    pub tokaki: String,
    /// Commit that tokaki was built from, if it was built here.
    pub commit: Option<String>,
    /// Version of DuckDB, if it took part.
    pub duckdb: Option<String>,
    /// What was measured on.
    pub machine: Machine,
    /// Whether every check passed.
    pub right: bool,
    /// What was measured.
    pub races: Vec<Race>,
}

/// One scale in one form.
#[derive(Debug, Clone, Serialize)]
pub struct Race {
    /// Size of the input.
    pub scale: String,
    /// `hourly` or `daily`.
    pub form: &'static str,
    /// Hourly pod rows of the input.
    pub pod_rows: u64,
    /// The sink that tokaki wrote to.
    pub sink: String,
    /// Rows that tokaki wrote.
    pub rows_out: u64,
    /// Digest of tokaki's result, of all its tables.
    pub digest: String,
    /// How tokaki's first measured run was cut into pieces.
    pub pieces: Pieces,
    /// Who took part; tokaki is the first.
    pub contenders: Vec<Measurements>,
    /// Whether the result is right.
    pub checks: Vec<Check>,
}

/// All runs of one contender.
#[derive(Debug, Clone, Serialize)]
pub struct Measurements {
    /// Its name.
    pub name: &'static str,
    /// The command of its first measured run.
    pub command: String,
    /// In the order in which they were made.
    pub runs: Vec<Cost>,
}

/// Something that must be true of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked.
    pub name: String,
    /// Whether it is so.
    pub passed: bool,
    /// What was found.
    pub found: String,
}

impl Check {
    /// A check with what to say if it passed and if not.
    pub(super) fn new(name: &str, passed: bool, right: &str, wrong: &str) -> Self {
        Self { name: name.to_owned(), passed, found: if passed { right } else { wrong }.to_owned() }
    }
}

impl Measurements {
    /// CPU seconds.
    pub fn cpu(&self) -> Option<Spread> {
        Spread::of(self.runs.iter().map(Cost::cpu_seconds))
    }

    /// Wall time in seconds.
    pub fn wall(&self) -> Option<Spread> {
        Spread::of(self.runs.iter().map(|cost| cost.wall_seconds))
    }

    /// Peak memory in MiB.
    pub fn memory(&self) -> Option<Spread> {
        let peaks = self.runs.iter().filter_map(|cost| cost.peak_memory_bytes);
        Spread::of(peaks.map(|bytes| bytes as f64 / f64::from(1 << 20)))
    }

    /// Cores kept busy, on average over a run.
    pub fn cores(&self) -> Option<Spread> {
        Spread::of(self.runs.iter().map(|cost| cost.cpu_seconds() / cost.wall_seconds))
    }
}

impl Report {
    /// Writes `report.json` and `report.md` into a folder.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let fail = |error: std::io::Error| format!("cannot write the report to {}: {error}", folder.display());
        fs::create_dir_all(folder).map_err(fail)?;
        fs::write(folder.join("report.json"), serde_json::to_string_pretty(self)?).map_err(fail)?;
        fs::write(folder.join("report.md"), self.markdown()).map_err(fail)?;
        Ok(())
    }

    /// The report for people.
    pub fn markdown(&self) -> String {
        markdown::render(self)
    }
}
