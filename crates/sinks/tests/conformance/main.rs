//! What all sinks promise, and what each promises beyond that.

mod csv;
mod jsonl;
mod killed;
mod parquet;
mod postgres;
mod postgres_connections;
mod postgres_faults;
mod postgres_races;
mod postgres_rights;
mod replacing;
mod sqlite;
