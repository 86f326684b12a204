//! Rows as a binary `COPY`.

use arrow::array::RecordBatch;
use sqlx::PgConnection;
use tokaki_core::Output;

use super::fault::Fault;
use super::partition::quoted;
use super::rows::{CopyRows, HEADER, TRAILER};
use super::server::Server;
use super::silence::Backend;
use crate::target::destination;

/// Bytes of a message. Some of them fit between us and the server, so that the server always has rows to work on, and
/// encoding one takes less than a millisecond, so that a thread that others need is not held.
const MESSAGE: usize = 256 << 10;

/// Copies `rows` into the output's table.
pub(super) async fn copy(
    connection: &mut PgConnection,
    server: &Server,
    backend: Backend,
    schema: &str,
    output: &Output,
    rows: &RecordBatch,
) -> Result<(), Fault> {
    let table = destination(output)?.table.name;
    let columns: Vec<_> = output.fields.iter().map(|field| quoted(field.name)).collect();
    let statement =
        format!("COPY {}.{} ({}) FROM STDIN WITH (FORMAT binary)", quoted(schema), quoted(table), columns.join(", "));
    let mut rows = CopyRows::new(output, rows)?;
    let failed = |error| server.fault(&error);
    let begun = connection.copy_in_raw(&statement);
    let mut copy = server.heard(backend, async { begun.await.map_err(failed) }).await?;
    let mut message = HEADER.to_vec();
    let sent = async {
        while rows.fill(&mut message, MESSAGE)? {
            server.heard(backend, async { copy.send(message.as_slice()).await.map_err(failed) }).await?;
            message.clear();
        }
        message.extend_from_slice(TRAILER);
        server.heard(backend, async { copy.send(message.as_slice()).await.map_err(failed) }).await.map(drop)
    };
    sent.await?;
    server.heard(backend, async { copy.finish().await.map(drop).map_err(failed) }).await
}
