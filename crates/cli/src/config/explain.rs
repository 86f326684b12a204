//! An error in a setting, in words for people rather than for programmers.

use serde_json::Value;
use tokaki_core::{Error, ErrorKind};

use super::schema;
use super::secrets::masked;

/// Says what was expected and what was found, where serde speaks of its own types.
pub(crate) fn explain(error: Error, tree: &Value, whole: &Value) -> Error {
    let (ErrorKind::Config, Some(key)) = (error.kind(), error.key()) else { return error };
    if let Some((field, _)) = error.message().strip_prefix("missing field `").and_then(|rest| rest.split_once('`')) {
        let key = format!("{key}.{field}");
        return Error::config(&key, format!("`{key}` is not set"));
    }
    let Some(schema) = schema::at(whole, key) else { return error };
    // Dates have no message of their own; all other messages of serde that are about types start like this.
    if !error.message().starts_with("invalid ") && schema["format"] != "date" {
        return error;
    }
    let found = key.split('.').try_fold(tree, |tree, part| tree.get(part)).unwrap_or(&Value::Null);
    Error::config(key, format!("expected {}, found {}", schema::type_words(schema), words(found, schema)))
}

fn words(value: &Value, schema: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(_) | Value::Number(_) if schema::is_secret(schema) => "another type".into(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(_) => format!("the text {}", masked(value, Some(schema))),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a table".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn types_are_named_for_people() {
        let tree = json!({"run": {"workers": "many"}, "scope": {"start_date": "soon", "org": 5}});
        let said = |key: &str, message: &str| {
            explain(Error::config(key, message), &tree, &schema::compose(&[])).message().to_owned()
        };
        assert_eq!(
            said("run.workers", "invalid type: string \"many\", expected usize"),
            "expected a whole number of at least 0, found the text \"many\""
        );
        assert_eq!(
            said("scope.start_date", "premature end of input"),
            "expected a date such as 2025-10-01, found the text \"soon\""
        );
        assert_eq!(
            said("scope.org", "invalid type: integer `5`, expected a string"),
            "expected text, found the number 5"
        );
        assert_eq!(said("semantics", "unknown variant `x`"), "unknown variant `x`");
        assert_eq!(said("sink", "missing field `url`"), "`sink.url` is not set");
    }
}
