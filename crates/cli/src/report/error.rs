//! An error, rendered once: a block for people or a JSON line.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::{json, stderr};
use crate::config::settings::LogFormat;
use crate::failure::Failure;

/// Writes the failure to stderr.
pub(crate) fn print(failure: &Failure, format: LogFormat) {
    stderr(&match format {
        LogFormat::Text => text(failure),
        LogFormat::Json => json::line("error", fields(failure)),
    });
}

fn text(failure: &Failure) -> String {
    let error = &failure.error;
    let message = match error.key() {
        Some(key) if !error.message().contains(&format!("`{key}`")) => format!("`{key}`: {}", error.message()),
        _ => error.message().to_owned(),
    };
    let mut text = format!("error: {}: {message}\n", error.kind().name());
    if let Some(origin) = &failure.origin {
        let _ = writeln!(text, "  --> {origin}");
    }
    let place = error.place();
    let row_group = place.row_group.map(|number| number.to_string());
    let lines = [
        ("table: ", place.table.as_deref()),
        ("file:  ", place.file.as_deref()),
        ("row group:", row_group.as_deref()),
        ("column:", place.column.as_deref()),
        ("help:", error.help_text()),
    ];
    for (name, value) in lines {
        if let Some(value) = value {
            let _ = writeln!(text, "  {name} {value}");
        }
    }
    if let Some(aftermath) = failure.aftermath {
        let _ = writeln!(text, "  {aftermath}");
    }
    text
}

fn fields(failure: &Failure) -> Map<String, Value> {
    let error = &failure.error;
    let place = error.place();
    let fields = [
        ("event", Some("failed".into())),
        ("kind", Some(error.kind().name().into())),
        ("message", Some(error.message().into())),
        ("table", place.table.clone().map(Value::from)),
        ("file", place.file.clone().map(Value::from)),
        ("row_group", place.row_group.map(Value::from)),
        ("column", place.column.clone().map(Value::from)),
        ("key", error.key().map(Value::from)),
        ("origin", failure.origin.clone().map(Value::from)),
        ("help", error.help_text().map(Value::from)),
        ("aftermath", failure.aftermath.map(Value::from)),
        ("exit_code", Some(failure.exit.code().into())),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokaki_core::{Error, ErrorKind, Place};

    fn data_failure() -> Failure {
        let place = Place {
            table: Some("openshift_pod_usage_line_items".into()),
            file: Some("/data/x.parquet".into()),
            row_group: Some(0),
            column: None,
        };
        let error = Error::new(ErrorKind::Type, "expected a number, found text");
        let mut failure = Failure::from(error.column("pod_usage_cpu_core_seconds").at(&place));
        failure.aftermath = Some("the destination was not changed");
        failure
    }

    #[test]
    fn a_data_error_is_a_block_with_its_place() {
        let expected = "\
error: type: expected a number, found text
  table:  openshift_pod_usage_line_items
  file:   /data/x.parquet
  row group: 0
  column: pod_usage_cpu_core_seconds
  the destination was not changed
";
        assert_eq!(text(&data_failure()), expected);
    }

    #[test]
    fn a_setting_is_named_once_with_its_origin() {
        let named =
            Failure::from(Error::config("run.worker", "`run.worker` is not a known key").help("did you mean x?"));
        assert_eq!(
            text(&named.given_at(Some("tokaki.toml:6".into()))),
            "error: config: `run.worker` is not a known key\n  --> tokaki.toml:6\n  help: did you mean x?\n"
        );
        let unnamed = Failure::from(Error::config("run.workers", "expected a number"));
        assert_eq!(text(&unnamed), "error: config: `run.workers`: expected a number\n");
    }

    #[test]
    fn json_has_what_is_known_and_the_exit_code() {
        let line = json::line("error", fields(&data_failure()));
        let value: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(value["level"], "error");
        assert_eq!((&value["row_group"], &value["exit_code"]), (&0.into(), &12.into()));
        assert!(value.get("key").is_none());
    }
}
