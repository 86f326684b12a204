//! HTTP to a bucket: which server is trusted, how long it is waited for, and whether an answer is what was asked.
//!
//! opendal retries; what it leaves to its transport is done here. Its retries do not know `Retry-After`, so requests
//! that follow wait here; a stalled server is noticed where bytes arrive, not by a limit on whole requests, which would
//! end a slow but steady one.

use std::error::Error as StdError;
use std::fs;
use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::header::{CONTENT_LENGTH, ETAG, HeaderMap, HeaderName, IF_MATCH, RANGE, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use opendal::{Buffer, HttpBody, HttpTransport};
use opendal_http_transport_reqwest::ReqwestTransport;
use reqwest::{Certificate, Client};
use tokaki_core::{Error, Result};
use tokio::time::{Instant, sleep_until};

use super::config::StoreConfig;
use super::error::root;

/// A server that asks for a longer pause than this is not waited for any longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// HTTP for one bucket.
pub(super) struct Transport {
    client: ReqwestTransport,
    /// Before this no request is sent, because the server asked for a pause.
    resume: Mutex<Option<Instant>>,
}

impl Transport {
    /// A client that trusts whom the settings say.
    ///
    /// # Errors
    /// `Config` if the certificates cannot be read.
    pub(super) fn new(config: &StoreConfig) -> Result<Self> {
        install_tls();
        let timeout = Duration::from_secs(config.timeout_seconds.get().into());
        let mut client = Client::builder()
            .user_agent(concat!("tokaki/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(timeout)
            .read_timeout(timeout);
        if let Some(path) = &config.ca_bundle {
            let refuse = |why: String| Error::config("store.ca_bundle", format!("{}: {why}", path.display()));
            let pem = fs::read(path).map_err(|error| refuse(error.to_string()))?;
            let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| refuse(error.to_string()))?;
            if certificates.is_empty() {
                return Err(refuse("there is no certificate in PEM form in it".to_owned()));
            }
            client = client.tls_certs_only(certificates);
        }
        if !config.verify_tls {
            warn_of_open_tls();
            client = client.tls_danger_accept_invalid_certs(true);
        }
        let client = client.build().map_err(|error| match &config.ca_bundle {
            Some(path) => Error::config("store.ca_bundle", format!("{}: {}", path.display(), why(&error))),
            None => Error::bug(format!("no HTTP client: {}", why(&error))),
        })?;
        Ok(Self { client: ReqwestTransport::new(client), resume: Mutex::default() })
    }

    /// Waits until the server wants to be asked again, and a random while longer, so that not all come back at once.
    async fn pause(&self) {
        let resume = *self.resume.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(resume) = resume.filter(|resume| *resume > Instant::now()) {
            let left = resume - Instant::now();
            sleep_until(resume + left.mul_f64(fastrand::f64() / 4.0)).await;
        }
    }

    fn heed(&self, status: StatusCode, headers: &HeaderMap) {
        let is_throttled = matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS);
        let Some(pause) = text(headers, RETRY_AFTER).and_then(pause).filter(|_| is_throttled) else { return };
        let pause = pause.min(LONGEST_PAUSE);
        tracing::warn!("the store asks for a pause of {} s", pause.as_secs());
        let mut resume = self.resume.lock().unwrap_or_else(PoisonError::into_inner);
        *resume = (*resume).max(Some(Instant::now() + pause));
    }
}

impl HttpTransport for Transport {
    async fn fetch(&self, request: Request<Buffer>) -> opendal::Result<Response<HttpBody>> {
        self.pause().await;
        let asked = request.headers().clone();
        let is_listing = request.uri().query().is_some_and(|query| query.contains("list-type="));
        let response = self.client.fetch(request).await.map_err(without_hope)?;
        self.heed(response.status(), response.headers());
        if !response.status().is_success() {
            return Ok(response);
        }
        check(&asked, response.headers())?;
        if is_listing { whole_listing(response).await } else { Ok(response) }
    }
}

/// Compares a good answer with its question. Proxies have been seen to answer with a page of their own and status 200,
/// and not every store knows `If-Match`.
fn check(asked: &HeaderMap, answered: &HeaderMap) -> opendal::Result<()> {
    let plain = |tag: &str| tag.trim_matches('"').to_owned();
    let (wanted, found) = (text(asked, IF_MATCH).map(plain), text(answered, ETAG).map(plain));
    if wanted.is_some() && found.is_some() && wanted != found {
        return Err(opendal::Error::new(opendal::ErrorKind::ConditionNotMatch, "the file has another entity tag"));
    }
    let wanted = text(asked, RANGE).and_then(length);
    let found = text(answered, CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    if let (Some(wanted), Some(found)) = (wanted, found)
        && wanted != found
    {
        let message = format!("asked for {wanted} bytes, the store sends {found}");
        return Err(opendal::Error::new(opendal::ErrorKind::Unexpected, message).set_temporary());
    }
    Ok(())
}

/// The answer, if its body is a listing from beginning to end. opendal takes any other XML for a listing of nothing, and
/// what is not listed is missing from the result without a word.
async fn whole_listing(response: Response<HttpBody>) -> opendal::Result<Response<HttpBody>> {
    let (parts, mut body) = response.into_parts();
    let listing = body.to_buffer().await?;
    if !is_listing(&String::from_utf8_lossy(&listing.to_bytes())) {
        let message = "the store sent something else than the listing";
        return Err(opendal::Error::new(opendal::ErrorKind::Unexpected, message).set_temporary());
    }
    let length = listing.len() as u64;
    Ok(Response::from_parts(parts, HttpBody::new(futures::stream::iter([Ok(listing)]), Some(length))))
}

fn is_listing(text: &str) -> bool {
    text.contains("<ListBucketResult") && text.trim_end().ends_with("</ListBucketResult>")
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Bytes of a range such as `bytes=0-99`.
fn length(range: &str) -> Option<u64> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    last.parse::<u64>().ok()?.checked_sub(first.parse().ok()?)?.checked_add(1)
}

/// What `Retry-After` asks for: seconds, or a date.
fn pause(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::parse_from_rfc2822(text.trim()).ok()?;
    date.signed_duration_since(Utc::now()).to_std().ok()
}

/// A certificate that is not trusted now will not be trusted in a second.
fn without_hope(error: opendal::Error) -> opendal::Error {
    match tls_error(&error) {
        Some(reason) => opendal::Error::new(
            opendal::ErrorKind::ConfigInvalid,
            format!("the server's certificate is refused: {reason}; store.ca_bundle names the authorities to trust"),
        ),
        None => error,
    }
}

/// The TLS error at the bottom of `error`, if it is about certificates.
fn tls_error(error: &opendal::Error) -> Option<String> {
    let mut cause: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(current) = cause {
        if let Some(tls @ rustls::Error::InvalidCertificate(_)) = current.downcast_ref::<rustls::Error>() {
            return Some(tls.to_string());
        }
        // An I/O error that wraps another one calls that one's source its own.
        let wrapped = current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = match wrapped {
            Some(inner) => Some(inner),
            None => current.source(),
        };
    }
    None
}

fn why(error: &reqwest::Error) -> String {
    root(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// Installs the TLS provider, once per process. Only buckets need it: reading the system's certificates would take a
/// run on a folder longer than its work.
fn install_tls() {
    static INSTALLED: Once = Once::new();
    // Fails only where another one is installed already, and then that one serves.
    INSTALLED.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

/// Once per process, although a run opens its store more than once.
fn warn_of_open_tls() {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| tracing::warn!("store.verify_tls is off: nothing proves that the server is the right one"));
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_pause_is_seconds_or_a_date() {
        assert_eq!(pause("7"), Some(Duration::from_secs(7)));
        let date = (Utc::now() + Duration::from_secs(3600)).to_rfc2822();
        assert!(pause(&date).is_some_and(|pause| pause > Duration::from_secs(3000)));
        assert_eq!(pause("Wed, 21 Oct 2015 07:28:00 GMT"), None);
        assert_eq!(pause("soon"), None);
    }

    #[test]
    fn a_range_has_a_length() {
        assert_eq!(
            ["bytes=0-99", "bytes=5-5", "bytes=5-", "bytes=-5", "bytes=9-2"].map(length),
            [Some(100), Some(1), None, None, None]
        );
    }

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn an_error_or_half_a_listing_is_no_listing() {
        assert!(is_listing("<?xml version=\"1.0\"?><ListBucketResult xmlns=\"x\"></ListBucketResult>\n"));
        assert!(!is_listing("<?xml version=\"1.0\"?><Error><Code>InternalError</Code></Error>"));
        assert!(!is_listing("<ListBucketResult><Contents>"));
        assert!(!is_listing(""));
    }

    #[test]
    fn an_answer_must_be_what_was_asked() {
        let asked = headers(&[(RANGE, "bytes=0-9"), (IF_MATCH, "\"a\"")]);
        let kind =
            |answer: &[(HeaderName, &'static str)]| check(&asked, &headers(answer)).err().map(|error| error.kind());
        assert_eq!(kind(&[(CONTENT_LENGTH, "10"), (ETAG, "\"a\"")]), None);
        assert_eq!(kind(&[(CONTENT_LENGTH, "10")]), None);
        assert_eq!(kind(&[(CONTENT_LENGTH, "9")]), Some(opendal::ErrorKind::Unexpected));
        assert_eq!(kind(&[(ETAG, "\"b\"")]), Some(opendal::ErrorKind::ConditionNotMatch));
    }
}
