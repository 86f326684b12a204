//! What all sinks promise, and what each promises beyond that.

mod csv;
mod jsonl;
mod killed;
mod lines;
mod parquet;
mod parquet_row_groups;
mod postgres;
mod postgres_connections;
mod postgres_faults;
mod postgres_races;
mod postgres_rights;
mod replacing;
mod sqlite;

tokaki_core::testkit::conformance!(tokaki_sinks);
