//! Making scenarios, as far as that goes without nise, which has to be downloaded.

use std::fs;

use tempfile::TempDir;
use tokaki_tests::cases::{Case, KOKU};
use tokaki_tests::compare::differences;
use tokaki_tests::rows::files;

use crate::support::{copy, qe};

#[test]
fn expected_rows_are_written_anew() {
    let original = Case::of_repository("one-volume");
    let scenarios = TempDir::new().expect("a folder");
    let case = Case { folder: scenarios.path().join("one-volume") };
    copy(&original.folder, &case.folder);
    fs::remove_file(case.path(KOKU)).expect("removed");

    let folder = scenarios.path().to_str().expect("UTF-8");
    let output = qe(&["scenario", "expect", "one-volume", "--scenarios", folder]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let columns = files::columns(&original.path(KOKU)).expect("columns");
    let rows = |case: &Case| files::read(&case.path(KOKU), &columns).expect("rows");
    assert_eq!(differences(&rows(&original), &rows(&case)), [""; 0]);
}

#[test]
fn a_scenario_is_never_overwritten() {
    let output = qe(&["scenario", "new", "one-volume", "--manifest", "nise.yml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("one-volume is there already"));
}

#[test]
fn a_name_that_is_no_folder_is_refused() {
    for name in ["../shop", "Shop", ""] {
        let output = qe(&["scenario", "new", name, "--manifest", "nise.yml"]);
        assert_eq!(output.status.code(), Some(2), "{name}");
    }
}
