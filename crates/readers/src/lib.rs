//! Where line items and reference data come from: the Parquet reader, the catalogs `koku` and `flat`, and the
//! reference sources `file` and `postgres`. Each is a plugin in a folder of its own; those that read files share the
//! [`store`] that holds them. What runs remember is in the [`cache`].

pub mod cache;
pub mod file;
pub mod flat;
pub mod koku;
pub mod parquet;
pub mod payload;
pub mod postgres;
pub mod store;
