//! The `tokaki` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    tokaki_cli::main()
}
