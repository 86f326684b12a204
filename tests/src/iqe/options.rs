//! The command line.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tokaki_core::Semantics;

use crate::Result;
use crate::cases::repository;
use crate::command::Tokaki;

const EXIT_CODES: &str = "\
Exit codes:
    0  everything is as expected
    1  the validation could not be carried out
    2  wrong usage of the command line
    4  something is not as expected";

/// Runs tokaki on scenarios and compares what it writes with what is expected.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct Options {
    /// Folder of scenarios
    #[arg(long, value_name = "DIR", default_value_os_t = repository("scenarios"))]
    pub cases: PathBuf,
    /// Sink to run with
    #[arg(long, value_enum, default_value_t = SinkName::Sqlite)]
    pub sink: SinkName,
    /// How joins are counted
    #[arg(long, value_enum, default_value_t = SemanticsName::Koku)]
    pub semantics: SemanticsName,
    /// Only scenarios whose name contains this text (repeatable)
    #[arg(long, value_name = "TEXT")]
    pub filter: Vec<String>,
    /// Folder for the reports and for the rows that were written
    #[arg(long, value_name = "DIR", default_value = "target/iqe")]
    pub out: PathBuf,
    /// PostgreSQL server for --sink postgres, as a user who may create databases [default: one is started]
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// The command to run [default: tokaki beside this program]
    #[arg(long, value_name = "FILE")]
    pub tokaki: Option<PathBuf>,
    /// Comparison with a table that exists already.
    #[command(flatten)]
    pub against: AgainstOptions,
}

/// Comparison with a table that exists already.
#[derive(Debug, Args)]
#[command(next_help_heading = "Compare with an existing table")]
pub struct AgainstOptions {
    /// Compare one run with the rows that this PostgreSQL database already has
    #[arg(long = "against", value_name = "URL", requires_all = ["schema", "source", "year", "month", "configured_by"])]
    pub url: Option<String>,
    /// Schema of the existing table
    #[arg(long, requires = "url")]
    pub schema: Option<String>,
    /// Provider uuid of the source
    #[arg(long, value_name = "UUID", requires = "url")]
    pub source: Option<String>,
    /// Year of the rows
    #[arg(long, requires = "url")]
    pub year: Option<i32>,
    /// Month of the rows, 1 to 12
    #[arg(long, requires = "url", value_parser = clap::value_parser!(u32).range(1..=12))]
    pub month: Option<u32>,
    /// Configuration of the run; its sink is not used
    #[arg(long, value_name = "FILE", requires = "url", group = "configured_by")]
    pub config: Option<PathBuf>,
    /// Case folder instead of a configuration
    #[arg(long, value_name = "DIR", requires = "url", group = "configured_by")]
    pub case: Option<PathBuf>,
}

/// Names of the sinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SinkName {
    /// A file.
    Sqlite,
    /// Tables of a database.
    Postgres,
    /// A file for each table.
    Parquet,
}

/// Names of the semantics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SemanticsName {
    /// As Koku counts; as Koku attributes a bill.
    #[value(alias = "parity")]
    Koku,
    /// No join changes a sum; a bill is attributed without Koku's traps.
    #[value(alias = "corrected")]
    Conserving,
    /// Each of them.
    Both,
}

impl SemanticsName {
    /// The semantics that are meant.
    pub(super) fn all(self) -> &'static [Semantics] {
        match self {
            Self::Koku => &[Semantics::Koku],
            Self::Conserving => &[Semantics::Conserving],
            Self::Both => &[Semantics::Koku, Semantics::Conserving],
        }
    }
}

impl Options {
    /// The command to run.
    pub(super) fn command(&self) -> Result<Tokaki> {
        Tokaki::given_or_beside(self.tokaki.as_deref())
    }
}
