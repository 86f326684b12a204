//! What every sink promises, as a scenario that runs against a destination that its tests can look into.

mod scenario;
mod table;

use crate::error::Result;
use crate::output::Output;
use crate::scope::Scope;
use crate::sink::{Receipt, Replacement, Sink};

pub use scenario::{Bench, run};
pub use table::{Row, USAGE, batch, day, pods, scope, volumes};

/// Deletes and adds rows, and does not commit yet.
///
/// # Errors
/// Whatever the sink finds wrong.
pub async fn begin(sink: &dyn Sink, scope: &Scope, parts: &[(Output, &[Row<'_>])]) -> Result<Box<dyn Replacement>> {
    let outputs: Vec<_> = parts.iter().map(|(output, _)| output.clone()).collect();
    sink.check(scope, &outputs).await?;
    let mut replacement = sink.begin(scope, &outputs).await?;
    for (output, rows) in parts {
        replacement.append(output, &batch(output, rows)).await?;
    }
    Ok(replacement)
}

/// Replaces rows.
///
/// # Errors
/// Whatever the sink finds wrong.
pub async fn replace(sink: &dyn Sink, scope: &Scope, parts: &[(Output, &[Row<'_>])]) -> Result<Receipt> {
    begin(sink, scope, parts).await?.commit().await
}
