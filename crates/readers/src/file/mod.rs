//! Reference data from a JSON or TOML file. See `README.md` in this folder.

mod bill;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokaki_core::{CostCategory, Error, ErrorKind, NodeRole, ReferenceData, ReferenceSource, Result, Scope, Section};

use crate::store::AtFile;

tokaki_core::register!(
    Reference,
    FileConfig,
    "file",
    "What a cluster or an account needs to be known, from a file.",
    build
);

/// Settings of the reference source `file`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FileConfig {
    /// The file: TOML if its name ends in `.toml`, else JSON.
    pub path: PathBuf,
}

impl Default for FileConfig {
    fn default() -> Self {
        Self { path: "reference.json".into() }
    }
}

/// The file's content (spec § 3). Every field but the first two must be there, so that a misspelt one is noticed;
/// further fields, such as the job's own `start_date`, are left to whoever wrote them.
#[derive(Debug, Deserialize)]
struct Content {
    org: Option<String>,
    source_uuid: Option<String>,
    report_period_id: i32,
    cluster_id: String,
    cluster_alias: String,
    enabled_tag_keys: Vec<String>,
    cost_categories: Vec<CostCategory>,
    nodes: Vec<NodeRole>,
}

fn build(section: &Section) -> Result<Arc<dyn ReferenceSource>> {
    Ok(Arc::new(FileSource { path: section.parse::<FileConfig>()?.path }))
}

struct FileSource {
    path: PathBuf,
}

#[async_trait]
impl ReferenceSource for FileSource {
    async fn load(&self, scope: &Scope) -> Result<ReferenceData> {
        let shown = self.path.display().to_string();
        let text = tokio::fs::read_to_string(&self.path).await.map_err(|error| {
            Error::new(ErrorKind::Reference, format!("reference data cannot be read: {error}"))
                .at_file(&shown)
                .help("reference.path names the file")
        })?;
        let is_toml = self.path.extension().is_some_and(|extension| extension == "toml");
        read(&text, is_toml, scope).map_err(|error| error.at_file(&shown))
    }
}

fn read(text: &str, is_toml: bool, scope: &Scope) -> Result<ReferenceData> {
    if parse::<bill::Kind>(text, is_toml)?.is_bill() {
        let content: bill::Content = parse(text, is_toml)?;
        check_source(scope, content.org.as_deref(), content.aws.source_uuid.as_deref())?;
        return Ok(content.reference());
    }
    let content: Content = parse(text, is_toml)?;
    check_source(scope, content.org.as_deref(), content.source_uuid.as_deref())?;
    Ok(ReferenceData {
        report_period_id: content.report_period_id,
        cluster_id: content.cluster_id,
        cluster_alias: content.cluster_alias,
        enabled_tag_keys: content.enabled_tag_keys,
        cost_categories: content.cost_categories,
        nodes: content.nodes,
        bill: None,
    })
}

/// Another source's cluster and report period must not get this source's rows.
fn check_source(scope: &Scope, org: Option<&str>, source_uuid: Option<&str>) -> Result<()> {
    let pairs = [("org", org, &scope.org), ("source_uuid", source_uuid, &scope.source_uuid)];
    for (field, stated, asked) in pairs {
        if let Some(stated) = stated.filter(|stated| !stated.eq_ignore_ascii_case(asked)) {
            let message = format!("the file is about {field} {stated}, and the run about {asked}");
            return Err(Error::new(ErrorKind::Reference, message).help("use the reference data of the source itself"));
        }
    }
    Ok(())
}

fn parse<T: DeserializeOwned>(text: &str, is_toml: bool) -> Result<T> {
    let parsed = if is_toml {
        toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())
    } else {
        serde_json::from_str(text).map_err(|error| error.to_string())
    };
    parsed.map_err(|message| Error::new(ErrorKind::Reference, message))
}

#[cfg(test)]
mod tests;
