//! Unknown keys, and the known one that was probably meant.

use serde_json::Value;
use tokaki_core::{Error, Result, plugin};

use super::schema;

/// Finds the first key that the schema does not know.
///
/// # Errors
/// `Config`, with the nearest known key as help.
pub(crate) fn check(tree: &Value, whole: &Value) -> Result<()> {
    descend(tree, whole, "", whole)
}

fn descend(tree: &Value, schema: &Value, path: &str, whole: &Value) -> Result<()> {
    let (Some(known), Some(given)) = (schema["properties"].as_object(), tree.as_object()) else { return Ok(()) };
    for (name, inner) in given {
        let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match known.get(name) {
            Some(schema) if schema["properties"].is_object() && !inner.is_object() => {
                return Err(Error::config(&key, "expected a table"));
            }
            Some(schema) => descend(inner, schema, &key, whole)?,
            None if schema["additionalProperties"] == false => return Err(unknown(&key, whole)),
            None => {}
        }
    }
    Ok(())
}

fn unknown(key: &str, whole: &Value) -> Error {
    let error = Error::config(key, format!("`{key}` is not a known key"));
    let (section, name) = key.rsplit_once('.').unwrap_or(("", key));
    let others: Vec<_> = plugin::all()
        .into_iter()
        .filter(|plugin| {
            schema::section_of(plugin.kind(), plugin.name) == section
                && !schema::of_plugin(plugin)["properties"][name].is_null()
        })
        .map(|plugin| format!("the {} plugin `{}`", plugin.kind(), plugin.name))
        .collect();
    if !others.is_empty() {
        return error.help(format!("it is a setting of {}, which is not the chosen one", others.join(" and ")));
    }
    match nearest(key, whole) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("`tokaki config show` lists all settings"),
    }
}

/// The known key or section that `key` is probably a misspelling of.
fn nearest(key: &str, whole: &Value) -> Option<String> {
    const ALIKE: f64 = 0.6;
    // The right name in the wrong section counts, but less than the same section.
    const ELSEWHERE: f64 = 0.95;
    let last = |key: &str| key.rsplit('.').next().unwrap_or(key).to_owned();
    let mut known: Vec<String> = schema::leaves(whole).into_iter().map(|(key, _)| key).collect();
    known.extend(whole["properties"].as_object().into_iter().flatten().map(|(section, _)| section.clone()));
    known
        .into_iter()
        .map(|candidate| {
            let alike = strsim::normalized_damerau_levenshtein;
            let score = alike(key, &candidate).max(ELSEWHERE * alike(&last(key), &last(&candidate)));
            (score, candidate)
        })
        .filter(|(score, _)| *score >= ALIKE)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn help_for(tree: &Value) -> String {
        let error = check(tree, &schema::compose(&[])).expect_err("an unknown key");
        format!("{} {}", error.key().unwrap_or_default(), error.help_text().unwrap_or_default())
    }

    #[test]
    fn the_nearest_key_is_named() {
        let cases = [
            (json!({"run": {"worker": 4}}), "run.worker did you mean `run.workers`"),
            (json!({"workers": 4}), "workers did you mean `run.workers`"),
            (json!({"snik": {"url": ""}}), "snik did you mean `sink`"),
            (json!({"scope": {"start": ""}}), "scope.start did you mean `scope.start_date`"),
            (json!({"zzz": 1}), "zzz `tokaki config show`"),
        ];
        for (tree, expected) in cases {
            assert!(help_for(&tree).starts_with(expected), "{}", help_for(&tree));
        }
    }

    #[test]
    fn a_setting_of_another_plugin_is_told_so() {
        let help = help_for(&json!({"sink": {"token": "x"}}));
        assert!(help.contains("the sink plugin `fake`"), "{help}");
    }

    #[test]
    fn a_value_for_a_section_is_refused() {
        let error = check(&json!({"store": 5}), &schema::compose(&[])).expect_err("a number is no table");
        assert_eq!(error.key(), Some("store"));
    }
}
