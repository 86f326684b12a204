//! The sizes of input, and their data.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use xtask::chore;

use super::options::ScaleName;
use crate::Result;
use crate::cases::Case;
use crate::folder::files_with_ending;

/// A size of input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scale(&'static str);

/// What the generator says in `reference.json` about the files it made.
#[derive(Debug, Deserialize)]
struct Generated {
    org: String,
    files: BTreeMap<String, Files>,
}

#[derive(Debug, Deserialize)]
struct Files {
    files: usize,
    rows: u64,
}

impl Scale {
    /// By size.
    pub(super) const ALL: [Self; 6] =
        [Self("small"), Self("medium"), Self("large"), Self("xlarge"), Self("prod-medium"), Self("month-10k")];

    /// Whether the command line asks for it.
    pub(super) fn is_meant_by(self, name: ScaleName) -> bool {
        let meant = match name {
            ScaleName::Small => "small",
            ScaleName::Medium => "medium",
            ScaleName::Large => "large",
            ScaleName::Xlarge => "xlarge",
            ScaleName::ProdMedium => "prod-medium",
            ScaleName::Month10k => "month-10k",
            ScaleName::All => return true,
        };
        self.0 == meant
    }

    /// Its data below `folder`, generated unless it lies there complete.
    ///
    /// # Errors
    /// The generator fails, or makes something else than it says.
    pub(super) fn data(self, folder: &Path, python: &Path, generator: &Path) -> Result<Case> {
        let case = Case { folder: folder.join(self.0) };
        if !is_complete(&case) {
            let partial = folder.join(format!("{self}.partial"));
            for leftover in [&partial, &case.folder] {
                if leftover.exists() {
                    fs::remove_dir_all(leftover)?;
                }
            }
            let words = [python, generator].map(|path| path.display().to_string());
            let out = partial.display().to_string();
            chore::run(&[], &[&words[0], &words[1], "--scale", self.0, "--out", &out])?;
            fs::rename(&partial, &case.folder)?;
            if !is_complete(&case) {
                return Err(format!("{} does not hold the files that its reference.json lists", case.name()).into());
            }
        }
        Ok(case)
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Hourly pod rows of a generated case.
///
/// # Errors
/// The case does not say.
pub(super) fn pod_rows(case: &Case) -> Result<u64> {
    let files = generated(case)?.files;
    Ok(files.get("pod_usage").ok_or("reference.json does not say how many rows pod_usage has")?.rows)
}

fn generated(case: &Case) -> Result<Generated> {
    Ok(serde_json::from_str(&fs::read_to_string(case.path("reference.json"))?)?)
}

/// Whether every table has as many files as the generator, which writes `reference.json` last, says.
fn is_complete(case: &Case) -> bool {
    generated(case).is_ok_and(|generated| {
        generated.files.iter().all(|(report, expected)| {
            let (daily, report) = match report.strip_prefix("daily/") {
                Some(report) => ("daily", report),
                None => ("", report.as_str()),
            };
            let table: PathBuf =
                case.path("input/data/parquet").join(daily).join(&generated.org).join("OCP").join(report);
            files_with_ending(&table, "parquet").len() == expected.files
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_complete_when_every_file_is_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let case = Case { folder: folder.path().to_owned() };
        assert!(!is_complete(&case));
        let reference = r#"{"org": "o", "files": {"pod_usage": {"files": 1, "rows": 24}}}"#;
        fs::write(case.path("reference.json"), reference).expect("a file");
        assert!(!is_complete(&case));
        let partition = case.path("input/data/parquet/o/OCP/pod_usage/source=s/year=2025/month=10");
        fs::create_dir_all(&partition).expect("a folder");
        fs::write(partition.join("a.parquet"), "").expect("a file");
        assert!(is_complete(&case));
        assert_eq!(pod_rows(&case).expect("rows"), 24);
    }
}
