//! Layers, origins and errors, end to end.

use std::fs;

use tempfile::TempDir;
use tokaki_core::Error;

use super::environment::Environment;
use super::text::Text;
use super::{Config, Sources, show};
use crate::failure::Failure;
use crate::fake::{self, CHOICE};
use crate::wire::Parts;

fn variables(pairs: &[(&str, &str)]) -> Environment {
    Environment::from_variables(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

fn file(text: &str) -> (TempDir, Sources) {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("t.toml");
    let choice: String = CHOICE.iter().map(|(key, raw)| format!("{key} = {}\n", quoted(raw))).collect();
    fs::write(&path, format!("{choice}{text}")).expect("written");
    let sources = Sources { file: Some(path), ..Sources::default() };
    (folder, sources)
}

fn quoted(raw: &str) -> String {
    if raw.starts_with('[') { raw.to_owned() } else { format!("{raw:?}") }
}

fn failure_of_a_plugin(config: &Config) -> Failure {
    let scope = config.settings.scope().expect("a scope");
    config.failure(Parts::build(config, &scope).err().expect("a plugin refuses its setting"))
}

/// The line of a file's own text, behind the nine lines of [`CHOICE`].
const FIRST: usize = CHOICE.len() + 1;

#[test]
fn later_layers_are_stronger() {
    let (_folder, mut sources) = file("[run]\nworkers = 1\nchunk_rows = 1\nallow_empty = true\n");
    sources.environment = variables(&[("TOKAKI_RUN__WORKERS", "2"), ("TOKAKI_RUN__CHUNK_ROWS", "2")]);
    sources.flags = vec![Text::new("run.workers", "3", "--set run.workers=…")];
    let config = Config::load(&sources).expect("a good configuration");
    let run = &config.settings.run;
    assert_eq!((run.workers, run.chunk_rows, run.allow_empty), (3, 2, true));
    assert_eq!(config.settings.reader.plugin, "fake");
}

#[test]
fn each_value_is_shown_with_its_origin() {
    let (_folder, mut sources) = file("run.chunk_rows = 5\n");
    sources.environment = variables(&[("TOKAKI_SINK__TOKEN", "12345678")]);
    sources.flags = vec![Text::new("sink.url", "fake://me:hunter2@there", "--sink")];
    let shown = show(&Config::load(&sources).expect("a good configuration"));
    let line = |key: &str| {
        let line = shown.lines().find(|line| line.starts_with(&format!("{key} "))).expect(key);
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(line("run.chunk_rows").ends_with(&format!("t.toml:{FIRST}")), "{shown}");
    assert_eq!(line("run.workers"), "run.workers = 0 # default");
    assert_eq!(line("aggregators.fake.limit"), "aggregators.fake.limit = 3 # default");
    assert_eq!(line("sink.token"), "sink.token = \"***\" # TOKAKI_SINK__TOKEN");
    assert_eq!(line("sink.url"), "sink.url = \"fake://me:***@there\" # --sink");
    assert!(!shown.contains("12345678") && !shown.contains("hunter2"));
}

#[test]
fn an_unknown_key_has_a_line_and_a_neighbour() {
    let (_folder, sources) = file("\n[run]\nworker = 4\n");
    let failure = Config::load(&sources).expect_err("a misspelling");
    assert_eq!(failure.error.key(), Some("run.worker"));
    assert!(failure.origin.expect("a file").ends_with(&format!("t.toml:{}", FIRST + 2)));
    assert!(failure.error.help_text().is_some_and(|help| help.contains("`run.workers`")));
}

#[test]
fn a_wrong_type_names_the_variable_or_the_flag() {
    let (_folder, mut sources) = file("");
    sources.environment = variables(&[("TOKAKI_RUN__WORKERS", "many")]);
    let failure = Config::load(&sources).expect_err("no number");
    assert_eq!(failure.origin.as_deref(), Some("TOKAKI_RUN__WORKERS"));
    assert_eq!(failure.error.message(), "expected a whole number of at least 0, found the text \"many\"");

    let failure = fake::config(&[("reader.pods", "weekly")]).expect_err("no such way");
    assert_eq!(failure.origin.as_deref(), Some("--set reader.pods=…"));
    assert!(failure.error.message().contains("hourly"), "{}", failure.error);
}

#[test]
fn broken_toml_has_a_place_and_is_not_quoted() {
    let (_folder, sources) = file("[store]\nsecret_access_key = \"hunter2\n");
    let failure = Config::load(&sources).expect_err("an open quote");
    assert!(failure.origin.as_ref().is_some_and(|origin| origin.contains(&format!("t.toml:{}:", FIRST + 1))));
    assert!(!format!("{failure:?}").contains("hunter2"));
}

#[test]
fn a_secret_of_a_wrong_type_stays_a_secret() {
    let (_folder, sources) = file("sink.token = 123456789\n");
    let failure = failure_of_a_plugin(&Config::load(&sources).expect("keys are known"));
    assert_eq!(failure.error.message(), "expected text, found another type");

    let failure = fake::config(&[("sink.tokne", "hunter2")]).expect_err("a misspelling");
    assert!(!format!("{failure:?}").contains("hunter2"));

    let config = fake::config(&[("sink.token", "hunter2")]).expect("a good configuration");
    let failure = config.failure(Error::config("sink.token", "hunter2 is refused"));
    assert_eq!(failure.error.message(), "*** is refused");
    assert_eq!(failure.origin.as_deref(), Some("--set sink.token=***"));
}

#[test]
fn text_stays_text_and_dates_need_no_quotes() {
    let config = fake::config(&[("scope.org", "1234567")]).expect("a good configuration");
    assert_eq!(config.settings.scope.org.as_deref(), Some("1234567"));
    let (_folder, sources) = file("[aggregators.fake]\nlimit = 2025-10-01\n");
    let failure = failure_of_a_plugin(&Config::load(&sources).expect("keys are known"));
    assert_eq!(failure.error.message(), "expected a whole number of at least 0, found the text \"2025-10-01\"");
    assert!(failure.origin.is_some_and(|origin| origin.ends_with(&format!("t.toml:{}", FIRST + 1))));
}

#[test]
fn unknown_plugins_are_answered_with_the_known_ones() {
    for (key, raw) in [("sink.url", "fax:123"), ("aggregators.enabled", "[\"nope\"]"), ("catalog.type", "nope")] {
        let failure = fake::config(&[(key, raw)]).expect_err("no such plugin");
        assert_eq!(failure.error.key(), Some(key));
        assert!(failure.error.help_text().is_some_and(|help| help.contains("fake")), "{}", failure.error);
    }
    assert!(fake::config(&[("sink.url", "a path")]).is_err());
}

#[test]
fn a_case_folder_is_a_layer_above_the_environment() {
    let folder = TempDir::new().expect("a folder");
    let reference = r#"{"org": "org9", "source_uuid": "u", "start_date": "2025-10-02", "end_date": "2025-10-03"}"#;
    fs::write(folder.path().join("reference.json"), reference).expect("written");
    let flags = CHOICE[..5].iter().map(|(key, raw)| Text::new(*key, *raw, "test")).collect();
    let sources = Sources { case: Some(folder.path().into()), flags, ..Sources::default() };
    // `reference.path` is a key of the file plugin; the fake one does not know it.
    let failure = Config::load(&sources).expect_err("an unknown key");
    assert_eq!(failure.error.key(), Some("reference.path"));
    assert!(failure.origin.is_some_and(|origin| origin.starts_with("case folder")));
    assert_eq!(failure.error.key(), Some("reference.path"));
    let environment = Environment::from_variables(vec![("TOKAKI_STORE__URL".into(), "elsewhere".into())]);
    let (figment, _) = Sources { environment, ..sources }.merge().expect("layers");
    assert_ne!(figment.extract_inner::<String>("store.url").expect("a text"), "elsewhere");
    let failure = Config::load(&Sources { case: Some("/nowhere".into()), ..Sources::default() });
    assert_eq!(failure.expect_err("no folder").error.key(), Some("--case"));
}
