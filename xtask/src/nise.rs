//! nise, which makes an operator's CSV reports from a manifest: a Python package in a virtual environment of its own.

use std::path::{Path, PathBuf};

use crate::chore::{output, run};

/// The version that scenarios are made with, so that the same manifest gives the same rows.
pub const VERSION: &str = "5.4.4";

/// Asks Python for the version that is installed.
const ASK_VERSION: &str = "from importlib.metadata import version; print(version('koku-nise'))";

/// Installs nise below the folder `target` unless it is there, and tells where the program is.
///
/// # Errors
/// There is no Python 3 with `venv`, or the package cannot be installed.
pub fn install(target: &Path) -> Result<PathBuf, String> {
    let folder = target.join("nise-venv");
    let programs = folder.join("bin");
    let python = programs.join("python");
    let python = python.to_str().ok_or("the folder's name is not UTF-8")?;
    if output(python, &["-c", ASK_VERSION]).as_deref() != Some(VERSION) {
        let folder = folder.to_str().ok_or("the folder's name is not UTF-8")?;
        let advice = |reason: String| format!("{reason}\nnise needs Python 3 with venv (apt-get install python3-venv)");
        run(&[], &["python3", "-m", "venv", folder]).map_err(advice)?;
        run(&[], &[python, "-m", "pip", "install", "--quiet", &format!("koku-nise=={VERSION}")])?;
    }
    Ok(programs.join("nise"))
}
