//! What the tests share.

pub(crate) mod job;
pub(crate) mod koku;
pub(crate) mod tokaki;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tokaki_tests::destination::Sink;

/// Every sink there is.
pub(crate) fn sinks() -> [Sink; 3] {
    [Sink::Sqlite, Sink::Parquet, Sink::postgres().expect("a database")]
}

/// Runs what `cargo xtask iqe` and `cargo xtask scenario` run, on the command under test.
pub(crate) fn qe(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qe"));
    command.args(arguments).arg("--tokaki").arg(tokaki::command().binary());
    command.output().expect("starts")
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("created");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let to = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).expect("copied");
        }
    }
}
