//! The `[cache]` section.

use schemars::JsonSchema;
use serde::Deserialize;

/// The `[cache]` section.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CacheConfig {
    /// Where results of files and days are kept for the next run: a folder, which is made if it is not there, or
    /// `s3://bucket/prefix`, opened with the settings of `[store]`. Unset, nothing is kept.
    pub url: Option<String>,
}
