//! Sinks of tokaki, the OCP Parquet Aggregator: where finished rows go.
//!
//! | plugin | destination | made for |
//! |---|---|---|
//! | `sqlite` | one file, no server | trying things out, small installations |
//! | `postgres` | Koku's own tables | production |
//! | `parquet` | one file per table in a folder | handing rows to other tools |
//!
//! All three replace the same rows, refuse the same values and take the same [`SinkConfig`]; the tests run one scenario
//! against each of them. The plugins register themselves; a program that links this crate finds them by name.

mod config;
mod disk;
mod ids;
mod limits;
mod look;
mod parquet;
mod postgres;
mod sqlite;
mod statements;
mod target;

pub use config::SinkConfig;
pub use postgres::CopyRows;
