//! Case folders (spec § 15): those of this repository, and those that `TOKAKI_CASES` and `TOKAKI_CASES_BAD` name.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The expected rows of Koku's own semantics, which every good case has.
pub(crate) const KOKU: &str = "expected/koku.parquet";
/// The expected rows of the other semantics, where they differ.
pub(crate) const CONSERVING: &str = "expected/conserving.parquet";
/// What the error is expected to say, which every bad case has.
pub(crate) const ERROR: &str = "expected/error.json";

/// A case folder.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) folder: PathBuf,
}

impl Case {
    /// The case `name` of this repository.
    pub(crate) fn of_repository(name: &str) -> Self {
        Self { folder: repository("scenarios").join(name) }
    }

    /// The folder's name.
    pub(crate) fn name(&self) -> String {
        self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// A path inside the folder.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.folder.join(inside)
    }
}

/// Inputs with the rows that must come out.
pub(crate) fn good() -> Vec<Case> {
    all("scenarios", "TOKAKI_CASES", KOKU)
}

/// Inputs on which a run must fail.
pub(crate) fn bad() -> Vec<Case> {
    all("scenarios-bad", "TOKAKI_CASES_BAD", ERROR)
}

fn all(own: &str, variable: &str, expected: &str) -> Vec<Case> {
    let mut cases = folders(&repository(own));
    assert!(!cases.is_empty(), "tests/{own} holds no case");
    if let Some(further) = env::var_os(variable) {
        let further: Vec<_> =
            folders(Path::new(&further)).into_iter().filter(|case| case.path(expected).exists()).collect();
        assert!(!further.is_empty(), "the folder that {variable} names holds no case");
        cases.extend(further);
    }
    cases
}

fn folders(parent: &Path) -> Vec<Case> {
    let entries = fs::read_dir(parent).unwrap_or_else(|error| panic!("{}: {error}", parent.display()));
    let mut cases: Vec<_> = entries
        .map(|entry| entry.unwrap_or_else(|error| panic!("{}: {error}", parent.display())).path())
        .filter(|path| path.is_dir())
        .map(|folder| Case { folder })
        .collect();
    cases.sort_by_key(Case::name);
    cases
}

fn repository(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}
