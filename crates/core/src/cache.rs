//! A place that keeps what a run came to, for the next one.

use async_trait::async_trait;
use bytes::Bytes;

/// Entries by name. A name is a relative path of plain letters, digits, `-` and `/`.
///
/// The runner proves each entry before it uses it and computes what it does not get, so a cache may lose anything at any
/// time and may hand out anything. It must not fail a run: an implementation tells of its troubles itself and then has
/// no entries. Several runs may share one at the same time.
#[async_trait]
pub trait Cache: Send + Sync {
    /// The entry, if there is one.
    async fn get(&self, name: &str) -> Option<Bytes>;

    /// Keeps an entry in the place of an older one. Whoever reads at the same time gets one of the two, whole.
    async fn put(&self, name: &str, entry: Vec<u8>);

    /// Names of the entries in `folder`, which ends with `/`, and below it.
    async fn names(&self, folder: &str) -> Vec<String>;

    /// Forgets entries; those that are not there are forgotten already.
    async fn remove(&self, names: Vec<String>);
}
