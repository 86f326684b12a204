//! One JSON schema of the whole configuration, composed of the command's own settings and those of plugins. It says
//! which keys are known, what their defaults are, which are secret, and how to name a type to people.

use serde_json::{Map, Value, json};
use tokaki_core::PluginKind;
use tokaki_core::plugin::{self, Plugin};
use tokaki_core::section::schema_of;
use tokaki_readers::cache::CacheConfig;
use tokaki_readers::store::StoreConfig;

use super::settings::Settings;

/// Sections in the order in which they are shown.
const SECTIONS: [&str; 11] =
    ["semantics", "scope", "store", "catalog", "reader", "reference", "aggregators", "sink", "cache", "run", "log"];

/// Section of a plugin's settings.
pub(crate) fn section_of(kind: PluginKind, name: &str) -> String {
    match kind {
        PluginKind::Catalog => "catalog".into(),
        PluginKind::Reader => "reader".into(),
        PluginKind::Reference => "reference".into(),
        PluginKind::Aggregator => format!("aggregators.{name}"),
        PluginKind::Sink => "sink".into(),
    }
}

/// The settings of the command itself.
pub(crate) fn own() -> Value {
    plain(schema_of::<Settings>().to_value())
}

/// The settings of a plugin.
pub(crate) fn of_plugin(plugin: &Plugin) -> Value {
    plain((plugin.schema)().to_value())
}

/// The whole configuration with these plugins; where two of a section share a key, the first one describes it.
pub(crate) fn compose(plugins: &[&'static Plugin]) -> Value {
    let mut own = own();
    let mut properties = Map::new();
    for section in SECTIONS {
        let schema = match section {
            "store" => plain(schema_of::<StoreConfig>().to_value()),
            "cache" => plain(schema_of::<CacheConfig>().to_value()),
            _ => own["properties"][section].take(),
        };
        properties.insert(section.to_owned(), closed(schema));
    }
    for plugin in plugins {
        let schema = of_plugin(plugin);
        let name = plugin.name;
        if plugin.kind() == PluginKind::Aggregator {
            properties["aggregators"]["properties"][name] = closed(schema);
        } else if let Some(theirs) = schema["properties"].as_object() {
            let section = &mut properties[&section_of(plugin.kind(), name)]["properties"];
            for (key, schema) in theirs {
                if section[key].is_null() {
                    section[key] = schema.clone();
                }
            }
        }
    }
    json!({
        "$schema": own["$schema"],
        "title": "tokaki",
        "description": own["description"],
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// The schema with all plugins that are there.
pub(crate) fn of_everything() -> Value {
    compose(&plugin::all())
}

/// The schema at a dotted key.
pub(crate) fn at<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    key.split('.').try_fold(schema, |schema, part| schema.get("properties")?.get(part))
}

/// All settings by dotted key, in the order of the schema; sections are not settings.
pub(crate) fn leaves(schema: &Value) -> Vec<(String, &Value)> {
    fn descend<'a>(schema: &'a Value, path: &str, found: &mut Vec<(String, &'a Value)>) {
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if inner["properties"].is_object() {
                descend(inner, &key, found);
            } else if inner["type"] != "object" || inner["additionalProperties"] != false {
                found.push((key, inner));
            }
        }
    }
    let mut found = Vec::new();
    descend(schema, "", &mut found);
    found
}

/// Whether the value must not be shown.
pub(crate) fn is_secret(schema: &Value) -> bool {
    schema["writeOnly"] == true
}

/// Whether only text fits.
pub(crate) fn is_text(schema: &Value) -> bool {
    let of_type = |schema: &Value| match &schema["type"] {
        Value::Array(types) => types.iter().all(|word| word == "string" || word == "null"),
        word => word == "string" || word == "null",
    };
    let texts = |variants: &Value| {
        variants.as_array().is_some_and(|variants| variants.iter().all(|one| of_type(one) || one["const"].is_string()))
    };
    of_type(schema) || texts(&schema["oneOf"]) || texts(&schema["anyOf"])
}

/// What fits, in words for people.
pub(crate) fn type_words(schema: &Value) -> String {
    let variants = |name: &str| schema[name].as_array().cloned().unwrap_or_default();
    let consts: Vec<Value> = variants("oneOf").iter().map(|one| one["const"].clone()).collect();
    let choices = if variants("enum").is_empty() { consts } else { variants("enum") };
    let choices: Vec<&str> = choices.iter().filter_map(Value::as_str).collect();
    if !choices.is_empty() {
        return choices.join(" | ");
    }
    if let Some(inner) = variants("anyOf").iter().find(|one| one["type"] != "null") {
        return type_words(inner);
    }
    let word = match &schema["type"] {
        Value::Array(types) => types.iter().find(|word| *word != "null").unwrap_or(&Value::Null),
        word => word,
    };
    match word.as_str() {
        Some("string") if schema["format"] == "date" => "a date such as 2025-10-01".into(),
        Some("string") => "text".into(),
        Some("integer") => match schema["minimum"].as_i64() {
            Some(minimum) => format!("a whole number of at least {minimum}"),
            None => "a whole number".into(),
        },
        Some("number") => "a number".into(),
        Some("boolean") => "true or false".into(),
        Some("array") => format!("a list of {}", type_words(&schema["items"]).trim_start_matches("a ")),
        Some("object") => "a table".into(),
        _ => "a value".into(),
    }
}

/// A section that takes no other keys than its own.
fn closed(mut schema: Value) -> Value {
    if let Some(section) =
        schema.as_object_mut().filter(|section| section.get("type").is_some_and(|word| word == "object"))
    {
        // Defaults belong to settings; that of a section would say all of them a second time.
        section.remove("default");
        section.remove("$schema");
        section.remove("title");
        section.entry("properties").or_insert_with(|| json!({}));
        section.entry("additionalProperties").or_insert(false.into());
    }
    schema
}

/// The schema with each `$ref` replaced by what it means, so that nobody else has to follow one.
fn plain(mut schema: Value) -> Value {
    /// Config types are trees of a few levels; one that contains itself is cut here.
    const DEEPEST: usize = 16;
    fn resolve(schema: &mut Value, definitions: &Value, depth: usize) {
        if depth == DEEPEST {
            return;
        }
        if let Some(own) = schema.as_object_mut()
            && let Some(reference) = own.remove("$ref")
        {
            let name = reference.as_str().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
            for (key, value) in definitions[name].as_object().into_iter().flatten() {
                own.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        match schema {
            Value::Object(inner) => inner.values_mut().for_each(|inner| resolve(inner, definitions, depth + 1)),
            Value::Array(inner) => inner.iter_mut().for_each(|inner| resolve(inner, definitions, depth + 1)),
            _ => {}
        }
    }
    let definitions = schema.as_object_mut().and_then(|schema| schema.remove("$defs")).unwrap_or_default();
    resolve(&mut schema, &definitions, 0);
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_settings_have_types_and_defaults() {
        let schema = compose(&[]);
        let words = |key: &str| type_words(at(&schema, key).expect(key));
        assert_eq!(words("semantics"), "koku | conserving");
        assert_eq!(words("scope.org"), "text");
        assert_eq!(words("scope.start_date"), "a date such as 2025-10-01");
        assert_eq!(words("reader.pods"), "auto | daily | hourly");
        assert_eq!(words("aggregators.enabled"), "a list of text");
        assert_eq!(words("run.workers"), "a whole number of at least 0");
        assert_eq!(words("run"), "a table");
        assert_eq!(at(&schema, "run.chunk_rows").expect("known")["default"], 32_768);
        assert!(is_text(at(&schema, "semantics").expect("known")) && is_text(at(&schema, "scope.org").expect("known")));
        assert!(!is_text(at(&schema, "run.workers").expect("known")));
    }

    #[test]
    fn plugins_add_their_settings_and_secrets() {
        let schema = of_everything();
        assert!(is_secret(at(&schema, "sink.token").expect("the fake sink has it")));
        assert!(at(&schema, "aggregators.fake.limit").is_some());
        assert!(!schema.to_string().contains("$ref"));
        let keys: Vec<_> = leaves(&schema).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys[0], "semantics");
        assert!(keys.contains(&"store.url".to_owned()) && !keys.contains(&"run".to_owned()));
    }
}
