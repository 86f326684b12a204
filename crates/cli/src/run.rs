//! `tokaki run`.

use std::sync::Arc;
use std::time::Instant;

use tokaki_core::pipeline::{EmptyInput, Forecast, Report, Wiring, local};
use tokaki_core::{Error, ErrorKind, Result, Scope};

use crate::args::RunArgs;
use crate::config::Config;
use crate::exit::Exit;
use crate::failure::{Failure, NOTHING_CHANGED};
use crate::report::summary::Summary;
use crate::report::{self, Reporter};
use crate::signals;
use crate::wire::Parts;

const DESTINATION_UNCHANGED: &str = "the destination was not changed";
const DESTINATION_WHOLE: &str =
    "the result was being written: the destination holds either the old rows or all new ones";

/// Carries out a run, or prints its plan, and tells about it. The answer is the code to end with.
///
/// # Errors
/// Whatever went wrong, with what that means for the destination.
pub(crate) async fn run(config: &Config, args: &RunArgs) -> Result<Exit, Failure> {
    let started = Instant::now();
    let reporter = Reporter::new(&config.settings.log, args.quiet);
    let outcome = tokio::select! {
        outcome = carry_out(config, args, &reporter) => outcome.map_err(|error| config.failure(error)),
        stopped = signals::requested() => Err(cancelled(stopped)),
    };
    reporter.end();
    match outcome {
        Ok(Outcome::Planned(forecast, wiring, known)) => {
            report::plan::print(&forecast, &wiring, known, config.settings.log.format);
            Ok(if forecast.quarantined.is_empty() { Exit::Done } else { Exit::Quarantined })
        }
        Ok(Outcome::Done(scope, done)) => {
            if !args.quiet {
                Summary::new(&scope, &done, &reporter, started.elapsed()).print(config.settings.log.format);
            }
            Ok(if done.quarantined.is_empty() { Exit::Done } else { Exit::Quarantined })
        }
        Err(mut failure) => {
            failure.aftermath = Some(match failure.error.kind() {
                ErrorKind::Config | ErrorKind::Absent | ErrorKind::Range => NOTHING_CHANGED,
                ErrorKind::Empty | ErrorKind::Shrunk => NOTHING_CHANGED,
                _ if reporter.is_committing() => DESTINATION_WHOLE,
                ErrorKind::Cancelled => NOTHING_CHANGED,
                _ => DESTINATION_UNCHANGED,
            });
            Err(failure)
        }
    }
}

enum Outcome {
    /// With how many files the cache knows, and how many there are.
    Planned(Forecast, Wiring, Option<(usize, usize)>),
    Done(Scope, Report),
}

async fn carry_out(config: &Config, args: &RunArgs, reporter: &Reporter) -> Result<Outcome> {
    let scope = config.settings.scope()?;
    let mut options = config.settings.options()?;
    if args.case.is_some() && options.empty_input == EmptyInput::Refuse {
        // A case says itself what comes of it, and files without rows are a case too.
        options.empty_input = EmptyInput::AllowNoRows;
    }
    let parts = Parts::build(config, &scope)?;
    let reference = Arc::new(parts.reference.load(&scope).await?);
    let wiring = parts.wire(config, &scope, &reference)?;
    if args.plan {
        let forecast = local::forecast(&scope, &wiring, &options, reporter).await?;
        let known = local::known_files(&forecast.plan, &wiring).await?;
        return Ok(Outcome::Planned(forecast, wiring, known));
    }
    let done = local::run(&scope, &wiring, &options, reporter).await?;
    Ok(Outcome::Done(scope, done))
}

fn cancelled(stopped: std::io::Result<Exit>) -> Failure {
    match stopped {
        Ok(exit) => {
            let mut failure = Failure::from(Error::new(ErrorKind::Cancelled, "stopped from outside"));
            failure.exit = exit;
            failure
        }
        Err(error) => Error::bug(format!("cannot listen to signals: {error}")).into(),
    }
}
