//! What Koku's database knows and the line items do not (spec § 3).

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::scope::Scope;

/// A namespace pattern of a cost category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CostCategory {
    /// SQL `LIKE` pattern over the whole namespace (spec § 6).
    pub namespace_pattern: String,
    /// Category of the namespaces that match; several patterns may share one.
    pub cost_category_id: i32,
}

/// What is known of a node (spec § 3, § 8). One node may occur several times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeRole {
    /// Node name.
    #[serde(default)]
    pub node: Option<String>,
    /// Machine id.
    #[serde(default)]
    pub resource_id: Option<String>,
    /// Role text, for instance `worker`.
    #[serde(default)]
    pub node_role: Option<String>,
}

/// Loaded once per run, immutable from then on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceData {
    /// Report period that all output rows belong to.
    pub report_period_id: i32,
    /// Cluster id of all output rows.
    pub cluster_id: String,
    /// Cluster alias of all output rows.
    pub cluster_alias: String,
    /// Label keys to keep (spec § 4).
    pub enabled_tag_keys: Vec<String>,
    /// Namespace patterns (spec § 6).
    pub cost_categories: Vec<CostCategory>,
    /// Nodes and their roles (spec § 8).
    pub nodes: Vec<NodeRole>,
}

/// A place to load reference data from.
#[async_trait]
pub trait ReferenceSource: Send + Sync {
    /// Everything known for the source of `scope`, as of one moment.
    ///
    /// # Errors
    /// `Reference` if something is missing or malformed; `Store`, `Database` or `Access` for the way to it.
    async fn load(&self, scope: &Scope) -> Result<ReferenceData>;
}
