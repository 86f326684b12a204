//! A plugin's part of the configuration, before it has a type.

use schemars::Schema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// The settings under one key of the configuration, for instance those of `[aggregators.pod]`.
#[derive(Debug, Clone, Default)]
pub struct Section {
    path: String,
    settings: Map<String, Value>,
}

impl Section {
    /// The settings found under the dotted `path`.
    pub fn new(path: impl Into<String>, settings: Map<String, Value>) -> Self {
        Self { path: path.into(), settings }
    }

    /// Dotted path of the section.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The settings, as they were given.
    pub fn settings(&self) -> &Map<String, Value> {
        &self.settings
    }

    /// The settings as the plugin's own config type.
    ///
    /// # Errors
    /// `Config`, naming the setting at fault by its full path.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        serde_path_to_error::deserialize(Value::Object(self.settings.clone())).map_err(|error| {
            let inner = error.path().to_string();
            let key = match inner.as_str() {
                "." => self.path.clone(),
                inner => format!("{}.{inner}", self.path),
            };
            Error::config(key, error.into_inner().to_string())
        })
    }
}

/// The JSON schema of a config type; its descriptions are the type's doc comments.
pub fn schema_of<T: schemars::JsonSchema>() -> Schema {
    schemars::schema_for!(T)
}

/// The config of a plugin that has no settings.
#[derive(Debug, Clone, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Config {
        #[serde(rename = "rows")]
        _rows: u32,
    }

    #[test]
    fn an_error_names_the_full_path() {
        let settings = serde_json::json!({"rows": "many"});
        let section = Section::new("reader", settings.as_object().cloned().unwrap_or_default());
        let error = section.parse::<Config>().expect_err("a text is no number");
        assert_eq!(error.key(), Some("reader.rows"));
    }
}
