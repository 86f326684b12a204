//! What people read when a setting, a name or the way to the destination is wrong. Every message names the place, says
//! what to do, and the exit code is the documented one.

use std::fs;

use insta::assert_snapshot;
use tokaki_tests::cases::Case;

use crate::support::tokaki;

/// Runs the case with these arguments; the exit code and what was said of the failure.
fn failure(arguments: &[&str]) -> String {
    let case = Case::of_repository("pods-only").folder.display().to_string();
    let mut all = vec!["run", "--case", &case];
    all.extend(arguments);
    let outcome = tokaki::run(&all).expect("runs");
    assert!(outcome.stdout.is_empty(), "{}", outcome.stdout);
    let start = outcome.stderr.find("error:").expect("an error");
    format!("exit code {}\n{}", outcome.code.unwrap_or(-1), &outcome.stderr[start..])
}

/// Like [`failure`], with a configuration file.
fn failure_of(config: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("site.toml");
    fs::write(&file, config).expect("written");
    let file = file.display().to_string();
    failure(&["--config", &file]).replace(&file, "site.toml")
}

#[test]
fn a_typing_mistake_in_a_file() {
    assert_snapshot!(failure_of("semantics = \"koku\"\n\n[run]\nworker = 3\n"), @"
    exit code 10
    error: config: `run.worker` is not a known key
      --> site.toml:4
      help: did you mean `run.workers`?
      nothing was changed
    ");
}

#[test]
fn a_wrong_type_in_a_file() {
    assert_snapshot!(failure_of("[run]\nworkers = \"many\"\n"), @r#"
    exit code 10
    error: config: `run.workers`: expected a whole number of at least 0, found the text "many"
      --> site.toml:2
      nothing was changed
    "#);
}

#[test]
fn a_number_that_is_none() {
    for given in [failure(&["--set", "run.shrink_limit=nan"]), failure_of("[run]\nshrink_limit = nan\n")] {
        assert!(given.contains("`run.shrink_limit`: expected a number, found the text \"NaN\""), "{given}");
    }
}

#[test]
fn a_reader_that_cannot_read_what_the_catalog_lists() {
    assert_snapshot!(failure(&["--set", "catalog.type=operator"]), @"
    exit code 10
    error: config: `reader.type`: the catalog `operator` lists csv files, and the reader `parquet` reads parquet
      help: choose another of the two: `tokaki plugins list` says which reader reads csv files
      nothing was changed
    ");
}

#[test]
fn a_typing_mistake_in_a_flag() {
    assert_snapshot!(failure(&["--set", "reader.pod=hourly"]), @"
    exit code 10
    error: config: `reader.pod` is not a known key
      --> --set reader.pod=…
      help: did you mean `reader.pods`?
      nothing was changed
    ");
}

#[test]
fn an_unknown_plugin() {
    assert_snapshot!(failure(&["--set", "catalog.type=hive"]), @"
    exit code 10
    error: config: `catalog.type`: there is no catalog plugin `hive`
      --> --set catalog.type=…
      help: registered catalog plugins: flat, koku, operator
      nothing was changed
    ");
    assert_snapshot!(failure(&["--aggregators", "pods"]), @"
    exit code 10
    error: config: `aggregators.enabled`: there is no aggregator plugin `pods`
      --> --aggregators
      help: registered aggregator plugins: aws_pairs, aws_tags, cluster_names, gpu, labels, ocp_on_aws, pod, storage, unallocated, vm
      nothing was changed
    ");
}

#[test]
fn a_folder_that_is_not_there() {
    assert_snapshot!(failure(&["--set", "store.url=no-such-folder"]), @"
    exit code 10
    error: absent: there is no folder no-such-folder
      help: store.url names the folder
      nothing was changed
    ");
}

#[test]
fn another_sources_reference() {
    let message = failure(&["--source", "00000000-0000-0000-0000-00000000000A"]);
    assert!(message.starts_with("exit code 12"), "{message}");
    assert!(message.contains("the run about 00000000-0000-0000-0000-00000000000a"), "{message}");
    assert!(failure(&["--source", "abc"]).contains("`scope.source_uuid`: expected a uuid"));
}

#[test]
fn nothing_to_write() {
    assert_snapshot!(failure(&["--aggregators", "labels"]), @"
    exit code 10
    error: config: `aggregators.enabled`: none of the enabled aggregators writes rows
      --> --aggregators
      help: enable one that does, for instance pod
      nothing was changed
    ");
}

#[test]
fn an_unreachable_database_without_its_password() {
    let message = failure(&["--sink", "postgresql://me:geheim@127.0.0.1:1/db"]);
    assert!(!message.contains("geheim"), "{message}");
    assert_snapshot!(message, @"
    exit code 21
    error: database: PostgreSQL at 127.0.0.1:1 cannot be used: error communicating with database: Connection refused (os error 111)
      help: look whether host and port of sink.url are right and the server runs
      the destination was not changed
    ");
}

#[test]
fn no_input_at_all() {
    let message = failure(&["--start-date", "2024-01-01", "--end-date", "2024-01-31"]);
    assert_snapshot!(message, @"
    exit code 11
    error: empty: no file of any needed table was found for source a70b7e4e-4641-40bd-aafe-01f33fe50bd9 in 2024-01
      help: check store.url, scope.org and scope.source_uuid; --allow-empty writes an empty result on purpose
      nothing was changed
    ");
}

#[test]
fn a_value_from_the_environment() {
    let case = Case::of_repository("pods-only").folder.display().to_string();
    let outcome = tokaki::run_with(&[("TOKAKI_RUN__WORKERS", "x")], ["run", "--case", &case]).expect("runs");
    assert_eq!(outcome.code, Some(10));
    assert_snapshot!(outcome.stderr, @r#"
    error: config: `run.workers`: expected a whole number of at least 0, found the text "x"
      --> TOKAKI_RUN__WORKERS
      nothing was changed
    "#);
}

#[test]
fn settings_show_their_origin_and_no_secret() {
    let variables = [("TOKAKI_STORE__SECRET_ACCESS_KEY", "geheim"), ("TOKAKI_SEMANTICS", "conserving")];
    let arguments = ["config", "show", "--set", "run.workers=3", "--set", "sink.url=postgresql://me:geheim@host/db"];
    let outcome = tokaki::run_with(&variables, arguments).expect("runs");
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(!outcome.stdout.contains("geheim"), "{}", outcome.stdout);
    for [key, value, origin] in [
        ["semantics", "\"conserving\"", "# TOKAKI_SEMANTICS"],
        ["store.secret_access_key", "\"***\"", "# TOKAKI_STORE__SECRET_ACCESS_KEY"],
        ["run.workers", "3", "# --set run.workers"],
        ["run.chunk_rows", "32768", "# default"],
    ] {
        let line = outcome.stdout.lines().find(|line| line.split_whitespace().next() == Some(key));
        let line = line.unwrap_or_else(|| panic!("{key} is not shown"));
        assert!(line.contains(value) && line.contains(origin), "{line}");
    }
}

#[test]
fn an_error_in_json_is_one_object_on_the_last_line() {
    let case = Case::of_repository("pods-only").folder.display().to_string();
    let arguments = ["run", "--case", &case, "--log-format", "json", "--sink", "parquet:/dev/null/x"];
    let outcome = tokaki::run(arguments).expect("runs");
    let last = outcome.stderr.lines().last().expect("a line");
    let error: serde_json::Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(error["level"], "error");
    assert_eq!(error["exit_code"], outcome.code.expect("a code"));
}
