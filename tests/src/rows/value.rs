//! What a cell holds.

use std::collections::BTreeMap;
use std::fmt;

use super::Kind;
use crate::Result;

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// Text.
    Text(String),
    /// Integer.
    Integer(i64),
    /// Measure.
    Number(f64),
    /// As `2025-10-01`.
    Date(String),
    /// In the one spelling that all equal values have: sorted keys, no blanks, numbers as doubles.
    Json(String),
}

impl Value {
    /// The cell of a column of `kind` that was read as `text`.
    ///
    /// # Errors
    /// A JSON column holds something else.
    pub(super) fn of_text(kind: Kind, text: Option<String>) -> Result<Self> {
        Ok(match (kind, text) {
            (_, None) => Self::Null,
            (Kind::Json, Some(text)) => Self::Json(canonical(&serde_json::from_str(&text)?)),
            (Kind::Date, Some(text)) => Self::Date(text),
            (_, Some(text)) => Self::Text(text),
        })
    }

    /// The number, if it is one.
    pub fn number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// The text of a text, date or JSON cell.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Date(text) | Self::Json(text) => Some(text),
            Self::Null | Self::Integer(_) | Self::Number(_) => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Integer(integer) => write!(f, "{integer}"),
            Self::Number(number) => write!(f, "{number:?}"),
            Self::Date(text) | Self::Json(text) => f.write_str(text),
        }
    }
}

/// A spelling of JSON that is the same for values that are the same: sorted keys, no blanks, numbers as doubles.
fn canonical(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(pairs) => {
            let sorted: BTreeMap<_, _> = pairs.iter().collect();
            let pairs =
                sorted.into_iter().map(|(key, value)| format!("{}:{}", serde_json::json!(key), canonical(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
        }
        serde_json::Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        serde_json::Value::Number(number) => format!("{:?}", number.as_f64().unwrap_or(f64::NAN)),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_compared_by_value() {
        let of = |text: &str| Value::of_text(Kind::Json, Some(text.to_owned())).expect("JSON");
        assert_eq!(of(r#"{"b": 0, "a": "\u00e9"}"#), of(r#"{"a":"é","b":0.0}"#));
        assert_ne!(of(r#"{"a": null}"#), of("{}"));
        assert_ne!(of(r#"{"a": "1"}"#), of(r#"{"a": 1}"#));
    }
}
