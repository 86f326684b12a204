//! tokaki as its users meet it, for three users of its own: the test suite, the validation that QE runs (`docs/iqe.md`),
//! and the benchmark.

pub mod bench;
pub mod cases;
pub mod command;
pub mod compare;
pub mod destination;
pub mod faults;
pub mod folder;
pub mod iqe;
pub mod parallel;
pub mod rows;
pub mod s3;
pub mod scenario;
pub mod table;

/// What keeps a case from being looked at; whoever looks at it adds which case it was.
pub type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;
