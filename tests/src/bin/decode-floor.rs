//! Decodes the columns that a case's pod rows are made of, and nothing else: what `cargo xtask bench --floor` measures.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use serde_json::json;
use tokaki_tests::Result;
use tokaki_tests::bench::{Form, decode, own_peak_memory};
use tokaki_tests::cases::Case;
use xtask::chore::say;

/// The decode floor: Parquet decoded into Arrow, needed columns only.
#[derive(Debug, Parser)]
struct Options {
    /// Case folder
    #[arg(long, value_name = "DIR")]
    case: PathBuf,
    /// Which tables to decode
    #[arg(long, value_enum, default_value_t = Form::Hourly)]
    form: Form,
    /// Threads that decode
    #[arg(long, value_name = "N", default_value_t = 1)]
    threads: usize,
}

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "what was decoded is this program's output")]
fn run(options: Options) -> Result<()> {
    let decoded = decode(&Case { folder: options.case }, options.form, options.threads)?;
    println!("{}", json!({ "decoded": decoded, "peak_memory_bytes": own_peak_memory() }));
    Ok(())
}
