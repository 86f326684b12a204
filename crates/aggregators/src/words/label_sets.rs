//! Label texts as the sets that they come to: each distinct text is parsed and filtered once, however many rows carry it.

use arrow::array::RecordBatch;
use tokaki_core::chunk::Labels;
use tokaki_core::rollup::{Interner, LabelColumn, NULL_TEXT};
use tokaki_core::{Error, Result};

use super::label_map::{LabelMap, NO_LABELS};
use super::tag_keys::TagKeys;

/// Distinct filtered label maps, numbered from 1.
#[derive(Debug, Clone, Default)]
pub struct LabelSets(Interner);

impl LabelSets {
    /// Canonical text of a set.
    pub fn canonical(&self, set: u32) -> &str {
        self.0.text(set).unwrap_or(NO_LABELS)
    }

    /// Takes in the sets of `other`; position `id` of the answer is this one's id of `other`'s `id`.
    pub fn absorb(&mut self, other: &Self) -> Vec<u32> {
        self.0.absorb(&other.0)
    }

    /// See [`Interner::encode`].
    ///
    /// # Errors
    /// `Bug` only.
    pub fn encode(&self) -> Result<RecordBatch> {
        self.0.encode()
    }

    /// See [`Interner::decode`].
    ///
    /// # Errors
    /// `Bug` if the table is not what [`LabelSets::encode`] wrote.
    pub fn decode(sets: &RecordBatch) -> Result<Self> {
        Interner::decode(sets).map(Self)
    }
}

/// The sets of the texts in a label column, by the numbers that its chunks have. No part of a result.
#[derive(Debug, Clone, Default)]
pub struct SetIds {
    identity: Option<u64>,
    /// [`NULL_TEXT`] where the text was not needed yet: no set has this id.
    of_number: Vec<u32>,
}

impl SetIds {
    /// Gets ready for a chunk with these labels.
    pub fn begin(&mut self, labels: &Labels<'_>) {
        let identity = labels.column().map(LabelColumn::identity);
        if self.identity != identity {
            *self = Self { identity, of_number: Vec::new() };
        }
        self.of_number.resize(labels.column().map_or(0, |column| column.texts().len()) + 1, NULL_TEXT);
    }

    /// The set of a text. Parses it if it is needed for the first time.
    ///
    /// # Errors
    /// `Label`, without the place. `Bug` for a number of no text.
    #[inline]
    pub fn set_of(&mut self, number: u32, labels: &Labels<'_>, keys: &TagKeys, sets: &mut LabelSets) -> Result<u32> {
        match self.of_number.get(number as usize) {
            Some(&set) if set != NULL_TEXT => Ok(set),
            Some(_) => self.parse(number, labels, keys, sets),
            None => Err(Error::bug("a label has a number of no text")),
        }
    }

    #[cold]
    fn parse(&mut self, number: u32, labels: &Labels<'_>, keys: &TagKeys, sets: &mut LabelSets) -> Result<u32> {
        let text = labels.column().and_then(|column| column.texts().text(number));
        let set = sets.0.id(&LabelMap::kept(text, keys)?);
        self.of_number[number as usize] = set;
        Ok(set)
    }
}
