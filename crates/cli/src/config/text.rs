//! A setting given as text: by a variable of the environment or by a flag.

use figment::providers::{Format, Toml};
use figment::value::{Dict, Value};

/// A dotted key and the text given for it.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    /// Dotted key, for instance `run.workers`.
    pub(crate) key: String,
    /// The text, as given. May be a secret.
    pub(crate) raw: String,
    /// Who gave it, for messages: a variable's name or a flag.
    pub(crate) origin: String,
}

impl Text {
    /// The text `raw` for `key`, given by `origin`.
    pub(crate) fn new(key: impl Into<String>, raw: impl Into<String>, origin: impl Into<String>) -> Self {
        Self { key: key.into(), raw: raw.into(), origin: origin.into() }
    }

    /// The text as a TOML value, or as it is where it is none.
    pub(crate) fn value(&self) -> Value {
        match Toml::from_str::<Dict>(&format!("value = {}", self.raw)) {
            Ok(mut parsed) if parsed.len() == 1 => {
                parsed.remove("value").unwrap_or_else(|| Value::from(self.raw.as_str()))
            }
            _ => Value::from(self.raw.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_a_toml_value_or_itself() {
        let value = |raw: &str| serde_json::to_value(Text::new("k", raw, "test").value()).expect("plain data");
        assert_eq!(value("4"), 4);
        assert_eq!(value("true"), true);
        assert_eq!(value(r#"["a", "b"]"#), serde_json::json!(["a", "b"]));
        assert_eq!(value("s3://bucket/prefix"), "s3://bucket/prefix");
        assert_eq!(value(""), "");
        assert_eq!(value("1\nother = 2"), "1\nother = 2");
    }
}
