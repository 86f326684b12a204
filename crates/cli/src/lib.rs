//! The `tokaki` command as a library.
//!
//! A binary with plugins of its own names their crates and calls [`main`]:
//!
//! ```no_run
//! // use my_plugins as _;
//! fn main() -> std::process::ExitCode {
//!     tokaki_cli::main()
//! }
//! ```
//!
//! The command ends with one of the codes of [`exit`].

mod args;
mod config;
mod convert;
pub mod exit;
mod failure;
#[cfg(test)]
mod fake;
mod files;
mod fingerprint;
mod memory;
mod panics;
mod plugins;
mod plugins_cmd;
mod plugins_manual;
mod report;
mod run;
mod signals;
mod wire;

use std::process::ExitCode;
use std::time::Duration;

use chrono::NaiveDate;
use tokaki_core::{DateRange, Error, ErrorKind, Scope};

use args::{Cli, Command, ConfigCommand, PluginsCommand};
use config::environment::Environment;
use config::settings::LogFormat;
use config::{Config, Sources};
use exit::Exit;
use failure::Failure;

/// Runs the command that this process was started with.
pub fn main() -> ExitCode {
    memory::share_pools();
    let cli = Cli::from_process();
    panics::remember();
    let mut format = LogFormat::default();
    let outcome = panics::caught(|| dispatch(&cli, &mut format));
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => {
            report::error::print(&failure, format);
            failure.exit.into()
        }
    }
}

/// `format` is what errors are written in, as soon as it is known.
fn dispatch(cli: &Cli, format: &mut LogFormat) -> Result<Exit, Failure> {
    match &cli.command {
        Command::Run(args) => {
            let config = load(cli, format).map_err(Failure::before_the_run)?;
            report::log::start(&config.settings.log, args.quiet);
            // The runtime itself opens some.
            files::fetches(files::take_what_is_allowed()).map_err(|error| Failure::before_the_run(error.into()))?;
            return on_runtime(run::run(&config, args));
        }
        Command::Convert(args) => {
            *format = sources(cli)?.log_format();
            on_runtime(convert::run(args, *format))?;
        }
        Command::Config(ConfigCommand::Show { .. }) => {
            let config = load(cli, format)?;
            on_runtime(check_plugins(&config))?;
            report::stdout(&config::show(&config));
        }
        Command::Config(ConfigCommand::Schema) => {
            report::stdout(&format!("{:#}\n", config::schema::of_everything()));
        }
        Command::Config(ConfigCommand::Init(args)) => {
            report::stdout(&config::init(args)?);
        }
        Command::Plugins(PluginsCommand::Manual) => {
            report::stdout(&plugins_manual::manual());
        }
        Command::Plugins(PluginsCommand::List) => {
            report::stdout(&plugins_cmd::list());
        }
        Command::Plugins(PluginsCommand::Show { name }) => {
            report::stdout(&plugins_cmd::show(name)?);
        }
    }
    Ok(Exit::Done)
}

fn sources(cli: &Cli) -> Result<Sources, Failure> {
    Ok(Sources {
        case: cli.case().cloned(),
        file: cli.config.config.clone(),
        environment: Environment::of_process()?,
        flags: cli.settings(),
    })
}

fn load(cli: &Cli, format: &mut LogFormat) -> Result<Config, Failure> {
    let sources = sources(cli)?;
    *format = sources.log_format();
    let config = Config::load(&sources)?;
    *format = config.settings.log.format;
    Ok(config)
}

/// Builds the plugins only to have their settings checked. That a folder is missing is no fault of a configuration that
/// is only looked at, and days need not be set yet.
async fn check_plugins(config: &Config) -> Result<(), Failure> {
    let any_day = DateRange::new(NaiveDate::default(), NaiveDate::default());
    let any_scope = || Ok::<_, Error>(Scope { org: String::new(), source_uuid: String::new(), days: any_day? });
    let scope = config.settings.scope().or_else(|_| any_scope())?;
    match wire::Parts::build(config, &scope) {
        Err(error) if error.kind() == ErrorKind::Config => Err(config.failure(error)),
        _ => Ok(()),
    }
}

/// Plugins may open connections as soon as they are built, so that happens on the runtime as well.
fn on_runtime<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    /// What a dropped run may take to roll back and close.
    const CLEAN_UP: Duration = Duration::from_secs(2);
    // Everything that computes has threads of its own; what is left only waits.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::bug(format!("cannot start the async runtime: {error}")))?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_timeout(CLEAN_UP);
    outcome
}
