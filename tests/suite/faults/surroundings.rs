//! The machine is set up in a way of its own: users, folders, links.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use tokaki_tests::destination::{Destination, Sink};

use crate::support::job::{Job, content, error};
use crate::support::{copy, root, tokaki};

/// Everybody may read and write.
fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, Permissions::from_mode(0o777)).expect("opened");
}

/// Whether root made the folder, which is who runs the tests.
fn is_of_root(folder: &Path) -> bool {
    fs::metadata(folder).expect("a folder").uid() == 0
}

#[test]
fn x11_a_user_without_name_home_or_environment() {
    let folder = tempfile::tempdir().expect("a folder");
    open_to_all(folder.path());
    // The build may lie where others may not look.
    let binary = folder.path().join("tokaki");
    fs::copy(tokaki::command().binary(), &binary).expect("copied");
    copy(&root().join("samples/quickstart"), &folder.path().join("case"));
    let out = folder.path().join("out");
    let mut command = Command::new(&binary);
    command.args(["run", "--quiet", "--case"]).arg(folder.path().join("case"));
    command.args(["--sink", &format!("sqlite:{}/usage.db", out.display())]);
    command.env_clear().current_dir("/");
    fs::create_dir(&out).expect("created");
    open_to_all(&out);
    // As OpenShift runs a container. Whoever is not root has a number already.
    if is_of_root(folder.path()) {
        command.uid(1_000_650_000).gid(0);
    }
    let output = command.output().expect("starts");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(out.join("usage.db").is_file());
}

#[test]
fn s18_what_lies_in_a_folder_and_is_no_file() {
    let job = Job::new();
    let expected = job.clean_rows(&Destination::new(&Sink::Sqlite).expect("a destination"));
    let file = job.files("pod_usage").swap_remove(0);
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    fs::create_dir(file.with_file_name("folder.parquet")).expect("created");
    assert!(job.clean_rows(&destination) == expected, "a folder is no file");
    let loops = file.with_file_name("loop.parquet");
    symlink("loop.parquet", &loops).expect("linked");
    let outcome = job.run_on_folder(&destination, &[]);
    assert_eq!(outcome.code, Some(20), "{}", outcome.stderr);
    assert!(error(&outcome).contains("symbolic links"), "{}", outcome.stderr);
    assert!(content(&destination) == expected, "unchanged");
    fs::remove_file(loops).expect("removed");
    // A link to a file is the file.
    let elsewhere = tempfile::tempdir().expect("a folder");
    let moved = elsewhere.path().join("pods");
    fs::copy(&file, &moved).expect("copied");
    fs::remove_file(&file).expect("removed");
    symlink(&moved, &file).expect("linked");
    assert!(job.clean_rows(&destination) == expected, "a link to a file");
}

#[test]
fn s18_a_file_that_nobody_may_read() {
    let folder = tempfile::tempdir().expect("a folder");
    open_to_all(folder.path());
    let binary = folder.path().join("tokaki");
    fs::copy(tokaki::command().binary(), &binary).expect("copied");
    let job = Job::new();
    let input = folder.path().join("input");
    copy(&job.folder(), &input);
    let file = input.join(job.files("pod_usage").swap_remove(0).strip_prefix(job.folder()).expect("in the folder"));
    fs::set_permissions(&file, Permissions::from_mode(0o000)).expect("closed");
    fs::copy(Job::config(), folder.path().join("tokaki.toml")).expect("copied");
    fs::copy(Job::reference(), folder.path().join("reference.json")).expect("copied");
    let mut command = Command::new(&binary);
    command.args(["run", "--config", "tokaki.toml", "--sink", "csv:usage.csv"]).current_dir(folder.path());
    command.args(["--set", "reference.path=reference.json", "--set", "store.url=input"]);
    // To root nothing is closed.
    if is_of_root(folder.path()) {
        command.uid(1_000_650_000).gid(1_000_650_000);
    }
    let output = command.output().expect("starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(30), "{said}");
    assert!(said.contains(&*file.file_name().expect("a name").to_string_lossy()), "{said}");
    assert!(!folder.path().join("usage.csv").exists());
}
