//! The `[store]` section.

use std::fmt;
use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use tokaki_core::{Error, Result};

/// The `[store]` section. Everything but `url` concerns buckets only.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// A folder, or `s3://bucket/prefix`.
    pub url: String,
    /// Address of an S3-compatible store; unset for AWS itself.
    pub endpoint: Option<String>,
    /// Region of the bucket. Unset, it is `onprem` where `endpoint` is set, and else what AWS_REGION says.
    pub region: Option<String>,
    /// Whether the bucket stands in the path or in the host name of a request.
    pub addressing_style: AddressingStyle,
    /// Access key id. Without any credentials here those of the environment are used: AWS's variables, its profile
    /// files, or a web identity token.
    #[schemars(extend("writeOnly" = true))]
    pub access_key_id: Option<String>,
    /// Secret access key.
    #[schemars(extend("writeOnly" = true))]
    pub secret_access_key: Option<String>,
    /// Session token of temporary credentials.
    #[schemars(extend("writeOnly" = true))]
    pub session_token: Option<String>,
    /// File that holds the access key id, instead of `access_key_id`.
    pub access_key_id_file: Option<PathBuf>,
    /// File that holds the secret access key, instead of `secret_access_key`.
    pub secret_access_key_file: Option<PathBuf>,
    /// Profile in AWS's own configuration files.
    pub profile: Option<String>,
    /// PEM file with the only certificate authorities to trust; unset for those of the system.
    pub ca_bundle: Option<PathBuf>,
    /// Whether the server must prove who it is. Off, anybody in between can read and change what is read.
    pub verify_tls: bool,
    /// Seconds without a byte from the server after which a request is given up.
    pub timeout_seconds: NonZeroU32,
    /// How often a request that may succeed later is tried again.
    pub retries: u32,
    /// Milliseconds before the first retry. Each further one waits twice as long, up to 30 s, and a random part more.
    pub retry_delay_ms: u32,
}

/// Where a request names the bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AddressingStyle {
    /// In the path where `endpoint` is set, in the host name on AWS.
    #[default]
    Auto,
    /// `https://endpoint/bucket/key`
    Path,
    /// `https://bucket.endpoint/key`
    Virtual,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            url: ".".to_owned(),
            endpoint: None,
            region: None,
            addressing_style: AddressingStyle::Auto,
            access_key_id: None,
            secret_access_key: None,
            session_token: None,
            access_key_id_file: None,
            secret_access_key_file: None,
            profile: None,
            ca_bundle: None,
            verify_tls: true,
            timeout_seconds: NonZeroU32::MIN.saturating_add(29),
            retries: 5,
            retry_delay_ms: 500,
        }
    }
}

impl fmt::Debug for StoreConfig {
    /// Leaves the credentials out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreConfig")
            .field("url", &self.url)
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// An access key id and its secret.
pub(super) type KeyPair = (String, String);

impl StoreConfig {
    /// The keys that the section gives, read from their files now; `None` to use the environment's.
    ///
    /// # Errors
    /// `Config` for half a pair, a key given twice, or a file that cannot be read.
    pub(super) fn keys(&self) -> Result<Option<KeyPair>> {
        let id = key("access_key_id", self.access_key_id.as_deref(), self.access_key_id_file.as_deref())?;
        let secret =
            key("secret_access_key", self.secret_access_key.as_deref(), self.secret_access_key_file.as_deref())?;
        match (id, secret) {
            (Some(id), Some(secret)) => Ok(Some((id, secret))),
            (None, None) => Ok(None),
            _ => Err(Error::config("store.access_key_id", "one half of the credentials is missing")
                .help("set store.access_key_id and store.secret_access_key, or neither to use the environment's")),
        }
    }
}

fn key(name: &str, given: Option<&str>, file: Option<&Path>) -> Result<Option<String>> {
    let setting = format!("store.{name}_file");
    match (given, file) {
        (Some(_), Some(_)) => {
            Err(Error::config(&setting, format!("`store.{name}` is set as well")).help("keep one of the two"))
        }
        (Some(given), None) => Ok(Some(given.to_owned())),
        (None, Some(file)) => {
            let text = fs::read_to_string(file)
                .map_err(|error| Error::config(&setting, format!("cannot read {}: {error}", file.display())))?;
            // Editors and templates leave marks around what they write; no key has them.
            Ok(Some(text.trim_start_matches('\u{feff}').trim().to_owned()))
        }
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_from_files_without_what_editors_add() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, text: &str| {
            fs::write(folder.path().join(name), text).expect("written");
            Some(folder.path().join(name))
        };
        let config = StoreConfig {
            access_key_id_file: file("id", "\u{feff}AK\r\n"),
            secret_access_key_file: file("secret", "SECRET\n"),
            ..StoreConfig::default()
        };
        assert_eq!(config.keys().expect("keys"), Some(("AK".to_owned(), "SECRET".to_owned())));
    }

    #[test]
    fn half_a_pair_two_sources_and_a_missing_file_are_refused() {
        let with = |change: fn(&mut StoreConfig)| {
            let mut config = StoreConfig::default();
            change(&mut config);
            config.keys().expect_err("refused").key().map(str::to_owned)
        };
        assert_eq!(with(|config| config.access_key_id = Some("AK".into())).as_deref(), Some("store.access_key_id"));
        let missing = with(|config| config.secret_access_key_file = Some("/nowhere".into()));
        assert_eq!(missing.as_deref(), Some("store.secret_access_key_file"));
        let twice = with(|config| {
            config.access_key_id = Some("AK".into());
            config.access_key_id_file = Some("/nowhere".into());
        });
        assert_eq!(twice.as_deref(), Some("store.access_key_id_file"));
    }
}
