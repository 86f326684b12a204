//! What every plugin promises.
