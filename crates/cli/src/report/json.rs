//! One JSON object a line, with the time first.

use chrono::{SecondsFormat, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use tokaki_core::pipeline::{Event, Observer};

use super::{Voice, stderr};

/// Each event of a run, on stderr.
pub(crate) struct Lines;

impl Observer for Lines {
    fn event(&self, event: &Event<'_>) {
        stderr(&line("info", event));
    }
}

impl Voice for Lines {}

/// A line with `ts` (RFC 3339, UTC), `level` and the fields of `body`.
pub(crate) fn line(level: &str, body: impl Serialize) -> String {
    let mut fields = Map::new();
    fields.insert("ts".to_owned(), Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true).into());
    fields.insert("level".to_owned(), level.into());
    match serde_json::to_value(body) {
        Ok(Value::Object(body)) => fields.extend(body),
        Ok(other) => drop(fields.insert("message".to_owned(), other)),
        Err(error) => drop(fields.insert("message".to_owned(), error.to_string().into())),
    }
    format!("{}\n", Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let line = line("info", Event::Finished { aggregator: "pod", rows: 42, findings: &[] });
        let value: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(line.matches('\n').count(), 1);
        assert_eq!(
            (&value["event"], &value["rows"], &value["level"]),
            (&"finished".into(), &42.into(), &"info".into())
        );
        assert!(value["ts"].as_str().is_some_and(|ts| ts.ends_with('Z')));
    }
}
