//! Threads to fold on: as many as the system gives.

use std::fmt::Display;

/// Threads, or none but the one that drives the run, and why there are no more.
pub(super) struct Threads<P> {
    pub(super) pool: Option<P>,
    /// How many there are.
    pub(super) workers: usize,
    /// Why some of those that were wanted could not be had.
    pub(super) refused: Option<String>,
}

impl<P> Threads<P> {
    /// As many of the `wanted` threads as `start` can be had to start: all, half of them, half of these. One alone would
    /// only take turns with the one that drives the run.
    pub(super) fn start<E: Display>(wanted: usize, start: impl Fn(usize) -> Result<P, E>) -> Self {
        let mut refused = None;
        let mut workers = wanted;
        while workers > 1 {
            match start(workers) {
                Ok(pool) => return Self { pool: Some(pool), workers, refused },
                Err(error) => refused = Some(refused.unwrap_or_else(|| error.to_string())),
            }
            workers /= 2;
        }
        Self { pool: None, workers: 1, refused }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r5_threads_that_are_refused_are_done_without() {
        let at_most = |most: usize| {
            let started = Threads::start(8, |count| if count <= most { Ok(count) } else { Err("too many") });
            (started.pool, started.workers, started.refused)
        };
        assert_eq!(at_most(8), (Some(8), 8, None));
        assert_eq!(at_most(5), (Some(4), 4, Some("too many".to_owned())));
        assert_eq!(at_most(1), (None, 1, Some("too many".to_owned())));
    }
}
