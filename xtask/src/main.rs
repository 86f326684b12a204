//! `cargo xtask <verb>`: see [`HELP`].

use std::process::ExitCode;

use xtask::chore::{run, say};
use xtask::postgres;

const HELP: &str = "\
cargo xtask test [ARGS]   find or install PostgreSQL, then run all tests; ARGS go to `cargo test`
cargo xtask ci            everything a change must pass: format, lints, docs, tests
cargo xtask help          this text";

/// A command with the variables it needs.
type Check = (&'static [(&'static str, &'static str)], &'static [&'static str]);

/// What a change must pass, in the order in which it fails fastest. The last one is the README's test command.
const CHECKS: &[Check] = &[
    (&[], &["cargo", "fmt", "--all", "--", "--check"]),
    (&[], &["cargo", "clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    (&[("RUSTDOCFLAGS", "-D warnings")], &["cargo", "doc", "--workspace", "--no-deps"]),
    (&[], &["cargo", "xtask", "test"]),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["test", rest @ ..] => test(rest),
        ["ci"] => CHECKS.iter().try_for_each(|(set, line)| run(set, line)),
        ["help" | "--help" | "-h"] => {
            say(HELP);
            Ok(())
        }
        [] => Err(format!("a verb is missing\n\n{HELP}")),
        other => Err(format!("`{}` is not a chore\n\n{HELP}", other.join(" "))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            say(&format!("error: {message}"));
            ExitCode::FAILURE
        }
    }
}

fn test(arguments: &[&str]) -> Result<(), String> {
    if postgres::external().is_some() {
        say("PostgreSQL: the server that TEST_DATABASE_URL names");
    } else {
        let installation = match postgres::find() {
            Some(found) => found,
            None => postgres::install()?,
        };
        say(&format!("PostgreSQL: {installation}"));
    }
    run(&[], &[&["cargo", "test", "--workspace"], arguments].concat())
}
