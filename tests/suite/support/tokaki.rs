//! The built command, in an environment that holds nothing of the developer's.

use std::ffi::OsStr;
use std::process::Command;

use super::Result;
use super::cases::Case;
use super::destination::Destination;

/// How a run of the command ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Exit code; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Path of the command.
pub(crate) fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_tokaki-under-test")
}

/// Runs tokaki in an empty folder, without any `TOKAKI_` or `PG` variable.
pub(crate) fn run<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Result<Outcome> {
    run_with(&[], arguments)
}

/// Like [`run`], with these variables.
pub(crate) fn run_with<A: AsRef<OsStr>>(
    variables: &[(&str, &str)],
    arguments: impl IntoIterator<Item = A>,
) -> Result<Outcome> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(binary());
    command.args(arguments).current_dir(folder.path());
    for (name, _) in std::env::vars_os() {
        if ["TOKAKI_", "PG"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command.envs(variables.iter().copied());
    let output = command.output()?;
    Ok(Outcome {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout)?,
        stderr: String::from_utf8(output.stderr)?,
    })
}

/// `tokaki run` on a case folder.
pub(crate) fn run_case(case: &Case, semantics: &str, destination: &Destination) -> Result<Outcome> {
    let folder = case.folder.display().to_string();
    let mut arguments = ["run", "--case", &folder, "--semantics", semantics].map(str::to_owned).to_vec();
    arguments.extend(destination.arguments()?);
    run(&arguments)
}
