//! A table of groups: `K` numbers as the key, `S` exact sums and `M` maxima beside it.
//!
//! Measures lie column by column: a chunk's rows are first turned into groups, then each measure is added in a loop of
//! its own, which touches one small array instead of a wide row per line item.

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

/// Position of a group in its rollup.
pub type GroupId = u32;

/// Instead of a group for rows that belong to none.
pub const NO_GROUP: GroupId = GroupId::MAX;

/// Groups and their measures. A measure is null until a value was added.
#[derive(Debug, Clone)]
pub struct Rollup<const K: usize, const S: usize, const M: usize> {
    pub(super) spec: &'static RollupSpec<K, S, M>,
    keys: Vec<[u32; K]>,
    /// In units of the resolution; meaningful where the sum's bit of `seen` is set.
    sums: [Vec<ExactSum>; S],
    /// Negative infinity where nothing was added.
    maxima: [Vec<f64>; M],
    /// A bit for each sum to which a value was added.
    seen: Vec<u32>,
    table: HashTable<GroupId>,
    hasher: DefaultHashBuilder,
    /// Room for the hashes of a chunk.
    hashes: Vec<u64>,
}

/// One group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupRow<const K: usize, const S: usize, const M: usize> {
    /// The key.
    pub key: [u32; K],
    sums: [ExactSum; S],
    maxima: [f64; M],
    seen: u32,
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
    pub fn add(&mut self, index: usize, sum: ExactSum) -> Result<()> {
        self.seen |= 1 << index;
        self.sums[index].add(sum.0)
    }

    /// Raises the maximum at `index`.
    pub fn raise(&mut self, index: usize, value: f64) {
        raise(&mut self.maxima[index], value);
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

#[inline]
fn raise(maximum: &mut f64, value: f64) {
    // `-0.0` and `0.0` compare equal; adding zero makes them one, so that order cannot choose between them.
    let value = value + 0.0;
    if value > *maximum {
        *maximum = value;
    }
}

impl<const K: usize, const S: usize, const M: usize> Rollup<K, S, M> {
    /// No groups.
    pub fn new(spec: &'static RollupSpec<K, S, M>) -> Self {
        const { assert!(S <= 32, "the sums that were seen are one bit each") };
        Self {
            spec,
            keys: Vec::new(),
            sums: std::array::from_fn(|_| Vec::new()),
            maxima: std::array::from_fn(|_| Vec::new()),
            seen: Vec::new(),
            table: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            hashes: Vec::new(),
        }
    }

    /// The group of `key`, made if it is new.
    #[inline]
    pub fn group(&mut self, key: [u32; K]) -> GroupId {
        self.group_of_hashed(self.hasher.hash_one(key), key)
    }

    /// The groups of `keys`, in their order, written over `groups`; [`NO_GROUP`] where there is no key.
    pub fn groups(&mut self, keys: &[Option<[u32; K]>], groups: &mut Vec<GroupId>) {
        // As with texts: all are hashed before any is looked up, so that the processor waits for several at once.
        let mut hashes = std::mem::take(&mut self.hashes);
        hashes.clear();
        hashes.extend(keys.iter().map(|key| key.map_or(0, |key| self.hasher.hash_one(key))));
        groups.clear();
        groups.extend(keys.iter().zip(&hashes).map(|(key, hash)| match key {
            Some(key) => self.group_of_hashed(*hash, *key),
            None => NO_GROUP,
        }));
        self.hashes = hashes;
    }

    #[inline]
    fn group_of_hashed(&mut self, hash: u64, key: [u32; K]) -> GroupId {
        let (keys, hasher) = (&self.keys, &self.hasher);
        let entry = self.table.entry(
            hash,
            |group| keys[*group as usize] == key,
            |group| hasher.hash_one(keys[*group as usize]),
        );
        match entry {
            hashbrown::hash_table::Entry::Occupied(entry) => *entry.get(),
            hashbrown::hash_table::Entry::Vacant(entry) => {
                let group = GroupId::try_from(keys.len()).expect("fewer than 2^32 groups fit in memory");
                entry.insert(group);
                self.keys.push(key);
                self.sums.iter_mut().for_each(|sums| sums.push(ExactSum(0)));
                self.maxima.iter_mut().for_each(|maxima| maxima.push(f64::NEG_INFINITY));
                self.seen.push(0);
                group
            }
        }
    }

    /// Adds `value` to the sum at `index` of a group.
    ///
    /// # Errors
    /// `Type`, with the source column, if the value or the sum is too large.
    pub fn add(&mut self, group: GroupId, index: usize, value: f64) -> Result<()> {
        self.add_each(index, &[group], |_| value)
    }

    /// Adds the value of each row to the sum at `index` of the row's group. A NaN is no value.
    ///
    /// # Errors
    /// `Type`, with the source column, if a value or a sum is too large.
    #[inline]
    pub fn add_each(&mut self, index: usize, groups: &[GroupId], value: impl Fn(usize) -> f64) -> Result<()> {
        let (column, resolution) = self.spec.sums[index];
        let (sums, seen) = (&mut self.sums[index], &mut self.seen);
        let mut add = || -> Result<()> {
            for (row, group) in groups.iter().enumerate() {
                let value = value(row);
                if *group == NO_GROUP || value.is_nan() {
                    continue;
                }
                let group = *group as usize;
                sums[group].add(resolution.units(value)?)?;
                if seen[group] & 1 << index == 0 {
                    seen[group] |= 1 << index;
                }
            }
            Ok(())
        };
        add().map_err(|error| error.column(column))
    }

    /// Adds a sum to the one at `index` of a group.
    ///
    /// # Errors
    /// `Type`, with the source column, if the sum overflows.
    pub fn add_sum(&mut self, group: GroupId, index: usize, sum: ExactSum) -> Result<()> {
        self.seen[group as usize] |= 1 << index;
        self.sums[index][group as usize].add(sum.0).map_err(|error| error.column(self.spec.sums[index].0))
    }

    /// Raises the maximum at `index` of a group.
    pub fn raise(&mut self, group: GroupId, index: usize, value: f64) {
        raise(&mut self.maxima[index][group as usize], value);
    }

    /// Raises the maximum at `index` of each row's group to the row's value. A NaN is no value.
    ///
    /// # Errors
    /// `Type`, with the source column, if a value is infinite.
    #[inline]
    pub fn raise_each(&mut self, index: usize, groups: &[GroupId], value: impl Fn(usize) -> f64) -> Result<()> {
        let maxima = &mut self.maxima[index];
        for (row, group) in groups.iter().enumerate() {
            let value = value(row);
            if *group == NO_GROUP || value.is_nan() {
                continue;
            }
            if value.is_infinite() {
                return Err(ExactSum::infinite().column(self.spec.maxima[index]));
            }
            raise(&mut maxima[*group as usize], value);
        }
        Ok(())
    }

    /// Number of groups.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no group.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// One group.
    pub fn row(&self, group: usize) -> GroupRow<K, S, M> {
        GroupRow {
            key: self.keys[group],
            sums: std::array::from_fn(|index| self.sums[index][group]),
            maxima: std::array::from_fn(|index| self.maxima[index][group]),
            seen: self.seen[group],
        }
    }

    /// The keys of all groups, in the order of their arrival.
    pub fn keys(&self) -> &[[u32; K]] {
        &self.keys
    }

    /// All groups, in the order of their arrival.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = GroupRow<K, S, M>> {
        (0..self.len()).map(|group| self.row(group))
    }

    /// Takes in the groups of `other`, each under the key that `translate` makes of its key.
    ///
    /// # Errors
    /// `Type` if a sum overflows.
    pub fn absorb(&mut self, other: &Self, translate: impl Fn([u32; K]) -> [u32; K]) -> Result<()> {
        if self.spec != other.spec {
            return Err(Error::bug("two rollups of different columns were merged"));
        }
        for row in other.rows() {
            self.absorb_row(translate(row.key), &row)?;
        }
        Ok(())
    }

    /// Takes in the measures of `row` under `key`.
    pub(super) fn absorb_row(&mut self, key: [u32; K], row: &GroupRow<K, S, M>) -> Result<()> {
        let group = self.group(key);
        for index in 0..S {
            if let Some(sum) = row.sum(index) {
                self.add_sum(group, index, sum)?;
            }
        }
        for index in 0..M {
            self.raise(group, index, row.maxima[index]);
        }
        Ok(())
    }
}
