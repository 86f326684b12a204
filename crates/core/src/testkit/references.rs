//! What every reference source promises.

use std::sync::Arc;

use async_trait::async_trait;

use super::fixtures::{self, Open};
use super::plugins::Plugins;
use super::sinks::scope;
use crate::error::{Error, ErrorKind, Result};
use crate::plugin::{Build, Plugin, PluginKind};
use crate::reference::{CostCategory, NodeRole, ReferenceData, ReferenceSource};
use crate::scope::Scope;
use crate::section::Section;

/// A place that a reference source looks into, with nothing known yet.
#[async_trait]
pub trait Place: Send + Sync {
    /// The settings that make a source look into it.
    fn section(&self) -> Section;

    /// Makes `data` known of the source and month of `scope`, as others would do it.
    async fn put(&self, scope: &Scope, data: &ReferenceData);
}

/// Every reference source of the crate tells what is known of the scope, the same each time, and nothing of others.
///
/// # Panics
/// If one breaks a promise, or has no fixture.
pub fn keep_their_promises(plugins: &Plugins) {
    fixtures::for_each(plugins, PluginKind::Reference, async |plugin, open| {
        let Open::Reference(open) = open else { unreachable!("a fixture of the plugin's kind") };
        tells_what_is_known(plugin, open().as_ref()).await;
    });
}

async fn tells_what_is_known(plugin: &Plugin, place: &dyn Place) {
    let own = scope("2025-10-01", "2025-10-02");
    let load = async |scope: &Scope| built(plugin, place)?.load(scope).await;
    let unknown = load(&own).await.expect_err("nothing is known yet");
    assert_eq!(unknown.kind(), ErrorKind::Reference, "{unknown}");

    let data = known();
    place.put(&own, &data).await;
    let capital = Scope { source_uuid: own.source_uuid.to_uppercase(), ..own.clone() };
    for same in [&own, &own, &capital] {
        let loaded = load(same).await.expect("what is known");
        assert_eq!(loaded, data);
    }
    let another = Scope { source_uuid: "5d6f8e9a-0000-4000-8000-000000000002".into(), ..own };
    let refused = load(&another).await.expect_err("nothing is known of the other source");
    assert_eq!(refused.kind(), ErrorKind::Reference, "{refused}");
}

/// A cluster of which everything is known, sorted as a table of it would be.
fn known() -> ReferenceData {
    let category = |pattern: &str, id| CostCategory { namespace_pattern: pattern.to_owned(), cost_category_id: id };
    let node = |node: &str, role: &str| NodeRole {
        node: Some(node.to_owned()),
        resource_id: Some(format!("i-{node}")),
        node_role: Some(role.to_owned()),
    };
    ReferenceData {
        report_period_id: 7,
        cluster_id: "c-1".to_owned(),
        cluster_alias: "it's \"one\"".to_owned(),
        enabled_tag_keys: ["app", "zone"].map(str::to_owned).into(),
        cost_categories: vec![category("kube-%", 1), category("openshift-%", 1), category("shop", 2)],
        nodes: vec![node("n1", "infra"), node("n1", "worker"), node("n2", "worker")],
        bill: None,
    }
}

fn built(plugin: &Plugin, place: &dyn Place) -> Result<Arc<dyn ReferenceSource>> {
    let Build::Reference(build) = plugin.build else { return Err(Error::bug("the plugin is no reference source")) };
    build(&place.section())
}
