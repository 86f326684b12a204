//! What entries of a cache depend on besides scope and files.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde_json::{Value, json};
use tokaki_core::plugin::Plugin;
use tokaki_core::{PluginKind, ReferenceData};

use crate::config::Config;

/// Everything that decides over the rows of the same files, as text. It leaves out what does not, such as workers and
/// the destination, and everything secret.
pub(crate) fn settings(
    config: &Config,
    aggregators: &BTreeMap<&'static str, &'static Plugin>,
    reference: &ReferenceData,
) -> String {
    let own = |plugin: &&'static Plugin| config.section(plugin).settings().clone();
    let settings = &config.settings;
    json!({
        "program": program(),
        "store": place(config),
        "semantics": settings.semantics,
        "reader": [&settings.reader.plugin],
        "reader_settings": config.plugin(PluginKind::Reader).ok().map(|plugin| own(&plugin)),
        "enabled": settings.aggregators.enabled,
        "aggregators": aggregators.iter().map(|(name, plugin)| ((*name).to_owned(), own(plugin).into())).collect::<serde_json::Map<String, Value>>(),
        "reference": reference,
    })
    .to_string()
}

/// This very program: two builds of one version may count differently.
fn program() -> Value {
    let file = std::env::current_exe().and_then(std::fs::metadata).ok();
    let written = file.as_ref().and_then(|file| file.modified().ok()?.duration_since(UNIX_EPOCH).ok());
    json!([
        env!("CARGO_PKG_VERSION"),
        file.map(|file| file.len()),
        written.map(|written| written.as_nanos().to_string())
    ])
}

/// Where the files are. The same path and version may be another file elsewhere.
fn place(config: &Config) -> Value {
    let store = config.store();
    let text = |name: &str| store.settings().get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let url = text("url");
    let folder = Path::new(&url).canonicalize().map(|path| path.display().to_string());
    json!([folder.unwrap_or(url), text("endpoint")])
}
