//! The configuration: layers are merged, keys checked, and each part is handed to whom it belongs.

mod aliases;
mod case;
pub(crate) mod environment;
mod explain;
mod init;
mod keys;
mod layers;
mod origin;
mod resolve;
pub(crate) mod schema;
mod secrets;
pub(crate) mod settings;
mod show;
pub(crate) mod text;

#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde_json::{Map, Value};
use tokaki_core::plugin::{self, Plugin};
use tokaki_core::{Error, PluginKind, Result, Section};

pub(crate) use init::init;
pub(crate) use layers::Sources;
pub(crate) use show::show;

use crate::failure::Failure;
use origin::Origins;
use secrets::Secrets;
use settings::Settings;
use text::Text;

/// A configuration whose keys are all known and whose own settings have their types. Plugins check theirs when they
/// are built.
#[derive(Debug)]
pub(crate) struct Config {
    /// The command's own settings.
    pub(crate) settings: Settings,
    tree: Value,
    schema: Value,
    origins: Origins,
    secrets: Secrets,
}

impl Config {
    /// Merges and checks the layers.
    ///
    /// # Errors
    /// Whatever makes the configuration unusable, with the origin of the setting at fault.
    pub(crate) fn load(sources: &Sources) -> Result<Self, Failure> {
        let (figment, file) = sources.merge()?;
        let tree = figment.find_value("").ok().map(with_words_for_no_numbers);
        let tree = tree.and_then(|value| serde_json::to_value(value).ok());
        let tree = with_plain_dates(tree.ok_or_else(|| Error::bug("the merged configuration is no table"))?);
        let schema = schema::of_everything();
        let mut config = Self {
            settings: Settings::default(),
            secrets: Secrets::of(&tree, &schema),
            tree,
            schema,
            origins: Origins { figment, file },
        };
        match config.check(sources) {
            Ok(()) => Ok(config),
            Err(error) => Err(config.failure(error)),
        }
    }

    fn check(&mut self, sources: &Sources) -> Result<()> {
        // Of several texts for one key the last one counts; the others find their work done.
        for text in sources.texts().rev() {
            self.keep_text(text);
        }
        self.settings = serde_path_to_error::deserialize(&self.tree)
            .map_err(|error| Error::config(error.path().to_string(), error.inner().to_string()))?;
        let mut plugins: Vec<&'static Plugin> = plugin::all();
        plugins.retain(|plugin| plugin.kind() == PluginKind::Aggregator);
        for kind in [PluginKind::Catalog, PluginKind::Reader, PluginKind::Reference, PluginKind::Sink] {
            plugins.push(self.plugin(kind)?);
        }
        self.schema = schema::compose(&plugins);
        for name in &self.settings.aggregators.enabled {
            plugin::find(PluginKind::Aggregator, name, "aggregators.enabled")?;
        }
        keys::check(&self.tree, &self.schema)
    }

    /// Variables and flags carry text. Where a setting is text, it is taken as it is: the organisation `1234567` is
    /// no number there.
    fn keep_text(&mut self, text: &Text) {
        let effective = self.origins.of(&text.key).is_some_and(|origin| origin == text.origin);
        if effective && schema::at(&self.schema, &text.key).is_some_and(schema::is_text) {
            let pointer = format!("/{}", text.key.replace('.', "/"));
            if let Some(value) = self.tree.pointer_mut(&pointer).filter(|value| !value.is_string()) {
                *value = Value::String(text.raw.clone());
            }
        }
    }

    /// The chosen plugin of a kind of which a run has one.
    ///
    /// # Errors
    /// `Config` with the names that there are.
    pub(crate) fn plugin(&self, kind: PluginKind) -> Result<&'static Plugin> {
        let settings = &self.settings;
        match kind {
            PluginKind::Catalog => plugin::find(kind, &settings.catalog.plugin, "catalog.type"),
            PluginKind::Reader => plugin::find(kind, &settings.reader.plugin, "reader.type"),
            PluginKind::Reference => plugin::find(kind, &settings.reference.plugin, "reference.type"),
            PluginKind::Sink => plugin::find(kind, sink_name(&settings.sink.url)?, "sink.url"),
            PluginKind::Aggregator => Err(Error::bug("a run has any number of aggregators")),
        }
    }

    /// The settings of `[store]`.
    pub(crate) fn store(&self) -> Section {
        Section::new("store", self.table("store"))
    }

    /// The settings of `[cache]`.
    pub(crate) fn cache(&self) -> Section {
        Section::new("cache", self.table("cache"))
    }

    /// The settings that are the plugin's. A key that the command and the plugin both know, such as `sink.url`, goes
    /// to both.
    pub(crate) fn section(&self, plugin: &Plugin) -> Section {
        let path = schema::section_of(plugin.kind(), plugin.name);
        let (own, theirs) = (schema::own(), schema::of_plugin(plugin));
        let mut settings = self.table(&path);
        settings.retain(|key, _| {
            !theirs["properties"][key].is_null() || schema::at(&own, &format!("{path}.{key}")).is_none()
        });
        Section::new(path, settings)
    }

    fn table(&self, path: &str) -> Map<String, Value> {
        let table = path.split('.').try_fold(&self.tree, |tree, part| tree.get(part));
        table.and_then(Value::as_object).cloned().unwrap_or_default()
    }

    /// The error with the origin of the setting at fault, in words for people and without secrets.
    pub(crate) fn failure(&self, error: Error) -> Failure {
        let error = explain::explain(error, &self.tree, &self.schema);
        let origin = error.key().and_then(|key| {
            let origin = self.origins.of(key)?;
            let secret = schema::at(&self.schema, key).is_some_and(schema::is_secret);
            Some(if secret { origin.replace('…', "***") } else { origin })
        });
        Failure::from(self.without_secrets(&error)).given_at(origin.filter(|origin| origin != layers::DEFAULT))
    }

    fn without_secrets(&self, error: &Error) -> Error {
        let message = self.secrets.mask(error.message());
        let clean = match error.key() {
            // A configuration error is the only one with a key.
            Some(key) => Error::config(key, message),
            None => Error::new(error.kind(), message),
        };
        let clean = clean.at(error.place());
        match error.help_text() {
            Some(help) => clean.help(self.secrets.mask(help)),
            None => clean,
        }
    }
}

/// The sink plugin that a URL asks for: its scheme, whatever spelling of it.
fn sink_name(url: &str) -> Result<&str> {
    let is_scheme =
        |scheme: &&str| !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    match url.split_once(':').map(|(scheme, _)| scheme).filter(is_scheme) {
        Some("postgresql") => Ok("postgres"),
        Some(scheme) => Ok(scheme),
        None => Err(Error::config("sink.url", "expected a URL that starts with a scheme")
            .help("for instance sqlite:tokaki.db, parquet:out or postgresql://user@host/database")),
    }
}

/// What JSON has no number for becomes text, so that it is not taken for nothing.
fn with_words_for_no_numbers(value: figment::value::Value) -> figment::value::Value {
    use figment::value::{Num, Value};
    match value {
        Value::Num(tag, Num::F64(number)) if !number.is_finite() => Value::String(tag, number.to_string()),
        Value::Dict(tag, table) => {
            let inner = table.into_iter().map(|(key, value)| (key, with_words_for_no_numbers(value)));
            Value::Dict(tag, inner.collect())
        }
        Value::Array(tag, values) => Value::Array(tag, values.into_iter().map(with_words_for_no_numbers).collect()),
        other => other,
    }
}

/// An unquoted TOML date arrives as a table of one key that no user can write; it becomes text.
fn with_plain_dates(value: Value) -> Value {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct TomlDate {
        #[serde(rename = "$__toml_private_datetime")]
        text: String,
    }
    match value {
        Value::Object(table) => match TomlDate::deserialize(&table) {
            Ok(date) => Value::String(date.text),
            Err(_) => table.into_iter().map(|(key, value)| (key, with_plain_dates(value))).collect(),
        },
        Value::Array(values) => values.into_iter().map(with_plain_dates).collect(),
        other => other,
    }
}
