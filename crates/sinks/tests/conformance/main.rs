//! What all sinks promise, and what each promises beyond that.

mod killed;
mod parquet;
mod postgres;
mod replacing;
mod scenario;
mod sqlite;
mod table;
