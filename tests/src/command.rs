//! The tokaki command, run as a user would.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tokaki_core::Semantics;

use crate::Result;
use crate::cases::Case;
use crate::destination::Destination;

/// Beginnings of the variables that tokaki reads.
const FOREIGN: [&str; 6] = ["TOKAKI_", "PG", "AWS_", "S3_", "DATABASE_", "REQUESTED_BUCKET"];

/// The built command.
#[derive(Debug, Clone)]
pub struct Tokaki {
    binary: PathBuf,
}

/// How a run of the command ended.
#[derive(Debug)]
pub struct Outcome {
    /// Exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Outcome {
    /// Refuses any exit code but 0.
    ///
    /// # Errors
    /// The code and all that the command said.
    pub fn require_success(self) -> Result<Self> {
        match self.code {
            Some(0) => Ok(self),
            Some(code) => Err(format!("exit code {code}\n{}{}", self.stdout, self.stderr).into()),
            None => Err(format!("ended by a signal\n{}{}", self.stdout, self.stderr).into()),
        }
    }
}

impl Tokaki {
    /// The command that the file `binary` is.
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        Self { binary: binary.into() }
    }

    /// The command in the file `given`, else the one beside this program.
    ///
    /// # Errors
    /// There is none.
    pub fn given_or_beside(given: Option<&Path>) -> Result<Self> {
        let binary = match given {
            Some(binary) => std::path::absolute(binary)?,
            None => std::env::current_exe()?.with_file_name("tokaki"),
        };
        if binary.is_file() {
            Ok(Self::new(binary))
        } else {
            let shown = binary.display();
            Err(format!("{shown} does not exist: build it with `cargo build`, or name it with --tokaki").into())
        }
    }

    /// Where the command is.
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// Runs the command in an empty folder, without any variable that it reads, so that nothing of the developer's own has a say.
    ///
    /// # Errors
    /// The command cannot be started.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Result<Outcome> {
        self.run_with(&[], arguments)
    }

    /// Like [`run`](Self::run), with these variables.
    ///
    /// # Errors
    /// The command cannot be started.
    pub fn run_with<A: AsRef<OsStr>>(
        &self,
        variables: &[(&str, &str)],
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Outcome> {
        let folder = tempfile::tempdir()?;
        let mut command = self.command(arguments);
        command.current_dir(folder.path()).envs(variables.iter().copied());
        self.end_of(command)
    }

    /// The command, to be run without any `TOKAKI_` or `PG` variable.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments);
        for (name, _) in std::env::vars_os() {
            if FOREIGN.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        command
    }

    /// Runs the command here and with all variables, as a site's own configuration may need.
    ///
    /// # Errors
    /// The command cannot be started.
    pub fn run_here<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Result<Outcome> {
        let mut command = Command::new(&self.binary);
        command.args(arguments);
        self.end_of(command)
    }

    /// `tokaki run` on a case folder.
    ///
    /// # Errors
    /// The command cannot be started.
    pub fn run_case(&self, case: &Case, semantics: Semantics, destination: &Destination<'_>) -> Result<Outcome> {
        self.run_case_with(&[], case, semantics, destination)
    }

    /// Like [`run_case`](Self::run_case), with further arguments.
    ///
    /// # Errors
    /// The command cannot be started.
    pub fn run_case_with(
        &self,
        further: &[String],
        case: &Case,
        semantics: Semantics,
        destination: &Destination<'_>,
    ) -> Result<Outcome> {
        let folder = std::path::absolute(&case.folder)?.display().to_string();
        let mut arguments = ["run", "--case", &folder].map(str::to_owned).to_vec();
        arguments.extend(case.semantics_arguments(semantics));
        arguments.extend(destination.arguments());
        arguments.extend(further.iter().cloned());
        self.run(&arguments)
    }

    fn end_of(&self, mut command: Command) -> Result<Outcome> {
        let output = command.output().map_err(|error| format!("cannot start {}: {error}", self.binary.display()))?;
        Ok(Outcome {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}
