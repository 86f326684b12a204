//! Encrypted connections: `sslmode` and its files, as libpq takes them.

use std::fs;
use std::io;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

/// The certificates that a server's must descend from, as the driver spells the parameter.
const ROOT_CERTIFICATE: [&str; 3] = ["sslrootcert", "ssl-root-cert", "ssl-ca"];
/// Our own certificate and key.
const CLIENT_FILES: [&str; 4] = ["sslcert", "ssl-cert", "sslkey", "ssl-key"];
/// How a file of any kind begins; the driver takes its content instead of a path, too.
const PEM: &str = "-----BEGIN";

/// Refuses files that cannot be read or hold something else. The driver would say so only when it connects, in words for
/// a network that fails.
pub(super) fn check_files(url: &Url) -> Result<(), String> {
    for (key, value) in url.query_pairs() {
        if !ROOT_CERTIFICATE.contains(&&*key) && !CLIENT_FILES.contains(&&*key) || value.starts_with(PEM) {
            continue;
        }
        let text = fs::read_to_string(&*value).map_err(|error| format!("{key} `{value}` cannot be read: {error}"))?;
        if !text.contains(PEM) {
            return Err(format!("{key} `{value}` is no PEM file"));
        }
    }
    Ok(())
}

/// The options as libpq understands them: whoever names a root certificate wants it looked at. The driver would encrypt
/// for `require` and trust anyone.
pub(super) fn as_libpq(options: PgConnectOptions, url: &Url) -> PgConnectOptions {
    let names_root = url.query_pairs().any(|(key, _)| ROOT_CERTIFICATE.contains(&&*key));
    match options.get_ssl_mode() {
        PgSslMode::Require if names_root => options.ssl_mode(PgSslMode::VerifyCa),
        _ => options,
    }
}

/// Why no encrypted connection came about, if that is what failed.
pub(super) fn refusal(error: &sqlx::Error) -> Option<String> {
    match error {
        sqlx::Error::Tls(error) => Some(error.to_string()),
        sqlx::Error::Configuration(error) => Some(error.to_string()),
        // What the handshake finds wrong comes as data that is not valid.
        sqlx::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => Some(error.to_string()),
        _ => None,
    }
}
