//! The benchmark: what it runs is built as it is released, then the tests' program `bench` measures it.

use std::process::ExitCode;

use crate::chore::{exit_code, run, status};

/// Builds and measures; `words` begin with the verb.
///
/// # Errors
/// Something cannot be built, or the program cannot be started.
pub fn bench(words: &[&str]) -> Result<ExitCode, String> {
    let programs = ["--bin", "tokaki", "--bin", "bench", "--bin", "decode-floor"];
    run(&[], &[&["cargo", "build", "--quiet", "--release", "--workspace"][..], &programs].concat())?;
    // This program is in the folder of the profile that it was built with, and that folder lies beside `release`.
    let here = std::env::current_exe().map_err(|error| error.to_string())?;
    let target = here.ancestors().nth(2).ok_or("this program is in no target folder")?;
    let program = target.join("release").join("bench");
    let program = program.to_str().ok_or("the folder's name is not UTF-8")?;
    Ok(exit_code(status(&[], &[&[program], words].concat())?))
}
