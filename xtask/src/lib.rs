//! Chores of this repository. `cargo xtask help` lists the verbs; the PostgreSQL part also serves the tests.

pub mod bench;
pub mod chore;
pub mod new;
pub mod nise;
pub mod postgres;
