//! The commonest state: groups of a day and some texts, with sums and maxima of number columns.

use arrow::array::RecordBatch;

use super::interner::{Interner, TextIds};
use super::keyed::{GroupRow, Rollup, RollupSpec};
use crate::aggregator::State;
use crate::chunk::Chunk;
use crate::error::{Error, Result};
use crate::scope::day_of_instant;

/// Says by what a [`DayRollup`] groups, and what it adds up.
pub trait ByDay<const K: usize, const S: usize, const M: usize>: Send + 'static {
    /// The first key is the day; the others are columns of kind `Text` or `Labels`.
    const SPEC: &'static RollupSpec<K, S, M>;
}

/// Groups of line items by day and texts. A state that is whole: an aggregator that needs no other rows than these
/// folds chunks into it and finishes its sorted rows.
pub struct DayRollup<G, const K: usize, const S: usize, const M: usize> {
    texts: Interner,
    groups: Rollup<K, S, M>,
    columns: Vec<TextIds>,
    spec: std::marker::PhantomData<fn() -> G>,
}

/// A group of line items.
#[derive(Debug, Clone)]
pub struct DayRow<'a, const K: usize, const S: usize, const M: usize> {
    /// Days since 1970-01-01.
    pub day: i32,
    /// The text of each key after the day; `None` for null, which is another one than the empty text.
    pub texts: Vec<Option<&'a str>>,
    spec: &'static RollupSpec<K, S, M>,
    group: GroupRow<K, S, M>,
}

impl<const K: usize, const S: usize, const M: usize> DayRow<'_, K, S, M> {
    /// The sum at this position, in the unit of its column, rounded to the nearest double; `None` if no line item of the
    /// group has a value.
    pub fn sum(&self, index: usize) -> Option<f64> {
        let (_, resolution) = self.spec.sums[index];
        self.group.sum(index).map(|sum| resolution.value(sum.0))
    }

    /// The maximum at this position; `None` if no line item of the group has a value.
    pub fn maximum(&self, index: usize) -> Option<f64> {
        self.group.maximum(index)
    }
}

impl<G: ByDay<K, S, M>, const K: usize, const S: usize, const M: usize> Default for DayRollup<G, K, S, M> {
    fn default() -> Self {
        Self {
            texts: Interner::default(),
            groups: Rollup::new(G::SPEC),
            columns: vec![TextIds::default(); K - 1],
            spec: std::marker::PhantomData,
        }
    }
}

impl<G: ByDay<K, S, M>, const K: usize, const S: usize, const M: usize> DayRollup<G, K, S, M> {
    /// Takes in the rows of a chunk.
    ///
    /// # Errors
    /// `Type`, with the column, if a value is infinite or a sum too large.
    pub fn fold(&mut self, chunk: &Chunk) -> Result<()> {
        let instants = chunk.instants()?.values();
        let mut ids: Vec<&[u32]> = Vec::with_capacity(self.columns.len());
        for (column, name) in self.columns.iter_mut().zip(&G::SPEC.keys[1..]) {
            ids.push(column.of(&mut self.texts, chunk, name)?);
        }
        let mut groups = Vec::with_capacity(instants.len());
        for (row, instant) in instants.iter().enumerate() {
            let mut key = [day_of_instant(*instant) as u32; K];
            for (part, ids) in key[1..].iter_mut().zip(&ids) {
                *part = ids[row];
            }
            groups.push(self.groups.group(key));
        }
        let numbers = |name: &&'static str| chunk.numbers(name);
        let sums = G::SPEC.sums.iter().map(|(name, _)| numbers(name)).collect::<Result<Vec<_>>>()?;
        self.groups.add_each(&groups, |row| std::array::from_fn(|index| sums[index].number(row)))?;
        let maxima = G::SPEC.maxima.iter().map(numbers).collect::<Result<Vec<_>>>()?;
        self.groups.raise_each(&groups, |row| std::array::from_fn(|index| maxima[index].number(row)))
    }

    /// The groups, sorted by day and then by texts, null before all others.
    pub fn rows(&self) -> Vec<DayRow<'_, K, S, M>> {
        let mut groups: Vec<_> = self.groups.rows().collect();
        let ranks = self.texts.ranks();
        groups.sort_unstable_by_key(|group| {
            let mut ranked = group.key;
            ranked[1..].iter_mut().for_each(|text| *text = ranks[*text as usize]);
            // Days before 1970 come before those after.
            (ranked[0] as i32, ranked)
        });
        let row = |group: GroupRow<K, S, M>| DayRow {
            day: group.key[0] as i32,
            texts: group.key[1..].iter().map(|text| self.texts.text(*text)).collect(),
            spec: G::SPEC,
            group,
        };
        groups.into_iter().map(row).collect()
    }
}

impl<G: ByDay<K, S, M>, const K: usize, const S: usize, const M: usize> State for DayRollup<G, K, S, M> {
    fn merge(&mut self, other: Self) -> Result<()> {
        let texts = self.texts.absorb(&other.texts);
        self.groups.absorb(&other.groups, |mut key| {
            key[1..].iter_mut().for_each(|text| *text = texts[*text as usize]);
            key
        })
    }

    fn encode(&self) -> Result<Vec<RecordBatch>> {
        Ok(vec![self.texts.encode()?, self.groups.encode()?])
    }

    fn decode(batches: &[RecordBatch]) -> Result<Self> {
        let [texts, groups] = batches else {
            return Err(Error::bug("encoded groups of a day have other tables than two"));
        };
        Ok(Self { texts: Interner::decode(texts)?, groups: Rollup::decode(G::SPEC, groups)?, ..Self::default() })
    }
}
