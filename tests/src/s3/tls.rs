//! Certificates of an authority that nobody knows but the test.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

use crate::Result;

/// An authority that signs servers.
#[derive(Debug)]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A server's certificate and key.
#[derive(Debug, Clone)]
pub struct Identity(pub(super) Arc<ServerConfig>);

impl Authority {
    /// The authority `name`, with a key of its own.
    ///
    /// # Errors
    /// No key can be made.
    pub fn new(name: &str) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    /// Its certificate, as a file that names whom to trust holds it.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for the server `name`.
    ///
    /// # Errors
    /// The name is none.
    pub fn sign(&self, name: &str) -> Result<Identity> {
        self.identity(CertificateParams::new([name.to_owned()])?)
    }

    /// A certificate for the server `name` that ended long ago.
    ///
    /// # Errors
    /// The name is none.
    pub fn sign_expired(&self, name: &str) -> Result<Identity> {
        let mut params = CertificateParams::new([name.to_owned()])?;
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
        self.identity(params)
    }

    fn identity(&self, params: CertificateParams) -> Result<Identity> {
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.0)?.der().clone();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        Ok(Identity(Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key)?)))
    }
}
