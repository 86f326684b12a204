//! What `cargo xtask bench` runs.

use std::process::ExitCode;

use clap::Parser;
use tokaki_tests::bench;
use xtask::chore::say;

/// The benchmark.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
enum Command {
    /// Measure tokaki on generated clusters and write a report
    Bench(Box<bench::Options>),
}

fn main() -> ExitCode {
    let Command::Bench(options) = Command::parse();
    match bench::run(&options) {
        Ok((report, folder)) => {
            say(&report.markdown());
            say(&format!("the report is in {}", folder.display()));
            if report.right { ExitCode::SUCCESS } else { ExitCode::from(bench::WRONG) }
        }
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}
