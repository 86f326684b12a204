//! The place that holds the files: a folder or a bucket, behind opendal.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Once;

use opendal::layers::{RetryEvent, RetryLayer};
use opendal::{EntryMode, Operator, services};
use schemars::JsonSchema;
use serde::Deserialize;
use tokaki_core::{DataFile, Error, ErrorKind, Result, Section};
use url::Url;

/// The `[store]` section.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// A folder, or `s3://bucket/prefix`.
    pub url: String,
    /// Address of an S3-compatible store; unset for AWS itself.
    pub endpoint: Option<String>,
    /// Region of the bucket; any text for stores that have none.
    pub region: Option<String>,
    /// Access key id; unset to use the credentials of the environment.
    #[schemars(extend("writeOnly" = true))]
    pub access_key_id: Option<String>,
    /// Secret access key.
    #[schemars(extend("writeOnly" = true))]
    pub secret_access_key: Option<String>,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { url: ".".to_owned(), endpoint: None, region: None, access_key_id: None, secret_access_key: None }
    }
}

impl fmt::Debug for StoreConfig {
    /// Leaves the credentials out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreConfig")
            .field("url", &self.url)
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// Files under one root.
#[derive(Clone, Debug)]
pub struct Store {
    operator: Operator,
    shown_root: String,
}

impl Store {
    /// Opens the store that the `[store]` section describes. Nothing is fetched yet.
    ///
    /// # Errors
    /// `Config` if the url cannot be used, `Absent` if it is a folder that is not there, `Access` or `Store` if it cannot be opened.
    pub fn open(section: &Section) -> Result<Self> {
        let config: StoreConfig = section.parse()?;
        let key = format!("{}.url", section.path());
        match Url::parse(&config.url) {
            Ok(url) if url.scheme() == "s3" => Self::open_bucket(&config, &url, &key),
            Ok(url) if url.scheme() == "file" => {
                let path = url.to_file_path().map_err(|()| Error::config(&key, "this file url names no folder"))?;
                Self::open_folder(&path.to_string_lossy(), &key)
            }
            // `C:\data` and the like parse as a url with a scheme of one letter.
            Ok(url) if url.scheme().len() > 1 => {
                Err(Error::config(key, format!("there is no store for `{}://`", url.scheme()))
                    .help("use a folder or s3://bucket/prefix"))
            }
            _ => Self::open_folder(&config.url, &key),
        }
    }

    fn open_folder(path: &str, key: &str) -> Result<Self> {
        let absent = |message| Error::new(ErrorKind::Absent, message).help(format!("{key} names the folder"));
        // opendal would create a missing root; a typing mistake should not leave a folder behind.
        let root = Path::new(path).canonicalize().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => absent(format!("there is no folder {path}")),
            io::ErrorKind::PermissionDenied => {
                Error::new(ErrorKind::Access, format!("the folder {path} may not be opened: {error}"))
            }
            _ => Error::new(ErrorKind::Store, format!("the folder {path} cannot be opened: {error}")),
        })?;
        if !root.is_dir() {
            return Err(absent(format!("{path} is not a folder")));
        }
        let operator = Operator::new(services::Fs::default().root(&root.to_string_lossy())).map_err(store_error)?;
        Ok(Self { operator, shown_root: path.trim_end_matches('/').to_owned() })
    }

    fn open_bucket(config: &StoreConfig, url: &Url, key: &str) -> Result<Self> {
        install_network();
        let bucket = url.host_str().ok_or_else(|| Error::config(key, "the url names no bucket"))?;
        let mut builder = services::S3::default()
            .bucket(bucket)
            .root(url.path())
            .region(config.region.as_deref().unwrap_or("onprem"));
        if let Some(endpoint) = &config.endpoint {
            // The metadata service of a cloud has no keys for a store outside it.
            builder = builder.endpoint(endpoint).disable_ec2_metadata();
        }
        if config.access_key_id.is_some() != config.secret_access_key.is_some() {
            return Err(Error::config("store.access_key_id", "one half of the credentials is missing")
                .help("set store.access_key_id and store.secret_access_key, or neither to use the environment's"));
        }
        if let Some(id) = &config.access_key_id {
            builder = builder.access_key_id(id);
        }
        if let Some(secret) = &config.secret_access_key {
            builder = builder.secret_access_key(secret);
        }
        let operator =
            Operator::new(builder).map_err(store_error)?.layer(RetryLayer::new().with_jitter().with_notify(tell_retry));
        Ok(Self { operator, shown_root: format!("s3://{bucket}{}", url.path().trim_end_matches('/')) })
    }

    /// The opendal operator of the root.
    pub fn operator(&self) -> &Operator {
        &self.operator
    }

    /// `path` as the user would name it.
    pub fn shown(&self, path: &str) -> String {
        format!("{}/{path}", self.shown_root)
    }

    /// The Parquet files in `folder`, sorted by path; a folder that is not there has none.
    ///
    /// Names that begin with `.` or `_` are left out: writers use them for what is not data.
    ///
    /// # Errors
    /// `Store` or `Access`.
    pub async fn parquet_files(&self, folder: &str, recursive: bool) -> Result<Vec<DataFile>> {
        let at_folder = |error| store_error(error).at_file(&self.shown(folder));
        let entries = match self.operator.list_with(folder).recursive(recursive).await {
            Ok(entries) => entries,
            Err(error) if error.kind() == opendal::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(at_folder(error)),
        };
        let mut files = Vec::new();
        for entry in entries {
            let is_data = entry.metadata().mode() == EntryMode::FILE
                && entry.name().ends_with(".parquet")
                && !entry.name().starts_with(['.', '_']);
            if is_data {
                let path = entry.path().to_owned();
                let shown = self.shown(&path);
                // A listing of a folder has no sizes.
                let metadata = self.operator.stat(&path).await.map_err(|error| store_error(error).at_file(&shown))?;
                files.push(DataFile { path, shown, bytes: metadata.content_length() });
            }
        }
        files.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(files)
    }
}

/// Installs the TLS provider and the HTTP transport, once per process. Only buckets need them: reading the system's
/// certificates would take a run on a folder longer than its work.
fn install_network() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // Both fail only where another one is installed already, and then that one serves.
        rustls::crypto::ring::default_provider().install_default().ok();
        opendal::HttpTransporter::install_default(opendal_http_transport_reqwest::ReqwestTransport::default());
    });
}

/// Adds the file to an error.
pub(crate) trait AtFile {
    /// Names the file as the user would.
    fn at_file(self, shown: &str) -> Self;
}

impl AtFile for Error {
    fn at_file(self, shown: &str) -> Self {
        self.at(&tokaki_core::Place { file: Some(shown.to_owned()), ..Default::default() })
    }
}

/// What opendal says, in our words: refused access apart from everything else.
pub(crate) fn store_error(error: opendal::Error) -> Error {
    match error.kind() {
        opendal::ErrorKind::PermissionDenied => {
            Error::new(ErrorKind::Access, format!("the store refused access: {}", error.message()))
                .help("check the credentials and what they may read")
        }
        _ => Error::new(ErrorKind::Store, format!("the store did not answer as it should: {}", said(&error))),
    }
}

/// What went wrong and why at bottom, in one line. opendal's own text adds urls, layers and backtraces.
fn said(error: &opendal::Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |error| error.source());
    match causes.last() {
        Some(root) => format!("{}: {root}", error.message()),
        None => error.message().to_owned(),
    }
}

fn tell_retry(event: RetryEvent<'_>) {
    let seconds = event.retry_after.as_secs_f64();
    tracing::warn!("the store did not answer ({}): trying again in {seconds:.1} s", said(event.err));
}
