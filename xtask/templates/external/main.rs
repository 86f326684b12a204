//! `tokaki` with one more plugin.

use std::process::ExitCode;

// The linker drops a crate that nobody names, and its plugins with it.
use new_plugin as _;

fn main() -> ExitCode {
    tokaki_cli::main()
}
