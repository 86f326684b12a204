//! Rows as a binary `COPY`.

use arrow::array::RecordBatch;
use bytes::BytesMut;
use sqlx::PgConnection;
use tokaki_core::{Output, Result};

use super::partition::quoted;
use super::server::Server;
use super::wire::{Wire, broken};
use crate::target::destination;

/// Rows that are converted and sent at once.
const ROWS: usize = 8_192;

/// Copies `rows` into the output's table.
pub(super) async fn copy(
    connection: &mut PgConnection,
    server: &Server,
    schema: &str,
    output: &Output,
    rows: &RecordBatch,
) -> Result<()> {
    let table = destination(output)?.table.name;
    let columns: Vec<_> = output.fields.iter().map(|field| quoted(field.name)).collect();
    let statement =
        format!("COPY {}.{} ({}) FROM STDIN WITH (FORMAT binary)", quoted(schema), quoted(table), columns.join(", "));
    let mut wire = Wire::new(output)?;
    let mut copy = connection.copy_in_raw(&statement).await.map_err(|error| server.error(&error))?;
    let mut buffer = BytesMut::new();
    let sent = async {
        wire.encoder.write_header(&mut buffer).map_err(broken)?;
        for start in (0..rows.num_rows()).step_by(ROWS) {
            let some = wire.convert(&rows.slice(start, ROWS.min(rows.num_rows() - start)))?;
            wire.encoder.write_batch(&some, &mut buffer).map_err(broken)?;
            copy.send(buffer.split()).await.map_err(|error| server.error(&error))?;
        }
        wire.encoder.write_footer(&mut buffer).map_err(broken)?;
        copy.send(buffer.split()).await.map_err(|error| server.error(&error)).map(drop)
    };
    match sent.await {
        Ok(()) => copy.finish().await.map(drop).map_err(|error| server.error(&error)),
        Err(error) => {
            // The first error says what went wrong; the connection is dropped after it anyway.
            copy.abort("tokaki could not send the rows").await.ok();
            Err(error)
        }
    }
}
