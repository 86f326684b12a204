//! The settings that all sinks share.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use tokaki_core::{Error, Result, Section};

/// Where the rows go.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SinkConfig {
    /// The destination; its scheme chooses the sink. `sqlite:FILE` is an SQLite database, `parquet:DIR` a folder of
    /// Parquet files, `postgresql://USER@HOST:PORT/DATABASE` a PostgreSQL database. Relative paths start at the working
    /// directory. Special characters in a PostgreSQL user or password must be percent-encoded.
    pub url: String,
    /// PostgreSQL schema of the tables. Default: the org of the run. The other sinks have no schemas.
    #[serde(default)]
    pub schema: Option<String>,
    /// Whether to create what is missing: file or folder, schema, table, month partition. What exists is never altered.
    /// If false, a missing destination is an error.
    #[serde(default = "yes")]
    pub create_missing: bool,
    /// How long to wait for another run, or a writer of Koku, that is at the same rows. After that the run ends with
    /// code 13 and has changed nothing.
    #[serde(default = "ten_minutes")]
    pub lock_wait_seconds: u32,
}

fn ten_minutes() -> u32 {
    600
}

fn yes() -> bool {
    true
}

impl SinkConfig {
    /// The path of a `scheme:PATH` url. Also takes `scheme://PATH`, as other tools write it.
    pub(crate) fn path(&self, scheme: &str, section: &Section) -> Result<PathBuf> {
        let path = self.url.strip_prefix(scheme).and_then(|rest| rest.strip_prefix(':'));
        let path = path.map(|path| path.strip_prefix("//").unwrap_or(path));
        match path {
            Some(path) if !path.is_empty() && path != ":memory:" => Ok(PathBuf::from(path)),
            _ => Err(Error::config(
                format!("{}.url", section.path()),
                format!("expected `{scheme}:PATH`, found `{}`", self.shown_url()),
            )),
        }
    }

    /// How long to wait for others.
    pub(crate) fn lock_wait(&self) -> Duration {
        Duration::from_secs(self.lock_wait_seconds.into())
    }

    /// The url if it holds no secret. Of others nothing is shown: a password that was not percent-encoded may end up in
    /// any part of them.
    fn shown_url(&self) -> &str {
        let is_path = self.url.starts_with("sqlite:") || self.url.starts_with("parquet:");
        if is_path { &self.url } else { "(hidden)" }
    }
}

impl fmt::Debug for SinkConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SinkConfig")
            .field("url", &self.shown_url())
            .field("schema", &self.schema)
            .field("create_missing", &self.create_missing)
            .field("lock_wait_seconds", &self.lock_wait_seconds)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn config(url: &str) -> SinkConfig {
        SinkConfig { url: url.into(), schema: None, create_missing: true, lock_wait_seconds: 1 }
    }

    #[test]
    fn paths_may_be_relative_or_absolute_and_hold_spaces() {
        let path = |url: &str| config(url).path("sqlite", &Section::default());
        assert_eq!(path("sqlite:my usage.db").expect("a path"), Path::new("my usage.db"));
        assert_eq!(path("sqlite:/var/usage.db").expect("a path"), Path::new("/var/usage.db"));
        assert_eq!(path("sqlite:///var/usage.db").expect("a path"), Path::new("/var/usage.db"));
        assert_eq!(path("sqlite://usage.db").expect("a path"), Path::new("usage.db"));
        for wrong in ["sqlite:", "sqlite::memory:", "parquet:usage", "usage.db"] {
            assert!(path(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn debug_shows_no_password() {
        for url in [
            "postgresql://me:secret@db:5432/koku",
            "postgresql://db/koku?password=secret",
            "postgresql://me:12#secret@db/koku",
            "postgresql://me:x/secret@db/koku",
            "me:secret@db",
        ] {
            let shown = format!("{:?}", config(url));
            assert!(!shown.contains("secret"), "{shown}");
        }
        assert!(format!("{:?}", config("sqlite:usage.db")).contains("usage.db"));
    }
}
