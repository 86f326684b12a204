//! `cargo xtask <verb>`: see [`HELP`].

use std::path::Path;
use std::process::ExitCode;

use xtask::bench::bench;
use xtask::chore::{exit_code, output, run, say, status};
use xtask::new::new;
use xtask::postgres;

const HELP: &str = "\
cargo xtask test [ARGS]         find or install PostgreSQL and pgbouncer, then run all tests; ARGS go to `cargo test`
cargo xtask ci                  everything a change must pass: format, lints, docs, tests
cargo xtask iqe [ARGS]          validate tokaki on scenarios or against an existing table; --help lists ARGS
cargo xtask bench [ARGS]        measure tokaki on generated clusters, built for release; --help lists ARGS
cargo xtask scenario new NAME --manifest FILE
                                make a scenario of a nise manifest; --help lists more
cargo xtask new aggregator|reader|sink NAME [--external DIR]
                                make a plugin that compiles and has tests, here or as a crate of its own in DIR
cargo xtask docs                write docs/plugins.md anew from the plugins themselves
cargo xtask help                this text";

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
        ["iqe" | "scenario", ..] => match quality(&words) {
            Ok(code) => return code,
            Err(message) => Err(message),
        },
        ["bench", ..] => match measure(&words) {
            Ok(code) => return code,
            Err(message) => Err(message),
        },
        ["new", rest @ ..] => make(rest),
        ["docs"] => docs(),
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
    prepare_postgres()?;
    if postgres::pgbouncer().is_none() {
        postgres::install_pgbouncer()?;
    }
    run(&[], &[&["cargo", "test", "--workspace"], arguments].concat())
}

/// Builds everything, then runs the verb in the tests' program `qe`, whose exit code is the answer.
fn quality(words: &[&str]) -> Result<ExitCode, String> {
    if takes_postgres(words) && !words.iter().any(|word| word.starts_with("--database-url")) {
        prepare_postgres()?;
    }
    run(&[], &["cargo", "build", "--quiet", "--workspace"])?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?.with_file_name("qe");
    let program = program.to_str().ok_or("the folder's name is not UTF-8")?;
    Ok(exit_code(status(&[], &[&[program], words].concat())?))
}

/// The folder that this program was built in.
fn repository() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// Makes a plugin. Its name has moved the ends of lines, so it is formatted.
fn make(words: &[&str]) -> Result<(), String> {
    let made = new(repository(), words)?;
    let manifest = made.manifest.to_str().ok_or("the folder's name is not UTF-8")?;
    run(&[], &["cargo", "fmt", "--manifest-path", manifest])?;
    say(&made.advice);
    Ok(())
}

/// Asks the command itself, as anybody could.
fn docs() -> Result<(), String> {
    run(&[], &["cargo", "build", "--quiet", "--workspace"])?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?.with_file_name("tokaki");
    let program = program.to_str().ok_or("the folder's name is not UTF-8")?;
    let manual = output(program, &["plugins", "manual"]).ok_or("`tokaki plugins manual` failed")?;
    let file = repository().join("docs/plugins.md");
    std::fs::write(&file, manual + "\n").map_err(|error| format!("cannot write {}: {error}", file.display()))
}

/// The benchmark, once there is a server if it needs one.
fn measure(words: &[&str]) -> Result<ExitCode, String> {
    if takes_postgres(words) {
        prepare_postgres()?;
    }
    bench(words)
}

fn takes_postgres(words: &[&str]) -> bool {
    words.contains(&"--sink=postgres") || words.windows(2).any(|pair| pair == ["--sink", "postgres"])
}

/// Makes sure that a server can be had before anything long begins.
fn prepare_postgres() -> Result<(), String> {
    if postgres::external().is_some() {
        say("PostgreSQL: the server that TEST_DATABASE_URL names");
    } else {
        let installation = match postgres::find() {
            Some(found) => found,
            None => postgres::install()?,
        };
        say(&format!("PostgreSQL: {installation}"));
    }
    Ok(())
}
