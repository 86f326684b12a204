//! What the tests share.

pub(crate) mod job;
pub(crate) mod koku;
pub(crate) mod line_items;
pub(crate) mod scramble;
pub(crate) mod tokaki;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use tokaki_tests::destination::Sink;

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the repository").to_owned()
}

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

/// A copy of a folder with its Parquet files renamed so that they are listed in another order.
pub(crate) fn in_other_order(folder: &Path, seed: u64) -> TempDir {
    fn copy(from: &Path, to: &Path, seed: u64) {
        fs::create_dir_all(to).expect("created");
        for (position, entry) in (0_u64..).zip(fs::read_dir(from).expect("a folder")) {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if path.is_dir() {
                copy(&path, &to.join(name), seed);
            } else if name.ends_with(".parquet") {
                let scrambled = (position + 1).wrapping_mul(seed | 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
                fs::copy(&path, to.join(format!("{scrambled:06}-{name}"))).expect("copied");
            } else {
                fs::copy(&path, to.join(name)).expect("copied");
            }
        }
    }
    let copied = TempDir::new().expect("a folder");
    copy(folder, copied.path(), seed);
    copied
}
