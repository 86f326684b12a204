//! A table of groups: `K` numbers as the key, `S` exact sums and `M` maxima beside it.
//!
//! A chunk's rows are turned into groups first, which looks at keys alone, and then added, which looks at sums alone.
//! Keys, sums and maxima lie apart from each other, so that neither pushes the other out of the processor's caches.

use std::hash::BuildHasher;
use std::hint::black_box;

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

/// Rows whose groups are fetched from memory at once.
const BATCH_ROWS: usize = 32;

/// Groups and their measures. A measure is null until a value was added.
#[derive(Debug, Clone)]
pub struct Rollup<const K: usize, const S: usize, const M: usize> {
    pub(super) spec: &'static RollupSpec<K, S, M>,
    keys: Vec<[u32; K]>,
    /// In units of the resolution; meaningful where the sum's bit of `seen` is set.
    sums: Vec<[ExactSum; S]>,
    /// Negative infinity where nothing was added.
    maxima: Vec<[f64; M]>,
    /// A bit for each sum to which a value was added.
    seen: Vec<u32>,
    table: HashTable<GroupId>,
    hasher: DefaultHashBuilder,
    /// The group that a hint led to the last time.
    hinted: Vec<GroupId>,
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
            sums: Vec::new(),
            maxima: Vec::new(),
            seen: Vec::new(),
            table: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            hinted: Vec::new(),
        }
    }

    /// The group of `key`, made if it is new.
    #[inline]
    pub fn group(&mut self, key: [u32; K]) -> GroupId {
        let hash = self.hasher.hash_one(key);
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
                self.sums.push([ExactSum(0); S]);
                self.maxima.push([f64::NEG_INFINITY; M]);
                self.seen.push(0);
                group
            }
        }
    }

    /// The groups of `keys`, in their order, written over `groups`; [`NO_GROUP`] where there is no key.
    ///
    /// The `hints` are small numbers, one for each key. Equal ones are mostly of one group, which is then found without a
    /// hash: whoever has most to do has a row of each pod and hour, and a pod has its labels.
    pub fn groups(&mut self, keys: &[Option<[u32; K]>], hints: &[u32], groups: &mut Vec<GroupId>) {
        groups.clear();
        groups.extend(keys.iter().zip(hints).map(|(key, hint)| match key {
            Some(key) => self.hinted_group(*key, *hint as usize),
            None => NO_GROUP,
        }));
    }

    #[inline]
    fn hinted_group(&mut self, key: [u32; K], hint: usize) -> GroupId {
        let hinted = self.hinted.get(hint).copied().unwrap_or(NO_GROUP);
        if self.keys.get(hinted as usize) == Some(&key) {
            return hinted;
        }
        let group = self.group(key);
        if self.hinted.len() <= hint {
            self.hinted.resize(hint + 1, NO_GROUP);
        }
        self.hinted[hint] = group;
        group
    }

    /// Adds the values of each row to the sums of the row's group. A NaN is no value.
    ///
    /// # Errors
    /// `Type`, with the source column, if a value or a sum is too large.
    #[inline]
    pub fn add_each(&mut self, groups: &[GroupId], values: impl Fn(usize) -> [f64; S]) -> Result<()> {
        for (batch, start) in groups.chunks(BATCH_ROWS).zip((0..).step_by(BATCH_ROWS)) {
            // The groups of a batch are far apart. Touched one after the other without a use for what is there, they
            // come from memory at once; each would be waited for otherwise.
            let touch = |touched, group: &GroupId| {
                let sums = self.sums.get(*group as usize);
                let ends = sums.and_then(|sums| sums.first().zip(sums.last()));
                touched ^ ends.map_or(0, |(first, last)| first.0 ^ last.0)
            };
            black_box(batch.iter().fold(0, touch));
            for (row, group) in (start..).zip(batch).filter(|(_, group)| **group != NO_GROUP) {
                self.add_row(*group, values(row))?;
            }
        }
        Ok(())
    }

    #[inline]
    fn add_row(&mut self, group: GroupId, values: [f64; S]) -> Result<()> {
        let sums = &mut self.sums[group as usize];
        let mut seen = 0;
        for (index, (sum, value)) in sums.iter_mut().zip(values).enumerate() {
            if value.is_nan() {
                continue;
            }
            let (column, resolution) = self.spec.sums[index];
            resolution.units(value).and_then(|units| sum.add(units)).map_err(|error| error.column(column))?;
            seen |= 1 << index;
        }
        self.seen[group as usize] |= seen;
        Ok(())
    }

    /// Adds a sum to the one at `index` of a group.
    ///
    /// # Errors
    /// `Type`, with the source column, if the sum overflows.
    pub fn add_sum(&mut self, group: GroupId, index: usize, sum: ExactSum) -> Result<()> {
        self.seen[group as usize] |= 1 << index;
        self.sums[group as usize][index].add(sum.0).map_err(|error| error.column(self.spec.sums[index].0))
    }

    /// Raises the maximum at `index` of a group.
    pub fn raise(&mut self, group: GroupId, index: usize, value: f64) {
        raise(&mut self.maxima[group as usize][index], value);
    }

    /// Raises the maxima of each row's group to the row's values. A NaN is no value.
    ///
    /// # Errors
    /// `Type`, with the source column, if a value is infinite.
    #[inline]
    pub fn raise_each(&mut self, groups: &[GroupId], values: impl Fn(usize) -> [f64; M]) -> Result<()> {
        for (row, group) in groups.iter().enumerate().filter(|(_, group)| **group != NO_GROUP) {
            let maxima = &mut self.maxima[*group as usize];
            for (index, (maximum, value)) in maxima.iter_mut().zip(values(row)).enumerate() {
                if value.is_infinite() {
                    return Err(ExactSum::infinite().column(self.spec.maxima[index]));
                }
                // No comparison with a NaN is true.
                raise(maximum, value);
            }
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
        GroupRow { key: self.keys[group], sums: self.sums[group], maxima: self.maxima[group], seen: self.seen[group] }
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
