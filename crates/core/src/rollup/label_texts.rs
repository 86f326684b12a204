//! The texts of label columns, numbered as they are decoded, for all who fold them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, StringViewArray, UInt32Array};

use super::interner::{Interner, NULL_TEXT};

/// The distinct texts of label columns, for as long as chunks are folded into the same states.
///
/// Labels are most of a file's bytes, and the same from hour to hour. A decoder that numbers them as they leave their pages
/// reads them while they are in the processor's caches, and once, however many aggregators want them.
#[derive(Debug, Clone)]
pub struct LabelTexts {
    identity: u64,
    columns: BTreeMap<String, Interner>,
}

impl Default for LabelTexts {
    fn default() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { identity: NEXT.fetch_add(1, Ordering::Relaxed), columns: BTreeMap::new() }
    }
}

impl LabelTexts {
    /// Another one for each value that began empty: a number means nothing elsewhere.
    pub(super) fn identity(&self) -> u64 {
        self.identity
    }

    /// The texts of a column, to add to.
    pub fn column_mut(&mut self, name: &str) -> &mut Interner {
        if !self.columns.contains_key(name) {
            self.columns.insert(name.to_owned(), Interner::default());
        }
        self.columns.get_mut(name).expect("it was made if it was missing")
    }

    /// The texts of a column, if a decoder numbered them.
    pub fn column(&self, name: &str) -> Option<&Interner> {
        self.columns.get(name)
    }

    /// The texts of a column, row by row. For those who look at rows one by one.
    pub fn texts(&self, name: &str, numbers: &UInt32Array) -> StringViewArray {
        let text =
            |number: &u32| self.column(name).filter(|_| *number != NULL_TEXT).and_then(|texts| texts.text(*number));
        debug_assert_eq!(numbers.null_count(), 0);
        numbers.values().iter().map(text).collect()
    }
}
