//! Case folders (spec § 15): those of this repository, and those of other folders.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use tokaki_core::Semantics;

use crate::Result;

/// The expected rows of Koku's own semantics, which every good case has.
pub const KOKU: &str = "expected/koku.parquet";
/// The expected rows of the other semantics, where they differ.
pub const CONSERVING: &str = "expected/conserving.parquet";
/// The expected rows of a bill's attribution as Koku does it, which every case about a bill has.
pub const PARITY: &str = "expected/parity.parquet";
/// Those of the attribution without Koku's traps, where they differ.
pub const CORRECTED: &str = "expected/corrected.parquet";
/// The daily summary of all clusters of a bill.
pub const LAKE: &str = "expected/ocp-lake.parquet";
/// What the error is expected to say, which every bad case has.
pub const ERROR: &str = "expected/error.json";
/// Totals that somebody has calculated by hand.
pub const SUMMARY: &str = "expected/summary.json";

/// A case folder.
#[derive(Debug, Clone)]
pub struct Case {
    /// Where it is.
    pub folder: PathBuf,
}

impl Case {
    /// The case `name` of this repository.
    pub fn of_repository(name: &str) -> Self {
        Self { folder: repository("scenarios").join(name) }
    }

    /// The folder's name.
    pub fn name(&self) -> String {
        self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// A path inside the folder.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.folder.join(inside)
    }

    /// Whether it is about a cloud provider's bill and the clusters on it (ocp-on-aws § 16).
    pub fn is_bill(&self) -> bool {
        self.path(PARITY).exists()
    }

    /// The rows of the daily summary, or of the bill's attribution, that must come out.
    pub fn expected_rows(&self, semantics: Semantics) -> PathBuf {
        let [koku, other] = if self.is_bill() { [PARITY, CORRECTED] } else { [KOKU, CONSERVING] };
        // Most inputs are such that the two semantics agree; those cases have one file.
        let other = self.path(other);
        if semantics == Semantics::Conserving && other.exists() { other } else { self.path(koku) }
    }

    /// What the semantics are called in this case: a bill is attributed with or without Koku's traps.
    pub fn semantics_name(&self, semantics: Semantics) -> String {
        match semantics {
            Semantics::Koku if self.is_bill() => "parity".to_owned(),
            Semantics::Conserving if self.is_bill() => "corrected".to_owned(),
            semantics => semantics.to_string(),
        }
    }

    /// The arguments that ask for the semantics.
    pub fn semantics_arguments(&self, semantics: Semantics) -> [String; 2] {
        let name = self.semantics_name(semantics);
        if self.is_bill() {
            ["--set".to_owned(), format!("aggregators.ocp_on_aws.semantics={name}")]
        } else {
            ["--semantics".to_owned(), name]
        }
    }
}

/// Inputs with the rows that must come out: those of this repository and of the folder in `TOKAKI_CASES`.
///
/// # Errors
/// A folder cannot be read or holds no case.
pub fn good() -> Result<Vec<Case>> {
    all("scenarios", "TOKAKI_CASES")
}

/// Inputs on which a run must fail: those of this repository and of the folder in `TOKAKI_CASES_BAD`.
///
/// # Errors
/// A folder cannot be read or holds no case.
pub fn bad() -> Result<Vec<Case>> {
    all("scenarios-bad", "TOKAKI_CASES_BAD")
}

fn all(own: &str, variable: &str) -> Result<Vec<Case>> {
    let mut cases = in_folder(&repository(own))?;
    if let Some(further) = env::var_os(variable) {
        cases.extend(in_folder(Path::new(&further))?);
    }
    Ok(cases)
}

/// The cases in `parent`, by name.
///
/// # Errors
/// The folder cannot be read or holds no case.
pub fn in_folder(parent: &Path) -> Result<Vec<Case>> {
    let unreadable = |error: std::io::Error| format!("cannot read the folder {}: {error}", parent.display());
    let mut cases = Vec::new();
    for entry in fs::read_dir(parent).map_err(unreadable)? {
        let folder = entry.map_err(unreadable)?.path();
        if folder.is_dir() {
            cases.push(Case { folder });
        }
    }
    if cases.is_empty() {
        return Err(format!("the folder {} holds no case", parent.display()).into());
    }
    cases.sort_by_key(Case::name);
    Ok(cases)
}

/// A folder of this package.
pub fn repository(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}
