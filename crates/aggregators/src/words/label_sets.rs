//! Label texts as small numbers: each distinct text is parsed and filtered once, however many rows carry it.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema, UInt32Type};
use tokaki_core::rollup::{Interner, NULL_TEXT, TextIds};
use tokaki_core::{Chunk, Error, Result};

use super::label_map::{LabelMap, NO_LABELS};
use super::tag_keys::TagKeys;

/// Distinct label texts, and the distinct filtered maps that they come to.
#[derive(Debug, Clone, Default)]
pub struct LabelSets {
    texts: Interner,
    sets: Interner,
    /// Set of each text id; [`NULL_TEXT`] where the text was not needed yet.
    set_of_text: Vec<u32>,
}

impl LabelSets {
    /// Ids of the texts in the column `name` of `chunk`, for [`LabelSets::set_of`].
    ///
    /// # Errors
    /// As [`TextIds::of`].
    pub fn text_ids<'a>(&mut self, ids: &'a mut TextIds, chunk: &Chunk, name: &str) -> Result<&'a [u32]> {
        ids.of(&mut self.texts, chunk, name)
    }

    /// The set of a text. Parses it if it is needed for the first time.
    ///
    /// # Errors
    /// `Label`, without the place.
    #[inline]
    pub fn set_of(&mut self, text: u32, keys: &TagKeys) -> Result<u32> {
        match self.set_of_text.get(text as usize) {
            Some(&set) if set != NULL_TEXT => Ok(set),
            _ => self.parse(text, keys),
        }
    }

    #[cold]
    fn parse(&mut self, text: u32, keys: &TagKeys) -> Result<u32> {
        let set = self.sets.id(&LabelMap::kept(self.texts.text(text), keys)?);
        self.remember(text, set);
        Ok(set)
    }

    fn remember(&mut self, text: u32, set: u32) {
        let needed = text as usize + 1;
        if self.set_of_text.len() < needed {
            self.set_of_text.resize(needed.max(self.texts.len() + 1), NULL_TEXT);
        }
        self.set_of_text[text as usize] = set;
    }

    /// The set of a text that was needed before; the empty set for one that was not.
    pub fn known_set_of(&self, text: u32) -> u32 {
        self.set_of_text.get(text as usize).copied().unwrap_or(NULL_TEXT)
    }

    /// Canonical text of a set.
    pub fn canonical(&self, set: u32) -> &str {
        self.sets.text(set).unwrap_or(NO_LABELS)
    }

    /// Takes in the texts and sets of `other`; the answers translate `other`'s text ids and set ids.
    pub fn absorb(&mut self, other: &Self) -> (Vec<u32>, Vec<u32>) {
        let texts = self.texts.absorb(&other.texts);
        let sets = self.sets.absorb(&other.sets);
        for (text, set) in other.set_of_text.iter().enumerate() {
            if *set != NULL_TEXT {
                self.remember(texts[text], sets[*set as usize]);
            }
        }
        (texts, sets)
    }

    /// Three tables: texts, sets, and the set of each text.
    ///
    /// # Errors
    /// `Bug` only.
    pub fn encode(&self) -> Result<[RecordBatch; 3]> {
        let schema = Schema::new(vec![Field::new("set", DataType::UInt32, false)]);
        let set_of_text = UInt32Array::from(self.set_of_text.clone());
        let set_of_text = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(set_of_text)])
            .map_err(|error| Error::bug(error.to_string()))?;
        Ok([self.texts.encode()?, self.sets.encode()?, set_of_text])
    }

    /// What was encoded.
    ///
    /// # Errors
    /// `Bug` if the tables are not what [`LabelSets::encode`] wrote.
    pub fn decode([texts, sets, set_of_text]: [&RecordBatch; 3]) -> Result<Self> {
        let texts = Interner::decode(texts)?;
        let sets = Interner::decode(sets)?;
        let set_of_text: Vec<u32> = set_of_text
            .columns()
            .first()
            .and_then(|column| column.as_primitive_opt::<UInt32Type>())
            .map(|column| column.values().to_vec())
            .ok_or_else(|| Error::bug("encoded label sets are not one number column"))?;
        let in_bounds =
            set_of_text.len() <= texts.len() + 1 && set_of_text.iter().all(|set| *set as usize <= sets.len());
        if in_bounds {
            Ok(Self { texts, sets, set_of_text })
        } else {
            Err(Error::bug("encoded label sets point outside their tables"))
        }
    }
}
