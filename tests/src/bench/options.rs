//! The command line.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::scale::Scale;
use crate::iqe::SinkName;

const MORE: &str = "\
What is measured, per scale and form, in turns: wall time, CPU seconds (user + system), peak memory. The result is
validated: its sums are those of the input as pyarrow reads it, and --vs duckdb compares it row by row.

Data is generated once into target/bench/data. Python with pyarrow, numpy and duckdb is installed into
target/bench/venv unless --python or TOKAKI_BENCH_PYTHON names one.

Exit codes:
    0  measured, and every result is right
    1  the benchmark could not be carried out
    2  wrong usage of the command line
    4  a result is wrong";

/// Measures tokaki on generated clusters and writes a report.
#[derive(Debug, Args)]
#[command(after_help = MORE)]
pub struct Options {
    /// Sizes of the input, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAME,…", default_value = "small")]
    pub scale: Vec<ScaleName>,
    /// Which tables daily rows are made of
    #[arg(long, value_enum, default_value_t = FormName::Hourly)]
    pub form: FormName,
    /// Measured runs of each contender, after one that warms up and is validated
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: u32,
    /// Measure this as well, on the same data, and prove that the results are equal
    #[arg(long, value_enum)]
    pub vs: Option<Competitor>,
    /// Measure the decode floor as well: Parquet decoded into Arrow, needed columns only, nothing else
    #[arg(long)]
    pub floor: bool,
    /// Check that workers, chunk sizes, file order and other partitions do not change a byte
    #[arg(long)]
    pub laws: bool,
    /// Let tokaki read the data from a bucket: an S3 server in this program, real protocol and signatures
    #[arg(long)]
    pub s3: bool,
    /// Sink to run with
    #[arg(long, value_enum, default_value_t = SinkName::Parquet)]
    pub sink: SinkName,
    /// Aggregators to run, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "NAME,…", default_value = "pod,unallocated")]
    pub aggregators: Vec<String>,
    /// One setting for tokaki, for instance --set run.workers=1 (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Python that has pyarrow, numpy and duckdb [default: $TOKAKI_BENCH_PYTHON, else one is installed]
    #[arg(long, value_name = "FILE")]
    pub python: Option<PathBuf>,
    /// Script that generates the data [default: our own]
    #[arg(long, value_name = "FILE")]
    pub generator: Option<PathBuf>,
    /// The command to run [default: tokaki beside this program]
    #[arg(long, value_name = "FILE")]
    pub tokaki: Option<PathBuf>,
    /// Folder for the report [default: target/bench/report/TIME]
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
}

/// Names of the scales.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScaleName {
    /// 22 thousand hourly pod rows.
    Small,
    /// 100 thousand.
    Medium,
    /// 250 thousand.
    Large,
    /// 500 thousand.
    Xlarge,
    /// A million.
    ProdMedium,
    /// 7.4 million: 10,000 pods for a month.
    #[value(name = "month-10k")]
    Month10k,
    /// Each of them.
    All,
}

/// Names of the forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormName {
    /// Daily rows are derived from hourly ones.
    Hourly,
    /// Koku's daily tables, and hourly capacity.
    Daily,
    /// Each of them.
    Both,
}

/// What tokaki can be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Competitor {
    /// DuckDB, through its Python package.
    Duckdb,
}

/// Which tables daily rows are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Hourly ones.
    Hourly,
    /// Daily ones, and hourly capacity.
    Daily,
}

impl Form {
    /// As `reader.pods` and the scripts call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hourly => "hourly",
            Self::Daily => "daily",
        }
    }
}

impl Options {
    /// The scales that are meant, each once.
    pub(super) fn scales(&self) -> Vec<Scale> {
        Scale::ALL.into_iter().filter(|scale| self.scale.iter().any(|name| scale.is_meant_by(*name))).collect()
    }

    /// The forms that are meant.
    pub(super) fn forms(&self) -> &'static [Form] {
        match self.form {
            FormName::Hourly => &[Form::Hourly],
            FormName::Daily => &[Form::Daily],
            FormName::Both => &[Form::Hourly, Form::Daily],
        }
    }
}
