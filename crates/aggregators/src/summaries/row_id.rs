//! Ids that come from the row itself, so that two runs give the same bytes.

use chrono::NaiveDate;
use hashbrown::HashMap;
use sha1::{Digest, Sha1};
use uuid::{Builder, Uuid};

/// Version 5 namespace of tokaki's row ids.
const NAMESPACE: Uuid = Uuid::from_bytes(*b"tokaki daily sum");

/// A day, counted from 1970-01-01, as it stands in keys.
pub(crate) fn day_text(day: i32) -> String {
    NaiveDate::from_epoch_days(day).map_or_else(|| day.to_string(), |date| date.to_string())
}

/// Gives each row its id. Rows with the same key are told apart by their position among those alike.
#[derive(Debug, Default)]
pub struct RowIds {
    seen: HashMap<Uuid, u32>,
    key: Vec<u8>,
}

impl RowIds {
    /// The id of the next row with this key.
    pub fn next(&mut self, key: &[Option<&str>]) -> Uuid {
        let alike = self.hash(key, 0);
        let ordinal = self.seen.entry(alike).and_modify(|ordinal| *ordinal += 1).or_insert(0);
        match *ordinal {
            0 => alike,
            ordinal => self.hash(key, ordinal),
        }
    }

    fn hash(&mut self, key: &[Option<&str>], ordinal: u32) -> Uuid {
        self.key.clear();
        for part in key {
            // The length keeps neighbours apart, and null is no length at all.
            let length = part.map_or(u64::MAX, |text| text.len() as u64);
            self.key.extend_from_slice(&length.to_le_bytes());
            self.key.extend_from_slice(part.unwrap_or_default().as_bytes());
        }
        self.key.extend_from_slice(&ordinal.to_le_bytes());
        // Version 5 as `Uuid::new_v5` has it, with a hash that uses what the processor has for it.
        let hash = Sha1::new_with_prefix(NAMESPACE.as_bytes()).chain_update(&self.key).finalize();
        let mut first = [0; 16];
        first.copy_from_slice(&hash[..16]);
        Builder::from_sha1_bytes(first).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_uuid_of_version_5() {
        let mut key = 1_u64.to_le_bytes().to_vec();
        key.extend_from_slice(b"a");
        key.extend_from_slice(&0_u32.to_le_bytes());
        assert_eq!(RowIds::default().next(&[Some("a")]), Uuid::new_v5(&NAMESPACE, &key));
    }

    #[test]
    fn ids_repeat_between_runs_and_never_within_one() {
        let keys = [[Some("a"), None], [Some("a"), None], [Some("a"), Some("")], [None, Some("a")]];
        let run = || {
            let mut ids = RowIds::default();
            keys.map(|key| ids.next(&key))
        };
        let ids = run();
        assert_eq!(ids, run());
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }
}
