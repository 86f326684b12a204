//! What `cargo xtask iqe` and `cargo xtask scenario` run.

use std::process::ExitCode;

use clap::Parser;
use tokaki_tests::{Result, iqe, scenario};
use xtask::chore::say;

/// Tools of quality engineering.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
enum Qe {
    /// Run tokaki on scenarios and compare what it writes with what is expected
    Iqe(Box<iqe::Options>),
    /// Make scenarios
    Scenario(scenario::Options),
}

fn main() -> ExitCode {
    let outcome = match Qe::parse() {
        Qe::Iqe(options) => validate(&options),
        Qe::Scenario(options) => scenario::run(&options).map(|done| {
            say(&done);
            ExitCode::SUCCESS
        }),
    };
    outcome.unwrap_or_else(|error| {
        say(&format!("error: {error}"));
        ExitCode::FAILURE
    })
}

fn validate(options: &iqe::Options) -> Result<ExitCode> {
    let report = iqe::run(options)?;
    say(&report.in_short());
    say(&format!("reports and rows are in {}", options.out.display()));
    Ok(if report.agrees { ExitCode::SUCCESS } else { ExitCode::from(iqe::DIFFERENCES) })
}
