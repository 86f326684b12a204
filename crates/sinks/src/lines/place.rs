//! Where lines go.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use tokaki_core::{Error, Result, Section};

/// Settings of the sinks that write lines.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinesConfig {
    /// `csv:PATH` or `jsonl:PATH`. A path with an ending, as in `csv:usage.csv`, is one file for one table; one without is
    /// a folder with a file per table; `-` is standard output.
    pub url: String,
}

/// Where lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Standard output.
    Stdout,
    /// One file, for one table.
    File(PathBuf),
    /// A file per table.
    Folder(PathBuf),
}

impl Place {
    /// The place of a `scheme:PATH` url.
    pub(super) fn parse(url: &str, scheme: &str, section: &Section) -> Result<Self> {
        let path = url.strip_prefix(scheme).and_then(|rest| rest.strip_prefix(':'));
        match path.map(|path| path.strip_prefix("//").unwrap_or(path)) {
            Some("-") => Ok(Self::Stdout),
            None | Some("") => {
                let key = format!("{}.url", section.path());
                Err(Error::config(key, format!("expected `{scheme}:FILE`, `{scheme}:FOLDER` or `{scheme}:-`")))
            }
            Some(path) => {
                let path = PathBuf::from(path);
                let is_file = path.extension().is_some() && !path.is_dir();
                Ok(if is_file { Self::File(path) } else { Self::Folder(path) })
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str("-"),
            Self::File(path) | Self::Folder(path) => write!(f, "{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_makes_a_file_and_a_dash_is_standard_output() {
        let parse = |url: &str| Place::parse(url, "csv", &Section::default());
        assert_eq!(parse("csv:-").expect("a place"), Place::Stdout);
        assert_eq!(parse("csv:a/usage.csv").expect("a place"), Place::File("a/usage.csv".into()));
        assert_eq!(parse("csv://out").expect("a place"), Place::Folder("out".into()));
        assert!(parse("csv:").is_err() && parse("out").is_err());
    }
}
