//! The tokaki command once more, where the suite can find it.

use std::process::ExitCode;

fn main() -> ExitCode {
    tokaki_cli::main()
}
