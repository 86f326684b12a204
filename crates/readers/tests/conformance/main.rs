//! What all readers, catalogs and reference sources promise.

mod csv;
mod file;
mod flat;
mod koku;
mod operator;
mod parquet;
mod postgres;
mod store;

tokaki_core::testkit::conformance!(tokaki_readers);
