//! What a run keeps for the next one: entries in a folder or a bucket. See `README.md` in this folder.
//!
//! Nothing here fails a run. A cache that does not answer is told of once and not asked again.

mod config;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use opendal::{EntryMode, ErrorKind, Operator, services};
use tokaki_core::{Cache, Error, Result, Section};
use url::Url;

pub use config::CacheConfig;

use crate::store::{self, Bucket};

/// Where written entries wait for their names, beside the folders of the entries.
const DRAFTS: &str = ".drafts";

/// Opens the cache that the `[cache]` section names; `None` if it names none. A bucket is opened as `[store]` says.
///
/// # Errors
/// `Config` if a setting cannot be used. Nothing is fetched or made yet.
pub fn open(section: &Section, store: &Section) -> Result<Option<Arc<dyn Cache>>> {
    let config: CacheConfig = section.parse()?;
    let Some(url) = config.url.filter(|url| !url.is_empty()) else { return Ok(None) };
    let key = format!("{}.url", section.path());
    let place = match Url::parse(&url) {
        Ok(parsed) if parsed.scheme() == "s3" => Place::Bucket(Box::new(store::bucket(store, &parsed, &key)?)),
        // `C:\cache` and the like parse as a url with a scheme of one letter.
        Ok(parsed) if parsed.scheme().len() > 1 && parsed.scheme() != "file" => {
            return Err(Error::config(key, format!("there is no cache in `{}://`", parsed.scheme()))
                .help("use a folder or s3://bucket/prefix"));
        }
        _ => Place::Folder(url.strip_prefix("file://").unwrap_or(&url).to_owned()),
    };
    Ok(Some(Arc::new(Entries { place, operator: OnceLock::new(), given_up: AtomicBool::new(false) })))
}

enum Place {
    /// Made when it is first used.
    Folder(String),
    Bucket(Box<Bucket>),
}

/// Entries under one root.
struct Entries {
    place: Place,
    operator: OnceLock<Option<Operator>>,
    /// Set by the first failure. Each further one would cost the patience of all retries.
    given_up: AtomicBool,
}

impl Entries {
    /// `None` once the cache was given up.
    fn operator(&self) -> Option<&Operator> {
        if self.given_up.load(Ordering::Relaxed) {
            return None;
        }
        let open = || {
            let operator = match &self.place {
                Place::Folder(root) => folder(root),
                Place::Bucket(bucket) => bucket.operator(),
            };
            operator.map_err(|error| self.give_up("opened", error.message())).ok()
        };
        self.operator.get_or_init(open).as_ref()
    }

    fn give_up(&self, done: &str, why: &str) {
        if !self.given_up.swap(true, Ordering::Relaxed) {
            tracing::warn!("the cache cannot be {done} ({why}): this run goes on without it");
        }
    }

    /// What came of it; a failure gives the cache up.
    fn told<T>(&self, done: &str, outcome: opendal::Result<T>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                self.give_up(done, &store::said(&error));
                None
            }
        }
    }

    /// Reads a file in one piece. opendal would read into cleared buffers of a fixed size, which are larger than most
    /// entries.
    async fn read_file(&self, path: &Path) -> Option<Bytes> {
        match tokio::fs::read(path).await {
            Ok(bytes) => Some(bytes.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                self.give_up("read", &error.to_string());
                None
            }
        }
    }
}

fn folder(root: &str) -> Result<Operator> {
    let drafts = format!("{}/{DRAFTS}", root.trim_end_matches('/'));
    Operator::new(services::Fs::default().root(root).atomic_write_dir(&drafts)).map_err(store::store_error)
}

#[async_trait]
impl Cache for Entries {
    async fn get(&self, name: &str) -> Option<Bytes> {
        let operator = self.operator()?;
        match &self.place {
            Place::Folder(root) => self.read_file(&Path::new(root).join(name)).await,
            Place::Bucket(_) => self.told("read", operator.read(name).await).map(|bytes| bytes.to_bytes()),
        }
    }

    async fn put(&self, name: &str, entry: Vec<u8>) {
        if let Some(operator) = self.operator() {
            let written = operator.write(name, entry).await;
            self.told("written", written);
        }
    }

    async fn names(&self, folder: &str) -> Vec<String> {
        let Some(operator) = self.operator() else { return Vec::new() };
        let listed = operator.list(folder).await;
        let entries = self.told("listed", listed).unwrap_or_default();
        let files = entries.into_iter().filter(|entry| entry.metadata().mode() == EntryMode::FILE);
        files.map(|entry| entry.path().to_owned()).collect()
    }

    async fn remove(&self, names: Vec<String>) {
        /// Requests at once; not every store knows how to delete several entries by one.
        const AT_ONCE: usize = 8;
        let Some(operator) = self.operator() else { return };
        let mut removing = futures::stream::iter(names)
            .map(|name| async move { operator.delete(&name).await })
            .buffer_unordered(AT_ONCE);
        while let Some(removed) = removing.next().await {
            if self.told("tidied up", removed).is_none() {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests;
