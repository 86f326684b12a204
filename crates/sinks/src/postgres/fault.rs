//! Faults after which the same transaction may succeed, and how often it is tried.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokaki_core::{Error, Place};

/// SQLSTATEs after which the whole transaction is repeated: a serialization failure, a deadlock, a server that was told
/// to stop, that stopped, or that is only starting. Nothing else: whoever repeats everything hides bugs.
const PASSING: [&str; 5] = ["40001", "40P01", "57P01", "57P02", "57P03"];
/// The class of SQLSTATEs about connections; pgbouncer reports with it that its server is gone.
const CONNECTION: &str = "08";

/// A transaction that failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// The same again may succeed.
    Passing(Error),
    /// The same again would fail again.
    Lasting(Error),
}

impl Fault {
    /// Fills the parts of the error's place that are not known yet.
    pub(super) fn at(self, place: &Place) -> Self {
        match self {
            Self::Passing(error) => Self::Passing(error.at(place)),
            Self::Lasting(error) => Self::Lasting(error.at(place)),
        }
    }
}

/// What went wrong, where nothing is repeated.
impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Passing(error) | Fault::Lasting(error) => error,
        }
    }
}

/// Our own errors have nothing to do with the server's health.
impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Lasting(error)
    }
}

/// Whether a transaction that ended so may be repeated. `error` must come from a connection that stood, or from one that
/// replaces it.
pub(super) fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| PASSING.contains(&code.as_ref()) || code.starts_with(CONNECTION))
        }
        _ => false,
    }
}

/// How long to wait before each further attempt, a quarter of a minute in all: time for a server to start again. Jitter
/// keeps two runs that ended in one deadlock from meeting again.
pub(super) fn delays() -> ExponentialBackoff {
    let delays = ExponentialBuilder::default().with_min_delay(Duration::from_millis(200)).with_max_times(6);
    delays.with_max_delay(Duration::from_secs(5)).with_jitter().build()
}
