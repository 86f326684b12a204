//! The manifest that the operator puts into each payload.

use serde::Deserialize;
use tokaki_core::{Error, ErrorKind, Result};
use uuid::Uuid;

/// Name of the manifest in a payload.
pub(super) const MANIFEST: &str = "manifest.json";

/// Bytes of a manifest at most; real ones have a few thousand.
pub(super) const MANIFEST_BYTES: u64 = 10 << 20;

/// What is used of a manifest.
#[derive(Debug, Deserialize)]
pub(super) struct Manifest {
    /// Identity of the payload. Archives of a payload that was too large for one share it.
    pub(super) uuid: Uuid,
    /// Whether the payload has the whole of its days as far as they were gone: a later one for the same day has all of it
    /// again.
    #[serde(default)]
    pub(super) daily_reports: bool,
    /// Names of the usage reports. Other files of the payload are not for Koku.
    #[serde(default)]
    files: Option<Vec<String>>,
}

impl Manifest {
    /// # Errors
    /// `Reference` if the text is no manifest.
    pub(super) fn parse(text: &[u8]) -> Result<Self> {
        serde_json::from_slice(text)
            .map_err(|error| Error::new(ErrorKind::Reference, format!("{MANIFEST} cannot be understood: {error}")))
    }

    /// Names of the usage reports.
    pub(super) fn files(&self) -> &[String] {
        self.files.as_deref().unwrap_or_default()
    }
}
