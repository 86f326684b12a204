//! From the manifest to the scenario's input: nise makes CSV files, tokaki converts them.

use std::path::Path;
use std::process::Command;

use chrono::Days;
use uuid::Uuid;
use xtask::nise;

use super::options::NewOptions;
use crate::Result;
use crate::cases::Case;
use crate::command::Tokaki;

/// Customer schema of all scenarios.
pub(super) const ORG: &str = "org1234567";

/// Provider uuid of the scenario's source: always the same for one name.
pub(super) fn source(case: &Case) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("tokaki:scenario:{}", case.name()).as_bytes())
}

/// Makes `input/`.
pub(super) fn input(tokaki: &Tokaki, case: &Case, new: &NewOptions) -> Result<()> {
    let folder = tempfile::tempdir()?;
    csv(case, new, folder.path())?;
    let from = folder.path().display().to_string();
    let to = std::path::absolute(case.path("input"))?.display().to_string();
    let source = source(case).to_string();
    tokaki.run(["convert", "--input", &from, "--output", &to, "--org", ORG, "--source", &source])?.require_success()?;
    Ok(())
}

fn csv(case: &Case, new: &NewOptions, folder: &Path) -> Result<()> {
    let program = std::env::current_exe()?;
    let target = program.parent().and_then(Path::parent).ok_or("this program is in no target folder")?;
    let mut command = Command::new(nise::install(target)?);
    command.args(["report", "ocp", "--write-monthly", "--ocp-cluster-id", &case.name(), "--static-report-file"]);
    command.arg(std::path::absolute(case.path("nise.yml"))?).current_dir(folder);
    if let (Some(start), Some(end)) = (new.start_date, new.end_date) {
        // To nise the end is the first instant that is not covered.
        command.args(["--start-date", &start.to_string(), "--end-date", &(end + Days::new(1)).to_string()]);
    }
    let output = command.output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("nise does not take the manifest: {}", said.trim_end()).into());
    }
    Ok(())
}
