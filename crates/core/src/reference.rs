//! What Koku's database knows and the line items do not (spec § 3).

use std::sync::Arc;

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
    /// The bill, if the source is an account at a cloud provider and no cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bill: Option<Bill>,
}

/// What is known of a source whose line items are a cloud provider's bill (ocp-on-aws § 2.3).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// Bill of the month that all output rows belong to.
    pub id: i32,
    /// Markup in percent, as decimal text.
    pub markup_percent: String,
    /// Accounts that have a name of their own.
    pub account_aliases: Vec<AccountAlias>,
    /// Tag keys enabled for the cloud provider.
    pub enabled_tag_keys: Vec<String>,
    /// Keys of cost categories enabled for the cloud provider; `None` if that is not known.
    pub enabled_category_keys: Option<Vec<String>>,
    /// Child keys of tags, each with the key that it stands for.
    pub tag_mappings: Vec<TagMapping>,
    /// All clusters of the tenant that may run on the account.
    pub clusters: Vec<Cluster>,
}

impl Bill {
    /// The cluster whose source has this uuid.
    pub fn cluster(&self, source_uuid: &str) -> Option<&Cluster> {
        self.clusters.iter().find(|cluster| cluster.source_uuid == source_uuid)
    }
}

/// The name of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountAlias {
    /// Row id of the alias.
    pub id: i32,
    /// The account as the bill names it.
    pub account_id: String,
    /// The name.
    #[serde(default)]
    pub account_alias: Option<String>,
}

/// A key of tags that stands for another one (ocp-on-aws § 10.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TagMapping {
    /// The key that is replaced.
    pub child: String,
    /// The key that it becomes.
    pub parent: String,
}

/// A cluster whose cost may be on a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// Provider uuid of the cluster's source, in lower case.
    pub source_uuid: String,
    /// Whether it is known to run on the account. Otherwise its machines are looked for on the bill (ocp-on-aws § 2.4).
    pub mapped: bool,
    /// By which usage its cost is shared out.
    pub distribution: Distribution,
    /// What is known of it, as in a run of its own.
    pub reference: Arc<ReferenceData>,
}

/// By which usage a cost is shared out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Distribution {
    /// By core-hours.
    #[default]
    Cpu,
    /// By memory, over time.
    Memory,
}

impl Distribution {
    /// The distribution of this name; anything but `cpu` means memory, and none means `cpu` (ocp-on-aws § 2.3).
    pub fn of(name: Option<&str>) -> Self {
        match name {
            None | Some("cpu") => Self::Cpu,
            Some(_) => Self::Memory,
        }
    }
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
