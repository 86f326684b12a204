//! A table of groups: `K` numbers as the key, `S` exact sums and `M` maxima beside it.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::exact_sum::{ExactSum, Resolution};
use crate::error::{Error, Result};

/// Names and resolutions of a rollup's columns; a constant beside the aggregator that uses it.
#[derive(Debug, PartialEq, Eq)]
pub struct RollupSpec<const K: usize, const S: usize, const M: usize> {
    /// What each key column is.
    pub keys: [&'static str; K],
    /// Source column of each sum, and its resolution.
    pub sums: [(&'static str, Resolution); S],
    /// Source column of each maximum.
    pub maxima: [&'static str; M],
}

/// Groups and their measures. A measure is null until a value was added.
#[derive(Debug, Clone)]
pub struct Rollup<const K: usize, const S: usize, const M: usize> {
    pub(super) spec: &'static RollupSpec<K, S, M>,
    pub(super) rows: Vec<GroupRow<K, S, M>>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

/// One group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupRow<const K: usize, const S: usize, const M: usize> {
    /// The key.
    pub key: [u32; K],
    /// Sums in units of their resolution; meaningful where [`GroupRow::has_sum`].
    pub(super) sums: [ExactSum; S],
    /// Maxima; negative infinity where nothing was added.
    pub(super) maxima: [f64; M],
    pub(super) seen: u32,
}

impl<const K: usize, const S: usize, const M: usize> GroupRow<K, S, M> {
    /// The group of `key` with nothing added.
    pub fn new(key: [u32; K]) -> Self {
        Self { key, sums: [ExactSum(0); S], maxima: [f64::NEG_INFINITY; M], seen: 0 }
    }

    /// The sum at `index`, if a value was added.
    pub fn sum(&self, index: usize) -> Option<ExactSum> {
        (self.seen & (1 << index) != 0).then(|| self.sums[index])
    }

    /// The maximum at `index`, if a value was added.
    pub fn maximum(&self, index: usize) -> Option<f64> {
        (self.maxima[index] != f64::NEG_INFINITY).then(|| self.maxima[index])
    }

    /// Adds to the sum at `index`.
    ///
    /// # Errors
    /// `Type` if the sum overflows.
    #[inline]
    pub fn add(&mut self, index: usize, sum: ExactSum) -> Result<()> {
        self.seen |= 1 << index;
        self.sums[index].add(sum.0)
    }

    /// Raises the maximum at `index`.
    #[inline]
    pub fn raise(&mut self, index: usize, value: f64) {
        // `-0.0` and `0.0` compare equal; adding zero makes them one, so that order cannot choose between them.
        let value = value + 0.0;
        if value > self.maxima[index] {
            self.maxima[index] = value;
        }
    }

    /// Takes in the measures of `other`, its sums `times` over.
    ///
    /// # Errors
    /// `Type` if a sum overflows.
    pub fn absorb(&mut self, other: &Self, times: u32) -> Result<()> {
        for index in 0..S {
            if let Some(sum) = other.sum(index) {
                self.add(index, sum.times(times)?)?;
            }
        }
        for index in 0..M {
            if let Some(value) = other.maximum(index) {
                self.raise(index, value);
            }
        }
        Ok(())
    }
}

impl<const K: usize, const S: usize, const M: usize> Rollup<K, S, M> {
    /// No groups.
    pub fn new(spec: &'static RollupSpec<K, S, M>) -> Self {
        const { assert!(S <= 32, "the sums that were seen are one bit each") };
        Self { spec, rows: Vec::new(), table: HashTable::new(), hasher: DefaultHashBuilder::default() }
    }

    /// The group of `key`, made if it is new.
    #[inline]
    pub fn group(&mut self, key: [u32; K]) -> &mut GroupRow<K, S, M> {
        let hash = self.hasher.hash_one(key);
        let (rows, hasher) = (&mut self.rows, &self.hasher);
        let entry = self.table.entry(
            hash,
            |index| rows[*index as usize].key == key,
            |index| hasher.hash_one(rows[*index as usize].key),
        );
        let index = match entry {
            hashbrown::hash_table::Entry::Occupied(entry) => *entry.get(),
            hashbrown::hash_table::Entry::Vacant(entry) => {
                let index = u32::try_from(rows.len()).expect("fewer than 2^32 groups fit in memory");
                entry.insert(index);
                rows.push(GroupRow::new(key));
                index
            }
        };
        &mut rows[index as usize]
    }

    /// Adds `value` to the sum at `index` of `key`'s group.
    ///
    /// # Errors
    /// `Type`, with the source column, if the value or the sum is too large.
    #[inline]
    pub fn add(spec: &RollupSpec<K, S, M>, group: &mut GroupRow<K, S, M>, index: usize, value: f64) -> Result<()> {
        let (column, resolution) = spec.sums[index];
        resolution
            .units(value)
            .and_then(|units| group.add(index, ExactSum(units)))
            .map_err(|error| error.column(column))
    }

    /// All groups, in the order of their arrival.
    pub fn rows(&self) -> &[GroupRow<K, S, M>] {
        &self.rows
    }

    /// Takes in the groups of `other`, each under the key that `translate` makes of its key.
    ///
    /// # Errors
    /// `Type` if a sum overflows.
    pub fn absorb(&mut self, other: &Self, translate: impl Fn([u32; K]) -> [u32; K]) -> Result<()> {
        if self.spec != other.spec {
            return Err(Error::bug("two rollups of different columns were merged"));
        }
        for row in &other.rows {
            self.group(translate(row.key)).absorb(row, 1)?;
        }
        Ok(())
    }
}
