//! Faults on purpose: which request of an S3 server goes wrong and how, a TCP proxy that breaks connections, and damage
//! to Parquet files. All of it is seeded: a test that fails fails again.

pub mod mutate;
pub mod proxy;
mod script;

pub use script::{Fault, Operation, Rule, Script, Seen};
