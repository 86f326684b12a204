//! What must not change a byte of the result: how the work is cut and shared, the order of files, and partitions of
//! other sources, years and months.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::contender::{Job, Programs};
use super::measure::measure;
use super::options::Form;
use super::report::Check;
use crate::Result;
use crate::cases::Case;
use crate::destination::{DAILY_SUMMARY, Destination, Sink};
use crate::folder::files_with_ending;

/// Settings that only say how a run goes about its work.
const SETTINGS: [&str; 6] = [
    "run.workers=1",
    "run.workers=2",
    "run.workers=8",
    "run.chunk_rows=0",
    "run.chunk_rows=1000",
    "run.chunk_rows=100000",
];

const TABLES: &str = "input/data/parquet";

/// What a path of the case consists of.
#[derive(Debug, Deserialize)]
struct Partition {
    source_uuid: String,
    year: String,
    month: String,
}

/// Runs tokaki in every way that must not matter, in the scratch folder `folder`.
///
/// # Errors
/// A run fails or the input cannot be linked.
pub(super) fn checks(programs: &Programs, case: &Case, form: Form, folder: &Path) -> Result<Vec<Check>> {
    fs::create_dir_all(folder)?;
    let run = |case: &Case, setting: &str| -> Result<Vec<u8>> {
        let destination = Destination::new(&Sink::Parquet)?;
        let file = folder.join("rows.parquet");
        let job = Job { case, form, destination: &destination, server: None, file: &file };
        measure(&mut programs.tokaki_command(job, &[setting.to_owned()])?)?;
        destination.export(DAILY_SUMMARY, &file)?;
        Ok(fs::read(&file)?)
    };
    let usual = run(case, "run.workers=0")?;
    let same = |bytes: &[u8]| Check::new("", bytes == usual, "the file has the same bytes", "the file has other bytes");
    let mut checks = Vec::new();
    for setting in SETTINGS {
        checks.push(Check { name: setting.to_owned(), ..same(&run(case, setting)?) });
    }
    let reversed = relinked(case, &folder.join("reversed"), reversed)?;
    checks.push(Check { name: "files in reverse order".to_owned(), ..same(&run(&reversed, "run.workers=0")?) });
    let partition: Partition = serde_json::from_str(&fs::read_to_string(case.path("reference.json"))?)?;
    let surrounded = relinked(case, &folder.join("surrounded"), |inside, _| partition.surrounded(inside))?;
    let name = "beside another source, year and month".to_owned();
    checks.push(Check { name, ..same(&run(&surrounded, "run.workers=0")?) });
    Ok(checks)
}

/// The case once more in `folder`, where each file has the paths that `places` gives for its path and its number.
fn relinked(case: &Case, folder: &Path, places: impl Fn(&Path, usize) -> Vec<PathBuf>) -> Result<Case> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    fs::copy(case.path("reference.json"), folder.join("reference.json"))?;
    // A hard link is made of the file itself, wherever the case folder is linked to.
    let tables = fs::canonicalize(case.path(TABLES))?;
    for (number, file) in files_with_ending(&tables, "parquet").iter().enumerate() {
        for place in places(file.strip_prefix(&tables)?, number) {
            let place = folder.join(TABLES).join(place);
            fs::create_dir_all(place.parent().ok_or("a file without a folder")?)?;
            if fs::hard_link(file, &place).is_err() {
                fs::copy(file, &place)?;
            }
        }
    }
    Ok(Case { folder: folder.to_owned() })
}

/// A name that sorts the other way round.
fn reversed(inside: &Path, number: usize) -> Vec<PathBuf> {
    vec![inside.with_file_name(format!("{:08}.parquet", 99_999_999 - number))]
}

impl Partition {
    /// The file where it is, and in partitions that the run must not read.
    fn surrounded(&self, inside: &Path) -> Vec<PathBuf> {
        let inside = inside.display().to_string();
        let (year, month) = (format!("year={}/", self.year), format!("month={}/", self.month));
        let (other_year, other_month) = ("year=1999/", if self.month == "01" { "month=02/" } else { "month=01/" });
        vec![
            inside.replace(&self.source_uuid, "00000000-0000-0000-0000-000000000000").into(),
            inside.replace(&year, other_year).into(),
            inside.replace(&month, other_month).into(),
            inside.into(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSIDE: &str = "o/OCP/pod_usage/source=1-2/year=2025/month=10/a.parquet";

    #[test]
    fn reversed_names_sort_the_other_way_round() {
        assert!(reversed(Path::new(INSIDE), 1) < reversed(Path::new(INSIDE), 0));
    }

    #[test]
    fn a_file_is_surrounded_by_three_that_must_not_be_read() {
        let [source_uuid, year, month] = ["1-2", "2025", "10"].map(str::to_owned);
        let partition = Partition { source_uuid, year, month };
        let places = partition.surrounded(Path::new(INSIDE));
        assert_eq!(places.len(), 4);
        assert_eq!(places.iter().filter(|place| place.as_path() == Path::new(INSIDE)).count(), 1);
    }
}
