//! `tokaki config init`: a configuration to start from, with every setting explained.

use std::fmt::Write;

use figment::Figment;
use figment::providers::{Format, Toml};
use serde_json::{Map, Value, json};
use tokaki_core::plugin::{self, Plugin};
use tokaki_core::{Error, PluginKind, Result};

use super::settings::Settings;
use super::{schema, sink_name};
use crate::args::InitArgs;

/// A commented TOML file for these plugins; the usual ones if none are named. What the samples of the plugins set is
/// set; all other settings stand behind `#` with their defaults.
///
/// # Errors
/// `Config` if there is no such plugin.
pub(crate) fn init(args: &InitArgs) -> Result<String> {
    let usual = Settings::default();
    let enabled = if args.aggregators.is_empty() { &usual.aggregators.enabled } else { &args.aggregators };
    // Of a catalog and a reader that go together, one says which the other is.
    let of_catalog = named_by_sample(PluginKind::Catalog, args.catalog.as_deref(), "reader")?;
    let of_reader = named_by_sample(PluginKind::Reader, args.reader.as_deref(), "catalog")?;
    let catalog = args.catalog.as_ref().or(of_reader.as_ref()).unwrap_or(&usual.catalog.plugin);
    let reader = args.reader.as_ref().or(of_catalog.as_ref()).unwrap_or(&usual.reader.plugin);
    let reference = args.reference.as_ref().unwrap_or(&usual.reference.plugin);
    let sink = args.sink.as_ref().unwrap_or(&usual.sink.url);
    let mut plugins = vec![
        plugin::find(PluginKind::Catalog, catalog, "catalog.type")?,
        plugin::find(PluginKind::Reader, reader, "reader.type")?,
        plugin::find(PluginKind::Reference, reference, "reference.type")?,
    ];
    for name in enabled {
        plugins.push(plugin::find(PluginKind::Aggregator, name, "aggregators.enabled")?);
    }
    plugins.push(plugin::find(PluginKind::Sink, sink_name(sink)?, "sink.url")?);
    let mut given = samples(&plugins)?;
    given["aggregators"]["enabled"] = json!(enabled);
    for (section, name, is_given) in [
        ("catalog", catalog, args.catalog.is_some()),
        ("reader", reader, args.reader.is_some()),
        ("reference", reference, args.reference.is_some()),
    ] {
        // A sample may name another one.
        if is_given || !given[section]["type"].is_null() {
            given[section]["type"] = json!(name);
        }
    }
    if let Some(url) = &args.sink {
        given["sink"]["url"] = json!(url);
    }
    let schema = schema::compose(&plugins);
    let mut text =
        "# A configuration of tokaki: `tokaki run --config FILE`. `tokaki config show` tells what is in effect.\n\n"
            .to_owned();
    section(&mut text, "", &schema, &given);
    Ok(text)
}

/// The plugin that the sample of this one names for `section`, if there is one.
fn named_by_sample(kind: PluginKind, name: Option<&str>, section: &str) -> Result<Option<String>> {
    let Some(name) = name else { return Ok(None) };
    let sample = samples(&[plugin::find(kind, name, &format!("{kind}.type"))?])?;
    Ok(sample[section]["type"].as_str().map(str::to_owned))
}

/// What the samples set, the later ones stronger.
fn samples(plugins: &[&'static Plugin]) -> Result<Value> {
    let merged = plugins.iter().fold(Figment::new(), |figment, plugin| figment.merge(Toml::string(plugin.sample)));
    merged.extract().map_err(|error| Error::bug(format!("a sample is not valid TOML: {error}")))
}

/// The settings of a table, then the tables inside it.
fn section(text: &mut String, path: &str, schema: &Value, given: &Value) {
    let nothing = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&nothing);
    let is_section = |inner: &Value| inner["properties"].is_object();
    for (key, inner) in properties.iter().filter(|(_, inner)| !is_section(inner)) {
        comment(text, &format!("{} ({})", described(inner), schema::type_words(inner)));
        let line = match (&given[key], &inner["default"]) {
            (Value::Null, Value::Null) => format!("# {key} ="),
            (Value::Null, default) => format!("# {key} = {}", as_toml(default)),
            (given, _) => format!("{key} = {}", as_toml(given)),
        };
        text.push_str(line.trim_end());
        text.push('\n');
    }
    for (key, inner) in properties.iter().filter(|(_, inner)| is_section(inner)) {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        text.push('\n');
        comment(text, &described(inner));
        let _ = writeln!(text, "[{path}]");
        section(text, &path, inner, &given[key]);
    }
}

fn described(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().replace('\n', " ")
}

fn comment(text: &mut String, words: &str) {
    if !words.is_empty() {
        let _ = writeln!(text, "# {words}");
    }
}

fn as_toml(value: &Value) -> String {
    let list = |values: &[Value]| values.iter().map(as_toml).collect::<Vec<_>>().join(", ");
    match value {
        Value::String(text) => toml_edit::Value::from(text).to_string(),
        Value::Array(values) => format!("[{}]", list(values)),
        Value::Object(table) => {
            let pair = |(key, value): (&String, &Value)| format!("{} = {}", toml_edit::Key::new(key), as_toml(value));
            format!("{{ {} }}", table.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
