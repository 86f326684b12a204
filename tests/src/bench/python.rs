//! The Python that generates data, reads it independently and runs DuckDB.

use std::path::{Path, PathBuf};

use xtask::chore::{output, run};

use crate::Result;

/// The packages, in versions that make the same bytes and the same race everywhere.
const PACKAGES: [&str; 3] = ["duckdb==2.0.0", "numpy==2.4.6", "pyarrow==26.0.1"];

/// Succeeds where all packages are.
const ASK: &str = "import duckdb, numpy, pyarrow.parquet";

const ADVICE: &str = "the benchmark needs Python 3 with venv (apt-get install python3-venv), \
    or --python FILE with duckdb, numpy and pyarrow";

/// The Python `given`, else one below `folder` that is installed unless it is there.
///
/// # Errors
/// There is no Python 3, or the packages are missing.
pub(super) fn find(given: Option<&Path>, folder: &Path) -> Result<PathBuf> {
    if let Some(given) = given {
        return match output(text(given)?, &["-c", ASK]) {
            Some(_) => Ok(given.to_owned()),
            None => Err(format!("{} cannot import duckdb, numpy and pyarrow\n{ADVICE}", given.display()).into()),
        };
    }
    let python = folder.join("bin/python");
    if output(text(&python)?, &["-c", ASK]).is_none() {
        run(&[], &["python3", "-m", "venv", text(folder)?]).map_err(|error| format!("{error}\n{ADVICE}"))?;
        run(&[], &[&[text(&python)?, "-m", "pip", "install", "--quiet"], &PACKAGES[..]].concat())?;
    }
    Ok(python)
}

fn text(path: &Path) -> Result<&str> {
    Ok(path.to_str().ok_or("a folder's name is not UTF-8")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_python_that_does_not_answer_is_refused_with_advice() {
        let missing = Path::new("/nonexistent/python");
        let error = find(Some(missing), Path::new("/nonexistent")).expect_err("no Python").to_string();
        assert!(error.contains("/nonexistent/python") && error.contains("python3-venv"), "{error}");
    }
}
