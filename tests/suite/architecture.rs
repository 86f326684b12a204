//! Rules of the house that check themselves: who may know whom, what stays out of core, what a plugin folder holds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

// The registry is empty unless the crates that carry plugins are linked, and the command links them.
use tokaki_cli as _;
use tokaki_core::plugin;
use tokaki_tests::folder::files_with_ending;

use crate::support::root;

/// Direct dependencies of each package of the workspace, without those of its tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().expect("dependencies");
            let normal = dependencies.iter().filter(|dependency| dependency["kind"].is_null());
            (text(&package["name"]), normal.map(|dependency| text(&dependency["name"])).collect())
        })
        .collect()
}

#[test]
fn nobody_knows_whom_they_must_not() {
    let dependencies = dependencies();
    for (package, allowed) in [
        ("tokaki-core", &[][..]),
        ("tokaki-readers", &["tokaki-core"]),
        ("tokaki-aggregators", &["tokaki-core"]),
        ("tokaki-sinks", &["tokaki-core"]),
        ("tokaki-cli", &["tokaki-core", "tokaki-readers", "tokaki-aggregators", "tokaki-sinks"]),
        ("xtask", &[]),
    ] {
        let ours: Vec<_> = dependencies[package].iter().filter(|name| dependencies.contains_key(*name)).collect();
        let foreign: Vec<_> = ours.iter().filter(|name| !allowed.contains(&name.as_str())).collect();
        assert!(foreign.is_empty(), "{package} must not depend on {foreign:?}");
    }
    assert!(dependencies["xtask"].is_empty(), "xtask compiles before everything else and needs no library");
}

#[test]
fn core_and_aggregators_can_open_nothing() {
    let dependencies = dependencies();
    let io = ["opendal", "sea-orm", "sqlx", "figment", "reqwest", "hyper", "tempfile", "parquet"];
    let threads = ["tokio", "rayon", "futures"];
    for (package, forbidden) in [("tokaki-core", &io[..]), ("tokaki-aggregators", &[&io[..], &threads[..]].concat())] {
        for name in forbidden {
            assert!(!dependencies[package].contains(*name), "{package} must not depend on {name}");
        }
    }
}

#[test]
fn core_and_aggregators_read_no_clock_no_environment_and_no_files() {
    let forbidden = [
        "std::fs",
        "std::env",
        "std::net",
        "std::process",
        "std::io::stdin",
        "tokio::fs",
        "tokio::net",
        "tokio::time",
        "SystemTime",
        "Instant::now",
        "Utc::now",
        "Local::now",
        "rand::",
        "new_v4",
        "println!",
        "eprintln!",
        "tracing::",
    ];
    for source in ["core", "aggregators"]
        .map(|name| root().join("crates").join(name).join("src"))
        .iter()
        .flat_map(|it| sources(it))
    {
        let text = fs::read_to_string(&source).expect("a source file");
        for word in forbidden {
            assert!(!text.contains(word), "{} must not use {word}", source.display());
        }
    }
}

/// Asking glibc for common pools of memory is the one thing that safe Rust cannot say.
#[test]
fn one_file_alone_has_unsafe_code() {
    const EXCEPTION: &str = "crates/cli/src/memory.rs";
    let folders = ["crates", "tests/src", "xtask/src"].map(|folder| root().join(folder));
    let code = folders.iter().flat_map(|folder| sources(folder));
    let with: Vec<_> = code
        .filter(|source| fs::read_to_string(source).is_ok_and(|text| text.contains("unsafe {")))
        .map(|source| source.strip_prefix(root()).expect("below the root").to_owned())
        .collect();
    assert_eq!(with, [Path::new(EXCEPTION)]);
}

/// A promise without its test is worth nothing.
#[test]
fn every_test_that_the_reliability_page_names_exists() {
    let page = fs::read_to_string(root().join("docs/reliability.md")).expect("the page");
    let code: String = ["crates", "tests"]
        .into_iter()
        .flat_map(|folder| sources(&root().join(folder)))
        .map(|source| fs::read_to_string(source).expect("a source file"))
        .collect();
    let rows: Vec<&str> =
        page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| `TOKAKI_")).collect();
    let named: BTreeSet<&str> = rows
        .iter()
        .filter_map(|row| row.trim_end_matches(" |").rsplit_once(" | "))
        .flat_map(|(_, tests)| tests.split(", "))
        .filter_map(|test| test.strip_prefix('`')?.strip_suffix('`'))
        .collect();
    assert!(named.len() > 60, "{} tests are named", named.len());
    let missing: Vec<_> = named.iter().filter(|test| !code.contains(&format!("fn {test}("))).collect();
    assert!(missing.is_empty(), "there is no test of the name {missing:?}");
    let without: Vec<_> = rows
        .iter()
        .filter(|row| !row.starts_with("| Promise") && !row.starts_with("| Variable") && !row.contains('`'))
        .collect();
    assert!(without.is_empty(), "promises without a test: {without:?}");
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    files_with_ending(folder, "rs")
}

/// Folders of the plugin crates that hold shared words and no plugin.
const SHARED_ROOMS: [&str; 9] =
    ["cloud", "line_items", "summaries", "words", "payload", "store", "cache", "columns", "lines"];

fn plugin_folders() -> Vec<(String, PathBuf)> {
    let mut folders = Vec::new();
    for package in ["readers", "aggregators", "sinks"] {
        for entry in fs::read_dir(root().join("crates").join(package).join("src")).expect("a crate") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !SHARED_ROOMS.contains(&name.as_str()) {
                folders.push((format!("tokaki_{package}::{name}"), path));
            }
        }
    }
    assert!(!folders.is_empty());
    folders
}

/// What is wrong with these folders, if these modules are registered.
fn complaints(registered: &BTreeSet<&str>, folders: &[(String, PathBuf)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (module, folder) in folders {
        if !registered.contains(module.as_str()) {
            complaints.push(format!("{module} has a folder and is not registered: is there a `register!`?"));
        }
        for file in ["README.md", "sample.toml"].into_iter().filter(|file| !folder.join(file).is_file()) {
            complaints.push(format!("{module} has no {file}"));
        }
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // A suite is walked by all plugins, and shows nothing of what this one is for.
        let files = [folder.join("tests.rs"), folder.join(format!("../../tests/conformance/{name}.rs"))];
        let is_tested = |file: &PathBuf| {
            let text = fs::read_to_string(file).unwrap_or_default();
            ["#[test]", "#[tokio::test]", "proptest!"].iter().any(|word| text.contains(word))
        };
        if !files.iter().any(is_tested) {
            complaints.push(format!("{module} has no tests of its own"));
        }
    }
    let unknown = registered.iter().filter(|module| !folders.iter().any(|(known, _)| known == *module));
    complaints.extend(unknown.map(|module| format!("{module} is registered and has no folder of its own")));
    complaints
}

#[test]
fn every_plugin_has_a_folder_with_readme_sample_and_tests_and_is_registered() {
    let registered = plugin::all().iter().map(|plugin| plugin.module).collect();
    assert_eq!(complaints(&registered, &plugin_folders()), [""; 0]);
}

#[test]
fn a_plugin_without_register_or_readme_is_noticed() {
    let root = tempfile::tempdir().expect("a folder");
    let own = root.path().join("crates/sinks/src/csv");
    crate::support::copy(&plugin_folder("tokaki_sinks::csv"), &own);
    fs::write(own.join("tests.rs"), "#[test]").expect("written");
    let folders = [("tokaki_sinks::csv".to_owned(), own.clone())];
    assert_eq!(complaints(&BTreeSet::from(["tokaki_sinks::csv"]), &folders), [""; 0]);
    let unregistered = "tokaki_sinks::csv has a folder and is not registered: is there a `register!`?";
    assert_eq!(complaints(&BTreeSet::new(), &folders), [unregistered]);
    fs::remove_file(own.join("README.md")).expect("removed");
    assert_eq!(complaints(&BTreeSet::from(["tokaki_sinks::csv"]), &folders), ["tokaki_sinks::csv has no README.md"]);
}

fn plugin_folder(module: &str) -> PathBuf {
    let folder = plugin_folders().into_iter().find(|(known, _)| known == module);
    folder.expect("a plugin of this repository").1
}

/// The suites walk the registry of the crate that calls them, so each crate with a plugin must.
#[test]
fn every_registered_plugin_is_tested_for_what_its_kind_promises() {
    let crates: BTreeSet<&str> = plugin::all().iter().filter_map(|plugin| plugin.module.split("::").next()).collect();
    assert!(crates.len() >= 3, "{crates:?}");
    for of_crate in crates {
        let folder = root().join("crates").join(of_crate.trim_start_matches("tokaki_")).join("tests");
        let tests = ["conformance.rs", "conformance/main.rs"].map(|file| fs::read_to_string(folder.join(file)));
        let tests: String = tests.into_iter().flatten().collect::<String>().split_whitespace().collect();
        assert!(tests.contains(&format!("conformance!({of_crate}")), "{of_crate} does not call `conformance!`");
    }
}

#[test]
fn every_sample_is_a_configuration_that_is_understood() {
    for (module, folder) in plugin_folders() {
        let sample = folder.join("sample.toml").display().to_string();
        let outcome = crate::support::tokaki::run(["config", "show", "--config", &sample]).expect("runs");
        assert_eq!(outcome.code, Some(0), "{module}: {}", outcome.stderr);
    }
}

#[test]
fn every_plugin_is_listed_with_its_summary() {
    let outcome = crate::support::tokaki::run(["plugins", "list"]).expect("runs");
    for plugin in plugin::all() {
        let line = outcome.stdout.lines().find(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some(&plugin.kind().to_string()) && words.next() == Some(plugin.name)
        });
        assert!(line.is_some_and(|line| line.ends_with(plugin.summary)), "{}", plugin.module);
        let name = format!("{}/{}", plugin.kind(), plugin.name);
        let shown = crate::support::tokaki::run(["plugins", "show", &name]).expect("runs");
        assert!(shown.stdout.contains(plugin.summary), "{}", shown.stdout);
    }
}
