//! `tokaki config show`: every setting, its value and who gave it.

use std::fmt::Write;

use serde_json::Value;

use super::{Config, layers, schema, secrets};

/// All settings as aligned `key = value   # origin` lines, secrets masked.
pub(crate) fn show(config: &Config) -> String {
    let lines: Vec<[String; 3]> = schema::leaves(&config.schema)
        .into_iter()
        .map(|(key, schema)| {
            let given = key.split('.').try_fold(&config.tree, |tree, part| tree.get(part));
            let value = match given.unwrap_or(&schema["default"]) {
                Value::Null => "(not set)".to_owned(),
                value => secrets::masked(value, Some(schema)).to_string(),
            };
            let origin = config.origins.of(&key).unwrap_or_else(|| layers::DEFAULT.to_owned());
            [key, value, origin]
        })
        .collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
    let (key_width, value_width) = (width(0), width(1));
    lines.iter().fold(String::new(), |mut text, [key, value, origin]| {
        let _ = writeln!(text, "{key:key_width$} = {value:value_width$}  # {origin}");
        text
    })
}
