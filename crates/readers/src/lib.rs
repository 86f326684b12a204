//! Where line items and reference data come from: the Parquet reader, the catalogs `koku` and `flat`, and the
//! reference sources `file` and `postgres`. Each is a plugin in a folder of its own; those that read files share the
//! [`store`] that holds them.

pub mod file;
pub mod flat;
pub mod koku;
pub mod parquet;
pub mod payload;
pub mod postgres;
pub mod store;

/// Installs what network access needs once per process: the TLS provider and the HTTP transport. Safe to call again.
pub fn init_process() {
    // Both calls fail only where another provider is installed already, and then that one serves.
    rustls::crypto::ring::default_provider().install_default().ok();
    opendal::HttpTransporter::install_default(opendal_http_transport_reqwest::ReqwestTransport::default());
}
