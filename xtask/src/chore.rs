//! A command that is shown before it runs.

use std::process::{Command, ExitCode, ExitStatus, Stdio};

/// Runs `line`, a program and its arguments, with the variables `set` besides those of this process.
///
/// # Errors
/// The command could not be started or did not succeed.
pub fn run(set: &[(&str, &str)], line: &[&str]) -> Result<(), String> {
    say(&format!("$ {}", show(set, line)));
    let status = status(set, line)?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed: {status}", show(set, line))) }
}

/// Like [`run`], for a command whose exit code says more than whether it succeeded. It is not shown: arguments that
/// were typed a moment ago need no repetition, and may hold a password.
///
/// # Errors
/// The command could not be started.
pub fn status(set: &[(&str, &str)], line: &[&str]) -> Result<ExitStatus, String> {
    let (program, arguments) = line.split_first().ok_or("an empty command")?;
    let mut command = Command::new(program);
    command.args(arguments).envs(set.iter().copied()).stdin(Stdio::null());
    // `cargo run` describes this package in the environment. Build scripts that watch such a variable, ring's for
    // instance, would be run again for every change between `cargo` and `cargo xtask`.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    command.status().map_err(|error| format!("`{program}` could not be started: {error}"))
}

/// The exit code of a program that ran in this one's place.
pub fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}

/// What a program writes to its standard output, without the final newline; `None` if it is absent or fails.
pub fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// Tells whoever is watching, on standard error, where the commands' own messages go.
#[expect(clippy::print_stderr, reason = "the terminal is where a chore reports")]
pub fn say(text: &str) {
    eprintln!("{text}");
}

fn show(set: &[(&str, &str)], line: &[&str]) -> String {
    let quoted = |word: &str| if word.contains([' ', '\'', '"']) { format!("{word:?}") } else { word.to_owned() };
    let variables = set.iter().map(|(name, value)| format!("{name}={}", quoted(value)));
    variables.chain(line.iter().map(|word| quoted(word))).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        assert_eq!(show(&[("FLAGS", "-D warnings")], &["cargo", "doc"]), "FLAGS=\"-D warnings\" cargo doc");
    }
}
