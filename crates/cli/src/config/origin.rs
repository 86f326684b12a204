//! Who gave a setting: a layer, and inside a file the line.

use figment::Figment;
use figment::value::Value;
use toml_edit::{Document, TableLike};

/// The configuration file, kept to find the places of keys.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    /// Path as the user gave it.
    pub(crate) shown: String,
    /// Its content with spans.
    pub(crate) document: Document<String>,
}

/// Knows where each setting comes from.
#[derive(Debug)]
pub(crate) struct Origins {
    /// The merged layers.
    pub(crate) figment: Figment,
    /// The file among them.
    pub(crate) file: Option<ConfigFile>,
}

impl Origins {
    /// Who gave `key`, for instance `tokaki.toml:6`, `TOKAKI_RUN__WORKERS` or `--set run.workers=…`; `None` if it is
    /// not set at all.
    pub(crate) fn of(&self, key: &str) -> Option<String> {
        // An error inside a list names the element: `aggregators.enabled[0]`.
        let key = key.split('[').next().unwrap_or(key);
        let mut value = &self.figment.find_value(key).ok()?;
        // The tag of a table says nothing once layers were merged; that of a value inside it does.
        while let Value::Dict(_, inner) = value {
            value = inner.values().next()?;
        }
        let layer = self.figment.get_metadata(value.tag())?.name.to_string();
        Some(match &self.file {
            Some(file) if file.shown == layer => match file.line(key) {
                Some(line) => format!("{layer}:{line}"),
                None => layer,
            },
            _ => layer,
        })
    }
}

impl ConfigFile {
    /// Line of `key`, counted from 1.
    fn line(&self, key: &str) -> Option<usize> {
        let mut table: &dyn TableLike = self.document.as_table();
        let mut parts = key.split('.').peekable();
        while let Some(part) = parts.next() {
            let (found, item) = table.get_key_value(part)?;
            if parts.peek().is_none() {
                let at = found.span().or_else(|| item.span())?;
                return Some(line_and_column(self.document.raw(), at.start).0);
            }
            table = item.as_table_like()?;
        }
        None
    }
}

/// `file:line:column` of a byte of `text`.
pub(crate) fn place(file: &str, text: &str, byte: usize) -> String {
    let (line, column) = line_and_column(text, byte);
    format!("{file}:{line}:{column}")
}

fn line_and_column(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_lines_in_tables_inline_tables_and_dotted_keys() {
        let text = "semantics = \"koku\"\n\n[run]\nworkers = 4\n[sink]\nurl = \"x\"\n[aggregators]\npod = { a = 1 }\nlog.level = 2\n";
        let document = Document::parse(text.to_owned()).expect("valid TOML");
        let file = ConfigFile { shown: "f".into(), document };
        let keys = ["semantics", "run", "run.workers", "aggregators.pod.a", "aggregators.log.level", "run.nothing"];
        assert_eq!(keys.map(|key| file.line(key)), [Some(1), Some(3), Some(4), Some(8), Some(9), None]);
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(place("f", "a\nüü=1", 6), "f:2:3");
    }
}
