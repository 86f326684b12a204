//! A bucket behind opendal.

use std::time::Duration;

use opendal::layers::RetryLayer;
use opendal::{HttpTransporter, OperationContext, Operator, services};
use tokaki_core::{Error, Result};
use url::Url;

use super::config::{AddressingStyle, StoreConfig};
use super::error::{store_error, tell_retry};
use super::transport::Transport;

/// Region of stores that have none. The signature needs some text, the same on both sides.
const NO_REGION: &str = "onprem";
/// Longest wait between two tries, unless the server asks for more.
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// A bucket, and all that is needed to open it.
#[derive(Debug)]
pub(crate) struct Bucket {
    config: StoreConfig,
    name: String,
    prefix: String,
    context: OperationContext,
}

impl Bucket {
    /// The bucket of `url`; `key` is the setting that holds it.
    ///
    /// # Errors
    /// `Config` for what the settings contradict.
    pub(super) fn new(config: StoreConfig, url: &Url, key: &str) -> Result<Self> {
        let name = url.host_str().ok_or_else(|| Error::config(key, "the url names no bucket"))?.to_owned();
        let transport = HttpTransporter::new(Transport::new(&config)?);
        let context = OperationContext::new().with_http_transport(transport);
        Ok(Self { config, name, prefix: url.path().to_owned(), context })
    }

    /// An operator of the bucket. Credentials are read when it is first used.
    ///
    /// # Errors
    /// `Config` for settings that opendal or the credential files do not like.
    pub(crate) fn operator(&self) -> Result<Operator> {
        let Self { config, name, prefix, context } = self;
        let mut builder = services::S3::default().bucket(name).root(prefix);
        if let Some(endpoint) = &config.endpoint {
            // The metadata service of a cloud has no keys for a store outside it.
            builder = builder.endpoint(endpoint).disable_ec2_metadata();
        }
        match (&config.region, &config.endpoint) {
            (Some(region), _) => builder = builder.region(region),
            (None, Some(_)) => builder = builder.region(NO_REGION),
            (None, None) => {}
        }
        let virtual_host = match config.addressing_style {
            AddressingStyle::Auto => config.endpoint.is_none(),
            AddressingStyle::Path => false,
            AddressingStyle::Virtual => true,
        };
        if virtual_host {
            builder = builder.enable_virtual_host_style();
        }
        if let Some((id, secret)) = config.keys()? {
            builder = builder.access_key_id(&id).secret_access_key(&secret);
        }
        if let Some(token) = &config.session_token {
            builder = builder.session_token(token);
        }
        if let Some(profile) = &config.profile {
            builder = builder.profile(profile);
        }
        let retry = RetryLayer::new()
            .with_max_times(config.retries as usize)
            .with_min_delay(Duration::from_millis(config.retry_delay_ms.into()))
            .with_max_delay(LONGEST_DELAY)
            .with_jitter()
            .with_notify(tell_retry);
        Ok(Operator::new(builder).map_err(store_error)?.with_context(context.clone()).layer(retry))
    }

    /// The bucket as the user would name it.
    pub(super) fn shown(&self) -> String {
        format!("s3://{}{}", self.name, self.prefix.trim_end_matches('/'))
    }
}
