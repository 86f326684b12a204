//! `tokaki plugins`: what the registry says of itself.

use std::fmt::Write;

use serde_json::Value;
use tokaki_core::plugin::{self, Plugin};
use tokaki_core::{Error, ErrorKind, Result};

use crate::config::schema;
use crate::report::columns::aligned;

/// All plugins as an aligned table.
pub(crate) fn list() -> String {
    let rows: Vec<_> = plugin::all()
        .into_iter()
        .map(|plugin| [plugin.kind().to_string(), plugin.name.to_owned(), plugin.summary.to_owned()])
        .collect();
    format!("{}tokaki-core {}\n", aligned(&rows, ""), tokaki_core::VERSION)
}

/// A plugin's summary, settings and sample. `name` is its name, or kind and name as in `sink/sqlite`.
///
/// # Errors
/// `Config` with the names that there are, if none or several match.
pub(crate) fn show(name: &str) -> Result<String> {
    let plugin = find(name)?;
    let mut text = format!("{} {}\n{}\n\nSettings\n", plugin.kind(), plugin.name, plugin.summary);
    text.push_str(&settings(plugin));
    let _ = write!(text, "\nSample\n{}", indented(plugin.sample));
    Ok(text)
}

fn settings(plugin: &Plugin) -> String {
    let schema = schema::of_plugin(plugin);
    let settings: String = schema::leaves(&schema)
        .into_iter()
        .map(|(key, schema)| {
            let default = match &schema["default"] {
                Value::Null => String::new(),
                default => format!(" = {default}"),
            };
            let secret = if schema::is_secret(schema) { " (secret)" } else { "" };
            let description = schema["description"].as_str().unwrap_or_default().replace('\n', " ");
            format!("  {key}: {}{secret}{default}\n      {description}\n", schema::type_words(schema))
        })
        .collect();
    if settings.is_empty() { "  none\n".to_owned() } else { settings }
}

fn indented(sample: &str) -> String {
    sample.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") }).collect()
}

fn find(name: &str) -> Result<&'static Plugin> {
    let full_name = |plugin: &Plugin| format!("{}/{}", plugin.kind(), plugin.name);
    let full_names =
        |plugins: &[&'static Plugin]| plugins.iter().map(|plugin| full_name(plugin)).collect::<Vec<_>>().join(", ");
    let all = plugin::all();
    let found: Vec<_> = all.iter().copied().filter(|plugin| plugin.name == name || full_name(plugin) == name).collect();
    match found.as_slice() {
        [plugin] => Ok(plugin),
        [] => Err(Error::new(ErrorKind::Config, format!("there is no plugin `{name}`"))
            .help(format!("there are: {}", full_names(&all)))),
        several => Err(Error::new(ErrorKind::Config, format!("several plugins are called `{name}`"))
            .help(format!("say which: {}", full_names(several)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_the_registry() {
        let list = list();
        assert!(list.contains("sink        fake"), "{list}");
        assert!(list.trim_end().lines().last().is_some_and(|line| line.starts_with("tokaki-core ")));
    }

    #[test]
    fn a_plugin_is_found_by_name_or_full_name() {
        let shown = show("sink/fake").expect("registered");
        assert!(shown.contains("text (secret)") && shown.contains("What lets us in.") && shown.contains("[sink]"));
        assert!(show("aggregator/fake").expect("registered").contains("= 3"));
        let ambiguous = show("fake").expect_err("five of them");
        assert!(ambiguous.help_text().is_some_and(|help| help.contains("catalog/fake")));
        assert!(show("nope").is_err());
    }
}
