//! Secrets: values of settings whose schema says `writeOnly`, and passwords inside URLs.

use std::ops::Range;

use serde_json::Value;

use super::schema;

const MASK: &str = "***";
/// A shorter secret is not searched for in messages: it would be found in ordinary words.
const SHORTEST: usize = 4;

/// The value as it may be shown.
pub(crate) fn masked(value: &Value, schema: Option<&Value>) -> Value {
    if !value.is_null() && schema.is_some_and(schema::is_secret) {
        return MASK.into();
    }
    match value {
        Value::String(text) => masked_url(text).into(),
        Value::Array(values) => values.iter().map(|value| masked(value, None)).collect(),
        Value::Object(values) => values.iter().map(|(key, value)| (key.clone(), masked(value, None))).collect(),
        other => other.clone(),
    }
}

/// Everything that must not occur in a message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    /// The secrets among the settings of `tree`.
    pub(crate) fn of(tree: &Value, schema: &Value) -> Self {
        fn descend(value: &Value, schema: Option<&Value>, found: &mut Vec<String>) {
            let secret = schema.is_some_and(schema::is_secret);
            match value {
                Value::Object(inner) => {
                    for (name, inner) in inner {
                        descend(inner, schema.and_then(|schema| schema::at(schema, name)), found);
                    }
                }
                Value::Array(inner) => inner.iter().for_each(|inner| descend(inner, schema, found)),
                Value::String(text) if secret => found.push(text.clone()),
                Value::String(text) => found.extend(secret_parts(text).into_iter().map(|part| text[part].to_owned())),
                Value::Number(number) if secret => found.push(number.to_string()),
                _ => {}
            }
        }
        let mut found = Vec::new();
        descend(tree, Some(schema), &mut found);
        found.retain(|secret| secret.len() >= SHORTEST);
        // A secret that contains another one must go first.
        found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(found)
    }

    /// The message without secrets.
    pub(crate) fn mask(&self, message: &str) -> String {
        self.0.iter().fold(message.to_owned(), |message, secret| message.replace(secret, MASK))
    }
}

fn masked_url(text: &str) -> String {
    let mut masked = text.to_owned();
    for part in secret_parts(text).into_iter().rev() {
        masked.replace_range(part, MASK);
    }
    masked
}

/// Where a URL holds secrets. Done on the text, not with a URL parser: a URL that does not parse, for instance because
/// its password was not encoded, is the one that ends up in a message.
fn secret_parts(text: &str) -> Vec<Range<usize>> {
    let Some(authority) = text.find("://").map(|found| found + 3) else { return Vec::new() };
    let mut parts = Vec::new();
    let mut rest = authority;
    if let Some(at) = text[authority..].rfind('@').map(|found| authority + found) {
        if let Some(colon) = text[authority..at].find(':').map(|found| authority + found) {
            parts.push(colon + 1..at);
        }
        rest = at;
    }
    if let Some(query) = text[rest..].find('?').map(|found| rest + found + 1) {
        let mut start = query;
        for pair in text[query..].split('&') {
            if let Some((name, value)) = pair.split_once('=')
                && ["password", "secret", "token"].iter().any(|word| name.to_lowercase().contains(word))
            {
                let value_start = start + name.len() + 1;
                parts.push(value_start..value_start + value.len());
            }
            start += pair.len() + 1;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn passwords_in_urls_are_masked() {
        let cases = [
            ("postgresql://koku:hunter2@db:5432/koku", "postgresql://koku:***@db:5432/koku"),
            ("postgresql://koku:p@ss/w:rd@db/koku", "postgresql://koku:***@db/koku"),
            ("postgresql://db/koku?user=a&password=hunter2&x=y", "postgresql://db/koku?user=a&password=***&x=y"),
            ("s3://bucket/prefix", "s3://bucket/prefix"),
            ("sqlite:tokaki.db", "sqlite:tokaki.db"),
        ];
        for (url, expected) in cases {
            assert_eq!(masked_url(url), expected);
        }
    }

    #[test]
    fn messages_lose_all_secrets() {
        let tree = json!({"sink": {"url": "postgresql://u:hunter2@db/koku", "token": 12345}});
        let secrets = Secrets::of(&tree, &schema::of_everything());
        assert_eq!(secrets.mask("hunter2 and 12345, but koku"), "*** and ***, but koku");
    }
}
