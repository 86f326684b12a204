//! What every sink promises, as two scenarios that run against a destination that its tests can look into: one for sinks
//! that replace rows among others, one for those that write anew (see [`crate::Sink`]).

mod anew;
mod bench;
mod replacing;
mod table;

use arrow::array::RecordBatch;

use super::fixtures::{self, Open};
use super::plugins::Plugins;
use crate::error::Result;
use crate::output::Output;
use crate::plugin::PluginKind;
use crate::scope::Scope;
use crate::sink::{Receipt, Replacement, Sink};

pub use anew::writes_anew;
pub use bench::{Bench, Replacing};
pub use replacing::replaces_its_rows;
pub use table::{Row, USAGE, batch, day, pods, scope, volumes};

/// Every sink of the crate keeps the contract that its fixture names.
///
/// # Panics
/// If one breaks a promise, or has no fixture.
pub fn keep_their_promises(plugins: &Plugins) {
    fixtures::for_each(plugins, PluginKind::Sink, async |_, open| match open {
        Open::Replacing(open) => replaces_its_rows(open().as_ref()).await,
        Open::Anew(open) => writes_anew(open().as_ref()).await,
        _ => unreachable!("a fixture of the plugin's kind"),
    });
}

/// Deletes and adds rows, and does not commit yet.
///
/// # Errors
/// Whatever the sink finds wrong.
pub async fn begin(sink: &dyn Sink, scope: &Scope, parts: &[(Output, &[Row<'_>])]) -> Result<Box<dyn Replacement>> {
    let outputs: Vec<_> = parts.iter().map(|(output, _)| output.clone()).collect();
    sink.check(scope, &outputs).await?;
    let mut replacement = sink.begin(scope, &outputs).await?;
    for (output, rows) in parts {
        hand_over(sink, replacement.as_mut(), output, &batch(output, rows)).await?;
    }
    Ok(replacement)
}

/// Gives rows to a replacement as a run does: encoded, if the sink has an encoder that takes them.
///
/// # Errors
/// Whatever the sink finds wrong.
pub async fn hand_over(
    sink: &dyn Sink,
    replacement: &mut dyn Replacement,
    output: &Output,
    rows: &RecordBatch,
) -> Result<()> {
    let encoded = sink.encoder().map(|encoder| encoder.encode(output, rows)).transpose()?.flatten();
    match encoded {
        Some(encoded) => replacement.append_encoded(output, encoded).await,
        None => replacement.append(output, rows).await,
    }
}

/// Replaces rows.
///
/// # Errors
/// Whatever the sink finds wrong.
pub async fn replace(sink: &dyn Sink, scope: &Scope, parts: &[(Output, &[Row<'_>])]) -> Result<Receipt> {
    begin(sink, scope, parts).await?.commit().await
}
