//! What the tests share.

pub(crate) mod cases;
pub(crate) mod compare;
pub(crate) mod destination;
pub(crate) mod parallel;
pub(crate) mod table;
pub(crate) mod tokaki;

/// What keeps a test from being carried out; each test adds which case it was about.
pub(crate) type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;
