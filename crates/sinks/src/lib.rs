//! Sinks of tokaki, the OCP Parquet Aggregator: where finished rows go.
//!
//! | plugin | destination | made for |
//! |---|---|---|
//! | `sqlite` | one file, no server | trying things out, small installations |
//! | `postgres` | Koku's own tables | production |
//! | `parquet` | one file per table in a folder | handing rows to other tools |
//! | `csv`, `jsonl` | the rows of one run as text | looking at them, feeding scripts |
//!
//! The first three replace rows and take the same [`SinkConfig`], the others write anew: see [`tokaki_core::Sink`] for what
//! each promises. All refuse the same values. The plugins register themselves; a program that links this crate finds them by name.

mod config;
mod csv;
mod disk;
mod ids;
mod jsonl;
mod lines;
mod look;
mod parquet;
mod postgres;
mod sqlite;
mod statements;
mod target;
mod undated;

pub use config::SinkConfig;
pub use postgres::CopyRows;
