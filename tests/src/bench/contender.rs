//! Who takes part, and with which command.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::options::Form;
use crate::Result;
use crate::cases::{Case, repository};
use crate::command::Tokaki;
use crate::destination::Destination;
use crate::s3::Server;

/// Threads that the decode floor and DuckDB get: as many as tokaki takes by itself.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// A program that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contender {
    /// What this is about.
    Tokaki,
    /// Parquet decoded into Arrow, and nothing else.
    Floor,
    /// What a user would compare with.
    Duckdb,
}

/// Where the programs are, and how tokaki is to run.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) tokaki: Tokaki,
    pub(super) python: PathBuf,
    pub(super) aggregators: Vec<String>,
    pub(super) set: Vec<String>,
}

/// What a run reads and where it writes.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) case: &'a Case,
    pub(super) form: Form,
    pub(super) destination: &'a Destination<'a>,
    /// The server that has the case's folder, if tokaki is to read from a bucket.
    pub(super) server: Option<&'a Server>,
    /// File for the rows of a contender that has no sinks.
    pub(super) file: &'a Path,
}

impl Contender {
    /// Name in reports.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tokaki => "tokaki",
            Self::Floor => "decode-floor",
            Self::Duckdb => "duckdb",
        }
    }

    /// What to run.
    pub(super) fn command(self, programs: &Programs, job: Job<'_>) -> Result<Command> {
        let case = std::path::absolute(&job.case.folder)?;
        let threads = threads().to_string();
        Ok(match self {
            Self::Tokaki => programs.tokaki_command(job, &[])?,
            Self::Floor => {
                let mut command = Command::new(std::env::current_exe()?.with_file_name("decode-floor"));
                command.arg("--case").arg(case).args(["--form", job.form.name(), "--threads", &threads]);
                command
            }
            Self::Duckdb => {
                let mut command = Command::new(&programs.python);
                command.arg(repository("bench/duckdb_summary.py")).arg("--case").arg(case);
                command.args(["--form", job.form.name(), "--threads", &threads]).arg("--out").arg(job.file);
                command
            }
        })
    }
}

impl Programs {
    /// tokaki with these settings besides those of the command line.
    pub(super) fn tokaki_command(&self, job: Job<'_>, further: &[String]) -> Result<Command> {
        let case = std::path::absolute(&job.case.folder)?.display().to_string();
        let mut arguments = ["run", "--case", &case, "--log-format", "json"].map(str::to_owned).to_vec();
        arguments.extend(["--aggregators".to_owned(), self.aggregators.join(",")]);
        arguments.extend(job.destination.arguments());
        let mut settings = vec![format!("reader.pods={}", job.form.name())];
        // The folders in a case are the server's buckets.
        settings.extend(job.server.map(|_| "store.url=s3://input".to_owned()));
        for setting in settings.iter().chain(&self.set).chain(further) {
            arguments.extend(["--set".to_owned(), setting.clone()]);
        }
        let mut command = self.tokaki.command(&arguments);
        // How long to wait, and for how often to try, is for tests of faults.
        let variables = job.server.map(Server::variables).unwrap_or_default();
        command.envs(variables.into_iter().filter(|(name, _)| !name.ends_with("SECONDS") && !name.ends_with("_MS")));
        Ok(command)
    }
}

/// The command as one would type it, without the database's URL, which may hold a password.
pub(super) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let shown = words.map(|word| match word.to_string_lossy() {
        word if word.starts_with("postgres") => "postgresql://…".to_owned(),
        word => word.into_owned(),
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_without_a_password() {
        let mut command = Command::new("tokaki");
        command.args(["run", "--sink", "postgresql://tokaki:hunter2@localhost/db"]);
        assert_eq!(shown(&command), "tokaki run --sink postgresql://…");
    }
}
