//! The file of an account at a cloud provider: the bill, and each cluster that may be on it (ocp-on-aws § 16).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use tokaki_core::{
    AccountAlias, Bill, Cluster, CostCategory, Distribution, NodeRole, OPENSHIFT, ReferenceData, TagMapping,
};

/// Tells such a file from that of a single cluster.
#[derive(Debug, Deserialize)]
pub(super) struct Kind {
    clusters: Option<IgnoredAny>,
}

impl Kind {
    /// Whether it is about a bill.
    pub(super) fn is_bill(&self) -> bool {
        self.clusters.is_some()
    }
}

/// The file's content. Every field must be there unless it has a default; further fields are left alone.
#[derive(Debug, Deserialize)]
pub(super) struct Content {
    pub(super) org: Option<String>,
    /// By kind of source, as Koku spells it.
    enabled_tag_keys: BTreeMap<String, Vec<String>>,
    cost_categories: Vec<CostCategory>,
    #[serde(default)]
    tag_mappings: Vec<TagMapping>,
    pub(super) aws: Account,
    clusters: Vec<ClusterContent>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Account {
    pub(super) source_uuid: Option<String>,
    cost_entry_bill_id: i32,
    markup_percent: String,
    account_aliases: Vec<AccountAlias>,
    enabled_category_keys: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct ClusterContent {
    source_uuid: String,
    cluster_id: String,
    cluster_alias: String,
    report_period_id: i32,
    /// As by a mapping of Koku's.
    #[serde(default = "yes")]
    mapped: bool,
    distribution: Option<String>,
    nodes: Vec<NodeRole>,
}

fn yes() -> bool {
    true
}

/// The kind of source that `aws` is about.
const AWS: &str = "AWS";

impl Content {
    /// What the run needs of it.
    pub(super) fn reference(mut self) -> ReferenceData {
        let of_clusters = self.enabled_tag_keys.remove(OPENSHIFT).unwrap_or_default();
        let of_bill = self.enabled_tag_keys.remove(AWS).unwrap_or_default();
        let cluster = |content: ClusterContent| Cluster {
            source_uuid: content.source_uuid.to_ascii_lowercase(),
            mapped: content.mapped,
            distribution: Distribution::of(content.distribution.as_deref()),
            reference: Arc::new(ReferenceData {
                report_period_id: content.report_period_id,
                cluster_id: content.cluster_id,
                cluster_alias: content.cluster_alias,
                enabled_tag_keys: of_clusters.clone(),
                cost_categories: self.cost_categories.clone(),
                nodes: content.nodes,
                bill: None,
            }),
        };
        let bill = Bill {
            id: self.aws.cost_entry_bill_id,
            markup_percent: self.aws.markup_percent,
            account_aliases: self.aws.account_aliases,
            enabled_tag_keys: of_bill,
            enabled_category_keys: self.aws.enabled_category_keys,
            tag_mappings: self.tag_mappings,
            clusters: self.clusters.into_iter().map(cluster).collect(),
        };
        ReferenceData { enabled_tag_keys: of_clusters, bill: Some(bill), ..ReferenceData::default() }
    }
}
