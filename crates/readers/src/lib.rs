//! Where line items and reference data come from: the readers `parquet` and `csv`, the catalogs `koku`, `flat` and
//! `operator`, and the reference sources `file` and `postgres`. Each is a plugin in a folder of its own; those that read files share the
//! [`store`] that holds them. What runs remember is in the [`cache`].

pub mod cache;
mod columns;
pub mod csv;
pub mod file;
pub mod flat;
pub mod koku;
pub mod operator;
pub mod parquet;
pub mod payload;
pub mod postgres;
pub mod store;
