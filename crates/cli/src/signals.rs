//! Ends a run from outside.

use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Exit;

/// Waits for SIGINT or SIGTERM, and says how the command then ends.
///
/// # Errors
/// If the process may not listen to signals.
pub(crate) async fn requested() -> std::io::Result<Exit> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => Ok(Exit::Interrupted),
        _ = terminate.recv() => Ok(Exit::Terminated),
    }
}
