//! Which of an operator's payloads a file came with.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// What a file's writer noted of the payload that it is a part of.
///
/// Operators that report by day send the day again as it grows, so of several payloads for one day the one with more
/// hours holds what the others hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayloadOfDay {
    /// The day that the payload reports, UTC.
    pub day: NaiveDate,
    /// Hours of the day that it has.
    pub hours: u32,
    /// Its manifest, the same for all its files.
    pub manifest: String,
}

impl PayloadOfDay {
    /// What decides between payloads of one day: more hours, then the later manifest. Koku counts manifests, and a
    /// number with more digits is a later one.
    pub(crate) fn rank(&self) -> (u32, usize, &str) {
        (self.hours, self.manifest.len(), &self.manifest)
    }
}
