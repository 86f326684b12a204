//! The command that this test binary was built with.

use std::ffi::OsStr;
use std::process::Command;

use tokaki_core::Semantics;
use tokaki_tests::Result;
use tokaki_tests::cases::Case;
use tokaki_tests::command::{Outcome, Tokaki};
use tokaki_tests::destination::Destination;

/// The command.
pub(crate) fn command() -> Tokaki {
    Tokaki::new(env!("CARGO_BIN_EXE_tokaki-under-test"))
}

/// The command, to be run with so much memory and no more.
pub(crate) fn within(mebibytes: u32) -> Command {
    let limited = format!("ulimit -d {}; exec \"$0\" \"$@\"", mebibytes << 10);
    let mut shell = Command::new("sh");
    shell.args(["-c", &limited]).arg(command().binary());
    shell
}

/// See [`Tokaki::run`].
pub(crate) fn run<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Result<Outcome> {
    command().run(arguments)
}

/// See [`Tokaki::run_with`].
pub(crate) fn run_with<A: AsRef<OsStr>>(
    variables: &[(&str, &str)],
    arguments: impl IntoIterator<Item = A>,
) -> Result<Outcome> {
    command().run_with(variables, arguments)
}

/// See [`Tokaki::run_case`].
pub(crate) fn run_case(case: &Case, semantics: Semantics, destination: &Destination<'_>) -> Result<Outcome> {
    command().run_case(case, semantics, destination)
}
