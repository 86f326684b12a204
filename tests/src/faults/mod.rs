//! Faults on purpose: which request of an S3 server goes wrong and how, a TCP proxy that breaks connections, and damage
//! to Parquet files. All of it is seeded: a test that fails fails again.

pub mod mutate;
pub mod proxy;
mod script;

pub use script::{Fault, Operation, Rule, Script, Seen};

/// How many rounds a seeded test takes: those that the environment variable asks for, else `default`.
pub fn rounds(variable: &str, default: u64) -> u64 {
    let asked = std::env::var(variable).ok();
    asked.map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}
