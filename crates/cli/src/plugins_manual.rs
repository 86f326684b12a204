//! `tokaki plugins manual`: all plugins and settings as one page of Markdown, written by the plugins themselves.

use std::fmt::Write;

use serde_json::Value;
use tokaki_core::plugin;

use crate::config::schema;

/// Sections whose settings belong to no plugin.
const OWN: [&str; 6] = ["scope", "store", "cache", "aggregators", "run", "log"];

/// The page.
pub(crate) fn manual() -> String {
    let mut page = format!(
        "# Plugins and settings\n\nWritten by `tokaki plugins manual` (tokaki-core {}); in the repository \
         `cargo xtask docs` writes it anew. Doc comments of the code are its words. `tokaki config init` makes a \
         configuration to start from, `tokaki config schema` is the same as a JSON schema.\n",
        tokaki_core::VERSION
    );
    let mut kind = None;
    for plugin in plugin::all() {
        if kind.replace(plugin.kind()) != Some(plugin.kind()) {
            let _ = write!(page, "\n## Kind: {}\n", plugin.kind());
        }
        let _ = write!(page, "\n### {} `{}`\n\n{}\n", plugin.kind(), plugin.name, plugin.summary);
        let section = schema::section_of(plugin.kind(), plugin.name);
        settings(&mut page, &section, &schema::of_plugin(plugin));
        let _ = write!(page, "\n```toml\n{}\n```\n", plugin.sample.trim_end());
    }
    page.push_str("\n## Settings of every run\n");
    let all = schema::compose(&[]);
    for section in OWN {
        if let Some(schema) = schema::at(&all, section) {
            let _ = write!(page, "\n### `{section}`\n\n{}\n", in_a_line(schema));
            settings(&mut page, section, schema);
        }
    }
    page
}

fn settings(page: &mut String, section: &str, of: &Value) {
    let leaves = schema::leaves(of);
    if leaves.is_empty() {
        return;
    }
    page.push_str("\n| setting | takes | default | |\n|---|---|---|---|\n");
    for (key, leaf) in leaves {
        let default = match &leaf["default"] {
            Value::Null => String::new(),
            default => format!("`{default}`"),
        };
        let secret = if schema::is_secret(leaf) { "Secret. " } else { "" };
        let takes = schema::type_words(leaf).replace('|', "\\|");
        let _ = writeln!(page, "| `{section}.{key}` | {takes} | {default} | {secret}{} |", in_a_line(leaf));
    }
}

fn in_a_line(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().replace('\n', " ").replace('|', "\\|")
}
