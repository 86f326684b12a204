//! Short words for the tests: build a sink, replace rows.

use std::sync::Arc;

use serde_json::json;
use tokaki_core::plugin::{Build, PluginKind, find};
use tokaki_core::{Output, Receipt, Replacement, Result, Scope, Section, Sink};

use crate::table::{Row, batch};
use tokaki_sinks as _;

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

/// Deletes and adds rows, and does not commit yet.
pub(crate) async fn begin(
    sink: &dyn Sink,
    scope: &Scope,
    parts: &[(Output, &[Row<'_>])],
) -> Result<Box<dyn Replacement>> {
    let outputs: Vec<_> = parts.iter().map(|(output, _)| output.clone()).collect();
    sink.check(scope, &outputs).await?;
    let mut replacement = sink.begin(scope, &outputs).await?;
    for (output, rows) in parts {
        replacement.append(output, &batch(output, rows)).await?;
    }
    Ok(replacement)
}

/// Replaces rows.
pub(crate) async fn replace(sink: &dyn Sink, scope: &Scope, parts: &[(Output, &[Row<'_>])]) -> Result<Receipt> {
    begin(sink, scope, parts).await?.commit().await
}
