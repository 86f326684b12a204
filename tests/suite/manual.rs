//! The configuration explains itself: `plugins manual`, `config init`.

use std::fs;

use tempfile::TempDir;

use crate::support::{root, tokaki};

#[test]
fn docs_plugins_is_what_the_plugins_say() {
    let outcome = tokaki::run(["plugins", "manual"]).expect("runs");
    let page = fs::read_to_string(root().join("docs/plugins.md")).expect("the page");
    assert!(page == outcome.stdout, "docs/plugins.md is not what the plugins say: run cargo xtask docs");
    for plugin in tokaki_core::plugin::all() {
        assert!(page.contains(&format!("### {} `{}`", plugin.kind(), plugin.name)), "{}", plugin.module);
    }
}

/// A configuration that was printed, given back.
fn shown(text: &str) -> String {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("tokaki.toml");
    fs::write(&file, text).expect("written");
    let arguments = ["config", "show", "--config", file.to_str().expect("UTF-8")];
    let outcome = tokaki::run(arguments).expect("runs");
    assert_eq!(outcome.code, Some(0), "{}\n{text}", outcome.stderr);
    // Without the origins, which are the file or not.
    outcome.stdout.lines().map(|line| line.split("  # ").next().unwrap_or(line).trim_end().to_owned() + "\n").collect()
}

#[test]
fn a_configuration_to_start_from_is_understood_and_its_defaults_are_the_defaults() {
    let arguments = ["config", "init", "--aggregators", "pod,gpu,ocp_on_aws", "--sink", "postgresql://koku@db/koku"];
    let outcome = tokaki::run(arguments).expect("runs");
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let text = outcome.stdout;
    let as_printed = shown(&text);
    assert!(as_printed.contains("[\"pod\",\"gpu\",\"ocp_on_aws\"]"), "{as_printed}");
    assert!(text.contains("[aggregators.ocp_on_aws]") && text.contains("# First day."), "{text}");
    // A setting behind `#` says what is in effect without it.
    let is_default = |line: &&str| line.starts_with("# ") && line.contains(" = ") && !line.contains('(');
    let uncommented: String = text
        .lines()
        .map(|line| if is_default(&line) { line[2..].to_owned() } else { line.to_owned() } + "\n")
        .collect();
    assert_ne!(uncommented, text);
    assert_eq!(shown(&uncommented), as_printed);
}

#[test]
fn every_kind_of_plugin_can_be_chosen_and_a_catalog_brings_its_reader() {
    let init = |arguments: &[&str]| {
        let outcome = tokaki::run(["config", "init"].iter().chain(arguments)).expect("runs");
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        // Without the blanks that align what is shown.
        shown(&outcome.stdout).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for one in [["--catalog", "operator"], ["--reader", "csv"]] {
        let shown = init(&one);
        assert!(shown.contains("reader.type = \"csv\"") && shown.contains("catalog.type = \"operator\""), "{shown}");
        assert!(shown.contains("catalog.max_unpacked"), "{shown}");
    }
    let shown = init(&["--catalog", "flat", "--reference", "postgres"]);
    assert!(shown.contains("catalog.type = \"flat\"") && shown.contains("reference.type = \"postgres\""), "{shown}");
    assert!(shown.contains("reader.type = \"parquet\""), "{shown}");
}

#[test]
fn who_names_no_plugin_is_told_which_there_are() {
    let outcome = tokaki::run(["config", "init", "--aggregators", "pods"]).expect("runs");
    assert_eq!(outcome.code, Some(10));
    assert!(outcome.stderr.contains("unallocated"), "{}", outcome.stderr);
}
