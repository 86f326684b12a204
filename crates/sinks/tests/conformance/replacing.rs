//! Short words for the tests: build a sink.

use std::sync::Arc;

use serde_json::json;
use tokaki_core::plugin::{Build, PluginKind, find};
use tokaki_core::{Result, Section, Sink};

use tokaki_sinks as _;

pub(crate) use tokaki_core::testkit::sinks::{begin, replace};

/// The registered sink of this name.
pub(crate) fn sink(name: &str, url: &str, create_missing: bool) -> Result<Arc<dyn Sink>> {
    with(name, json!({"url": url, "create_missing": create_missing}))
}

/// The registered sink of this name, which waits for nobody.
pub(crate) fn impatient_sink(name: &str, url: &str) -> Arc<dyn Sink> {
    with(name, json!({"url": url, "lock_wait_seconds": 0})).expect("a sink")
}

/// The registered sink of this name, for sinks that take a url alone.
pub(crate) fn sink_of(name: &str, url: &str) -> Arc<dyn Sink> {
    with(name, json!({ "url": url })).expect("a sink")
}

fn with(name: &str, settings: serde_json::Value) -> Result<Arc<dyn Sink>> {
    let section = Section::new("sink", settings.as_object().cloned().expect("an object"));
    let Build::Sink(build) = find(PluginKind::Sink, name, "sink.type")?.build else { unreachable!("asked for a sink") };
    build(&section)
}
