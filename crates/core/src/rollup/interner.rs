//! Texts as small numbers: each distinct text is stored once and compared never again.

use std::hash::BuildHasher;
use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, UInt32Type};
use hashbrown::{DefaultHashBuilder, HashTable};

use super::label_texts::LabelColumn;
use crate::chunk::Chunk;
use crate::error::{Error, ErrorKind, Result};

/// The id of a null text; the empty text has an id of its own (spec, notation).
pub const NULL_TEXT: u32 = 0;

/// Distinct texts, numbered from 1 in the order of their arrival.
#[derive(Debug, Clone, Default)]
pub struct Interner {
    bytes: String,
    ends: Vec<usize>,
    table: HashTable<Known>,
    hasher: DefaultHashBuilder,
}

/// A known text. With its hash and bounds at hand, looking it up reads this and the text, and nothing else.
#[derive(Debug, Clone, Copy)]
struct Known {
    hash: u64,
    start: usize,
    length: u32,
    id: u32,
}

impl Known {
    #[inline]
    fn is(&self, hash: u64, text: &str, bytes: &str) -> bool {
        self.hash == hash
            && self.length as usize == text.len()
            && bytes.as_bytes()[self.start..][..text.len()] == *text.as_bytes()
    }
}

impl Interner {
    /// The id of `text`, which is stored if it is new.
    pub fn id(&mut self, text: &str) -> u32 {
        self.id_of_hashed(self.hasher.hash_one(text.as_bytes()), text)
    }

    fn id_of_hashed(&mut self, hash: u64, text: &str) -> u32 {
        let bytes = &mut self.bytes;
        match self.table.entry(hash, |known| known.is(hash, text, bytes), |known| known.hash) {
            hashbrown::hash_table::Entry::Occupied(entry) => entry.get().id,
            hashbrown::hash_table::Entry::Vacant(entry) => {
                let id = u32::try_from(self.ends.len() + 1).expect("fewer than 2^32 distinct texts fit in memory");
                let length = u32::try_from(text.len()).expect("no text of a Parquet file has 4 GiB");
                entry.insert(Known { hash, start: bytes.len(), length, id });
                bytes.push_str(text);
                self.ends.push(bytes.len());
                id
            }
        }
    }

    #[inline]
    fn bytes_of(&self, known: &Known) -> &[u8] {
        &self.bytes.as_bytes()[known.start..][..known.length as usize]
    }

    /// Reads a byte of each cache line of a text.
    #[inline]
    fn touch(&self, known: &Known) -> u8 {
        const CACHE_LINE: usize = 64;
        self.bytes_of(known).iter().step_by(CACHE_LINE).fold(0, |sum, byte| sum ^ byte)
    }

    /// The id of `text`, or [`NULL_TEXT`] if there is none.
    pub fn optional_id(&mut self, text: Option<&str>) -> u32 {
        text.map_or(NULL_TEXT, |text| self.id(text))
    }

    /// The id of `text` if it is known.
    pub fn known(&self, text: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(text.as_bytes());
        self.table.find(hash, |known| known.is(hash, text, &self.bytes)).map(|known| known.id)
    }

    /// The text of `id`; `None` for [`NULL_TEXT`].
    pub fn text(&self, id: u32) -> Option<&str> {
        (id != NULL_TEXT).then(|| slice(&self.bytes, &self.ends, id))
    }

    /// Number of distinct texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether no text was seen.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Takes in the texts of `other`; position `id` of the answer is this interner's id of `other`'s `id`.
    pub fn absorb(&mut self, other: &Self) -> Vec<u32> {
        std::iter::once(NULL_TEXT).chain(other.texts().map(|text| self.id(text))).collect()
    }

    /// All texts in the order of their ids, from 1.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        (1..=self.ends.len()).map(|id| slice(&self.bytes, &self.ends, id as u32))
    }

    /// The position of each id's text among all texts in byte order, from 1; null comes first, at 0.
    pub fn ranks(&self) -> Vec<u32> {
        let mut ids: Vec<u32> = (1..=self.ends.len() as u32).collect();
        ids.sort_unstable_by_key(|id| slice(&self.bytes, &self.ends, *id));
        let mut ranks = vec![0; ids.len() + 1];
        for (rank, id) in (1..).zip(ids) {
            ranks[id as usize] = rank;
        }
        ranks
    }

    /// The texts as one column, in the order of their ids.
    ///
    /// # Errors
    /// `Bug` only.
    pub fn encode(&self) -> Result<RecordBatch> {
        let schema = Schema::new(vec![Field::new("text", DataType::Utf8, false)]);
        let texts: StringArray = self.texts().map(Some).collect();
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(texts)]).map_err(|error| Error::bug(error.to_string()))
    }

    /// The interner that was encoded.
    ///
    /// # Errors
    /// `Bug` if `batch` is not what [`Interner::encode`] wrote.
    pub fn decode(batch: &RecordBatch) -> Result<Self> {
        let texts = batch
            .columns()
            .first()
            .and_then(|column| column.as_string_opt::<i32>())
            .ok_or_else(|| Error::bug("encoded texts are not one text column"))?;
        let mut interner = Self::default();
        for text in texts {
            let text = text.ok_or_else(|| Error::bug("an encoded text is null"))?;
            interner.id(text);
        }
        if interner.len() == texts.len() { Ok(interner) } else { Err(Error::bug("encoded texts are not distinct")) }
    }
}

fn slice<'a>(bytes: &'a str, ends: &[usize], id: u32) -> &'a str {
    let index = id as usize - 1;
    let start = if index == 0 { 0 } else { ends[index - 1] };
    &bytes[start..ends[index]]
}

/// Ids of a text column, chunk after chunk. What chunks share, a dictionary or numbers of labels, is looked up once.
#[derive(Debug, Clone, Default)]
pub struct TextIds {
    ids: Vec<u32>,
    /// A dictionary and the ids of its texts.
    dictionary: Option<(ArrayRef, Vec<u32>)>,
    numbered: Numbered,
    /// Room for what is known of the texts of a batch, with their hashes.
    batch: Vec<(u64, Option<Known>)>,
}

/// Ids of texts that came as numbers.
#[derive(Debug, Clone, Default)]
struct Numbered {
    /// Whose numbers they are.
    identity: Option<u64>,
    /// Id of each number; [`UNKNOWN`] of one that no row had yet.
    ids: Vec<u32>,
    /// Room for numbers that are new.
    new: Vec<u32>,
    /// Room for their ids.
    new_ids: Vec<u32>,
}

/// No interner comes to so many texts.
const UNKNOWN: u32 = u32::MAX;

impl TextIds {
    /// The id of each row's text in the column `name` of `chunk`, which is of kind `Text` or `Labels`.
    ///
    /// # Errors
    /// `Bug` if the selection did not ask for the column, or if the reader broke its promise.
    pub fn of(&mut self, interner: &mut Interner, chunk: &Chunk, name: &str) -> Result<&[u32]> {
        let column = chunk.column(name)?;
        let of_column = match (column.as_primitive_opt::<UInt32Type>(), chunk.label_texts.column(name)) {
            (Some(numbers), Some(labels)) => self.of_numbers(interner, numbers.values(), labels).map(|()| &*self.ids),
            _ => self.of_column(interner, column),
        };
        of_column.map_err(|error| error.column(name))
    }

    /// The id of each row's text in a column of type `Utf8View`, `BinaryView`, `Dictionary(Int32, Utf8)` or `Null`.
    ///
    /// # Errors
    /// `Type` if bytes are not UTF-8, `Bug` for a column of another type.
    pub fn of_column(&mut self, interner: &mut Interner, column: &ArrayRef) -> Result<&[u32]> {
        self.ids.clear();
        match column.data_type() {
            DataType::Null => self.ids.resize(column.len(), NULL_TEXT),
            DataType::Utf8View => {
                let texts = column.as_string_view();
                let texts = (0..texts.len()).map(|row| texts.is_valid(row).then(|| texts.value(row).as_bytes()));
                look_up(interner, texts, &mut self.batch, &mut self.ids)?;
            }
            DataType::BinaryView => {
                let texts = column.as_binary_view();
                let texts = (0..texts.len()).map(|row| texts.is_valid(row).then(|| texts.value(row)));
                look_up(interner, texts, &mut self.batch, &mut self.ids)?;
            }
            DataType::Dictionary(key, _) if key.as_ref() == &DataType::Int32 => {
                self.of_dictionary(interner, column.as_dictionary())?;
            }
            other => return Err(Error::bug(format!("a text column arrived as {other}"))),
        }
        Ok(&self.ids)
    }

    fn of_dictionary(&mut self, interner: &mut Interner, column: &DictionaryArray<Int32Type>) -> Result<()> {
        let values = column.values();
        let (known, mut ids) = self.dictionary.take().unzip();
        if known.is_none_or(|known| !Arc::ptr_eq(&known, values)) {
            let texts = values
                .as_string_opt::<i32>()
                .ok_or_else(|| Error::bug("a dictionary of texts has other values than Utf8"))?;
            let texts = (0..texts.len()).map(|key| texts.is_valid(key).then(|| texts.value(key).as_bytes()));
            let ids = ids.get_or_insert_default();
            ids.clear();
            look_up(interner, texts, &mut self.batch, ids)?;
        }
        let ids = ids.unwrap_or_default();
        let keys = column.keys();
        if keys.null_count() == 0 {
            self.ids.extend(keys.values().iter().map(|key| ids[*key as usize]));
        } else {
            self.ids.extend(keys.iter().map(|key| key.map_or(NULL_TEXT, |key| ids[key as usize])));
        }
        self.dictionary = Some((Arc::clone(values), ids));
        Ok(())
    }

    /// Texts get their ids as rows have them: those of rows that were left out are none of the state's.
    fn of_numbers(&mut self, interner: &mut Interner, numbers: &[u32], labels: &LabelColumn) -> Result<()> {
        let Numbered { identity, ids, new, new_ids } = &mut self.numbered;
        if *identity != Some(labels.identity()) {
            *identity = Some(labels.identity());
            ids.clear();
        }
        let texts = labels.texts();
        ids.resize(texts.len() + 1, UNKNOWN);
        ids[NULL_TEXT as usize] = NULL_TEXT;
        new.clear();
        for number in numbers {
            let id = ids.get_mut(*number as usize).ok_or_else(|| Error::bug("a label has a number of no text"))?;
            if *id == UNKNOWN {
                // Taken for known until all new ones are looked up.
                *id = NULL_TEXT;
                new.push(*number);
            }
        }
        new_ids.clear();
        look_up(interner, new.iter().map(|number| texts.text(*number).map(str::as_bytes)), &mut self.batch, new_ids)?;
        for (number, id) in new.iter().zip(&*new_ids) {
            ids[*number as usize] = *id;
        }
        self.ids.clear();
        self.ids.extend(numbers.iter().map(|number| ids[*number as usize]));
        Ok(())
    }
}

/// Adds the id of each text to `ids`.
///
/// What is looked up lies anywhere in memory. A batch of texts is hashed, then looked up, then touched, then compared, so
/// that the processor waits for many at once and not for one after the other.
fn look_up<'a>(
    interner: &mut Interner,
    texts: impl ExactSizeIterator<Item = Option<&'a [u8]>> + Clone,
    room: &mut Vec<(u64, Option<Known>)>,
    ids: &mut Vec<u32>,
) -> Result<()> {
    const BATCH_ROWS: usize = 32;
    ids.reserve(texts.len());
    let mut rest = texts;
    while rest.len() > 0 {
        let batch = rest.clone().take(BATCH_ROWS);
        room.clear();
        room.extend(batch.clone().map(|text| (text.map_or(0, |text| interner.hasher.hash_one(text)), None)));
        for (hash, known) in &mut *room {
            *known = interner.table.find(*hash, |known| known.hash == *hash).copied();
        }
        black_box(room.iter().flat_map(|(_, known)| known).fold(0, |sum, known| sum ^ interner.touch(known)));
        for (text, (hash, known)) in batch.zip(&*room) {
            ids.push(match (text, known) {
                (None, _) => NULL_TEXT,
                (Some(text), Some(known)) if interner.bytes_of(known) == text => known.id,
                (Some(text), _) => interner.id_of_hashed(*hash, proven(text)?),
            });
        }
        rest.nth(BATCH_ROWS - 1);
    }
    Ok(())
}

fn proven(text: &[u8]) -> Result<&str> {
    std::str::from_utf8(text).map_err(|error| Error::new(ErrorKind::Type, format!("a text is not UTF-8: {error}")))
}

#[cfg(test)]
mod tests {
    use arrow::array::{BinaryViewArray, DictionaryArray, NullArray, StringViewArray};
    use proptest::prelude::*;

    use super::*;
    use crate::rollup::LabelTexts;

    #[test]
    fn null_and_empty_are_two_texts() {
        let mut interner = Interner::default();
        let empty = interner.id("");
        assert_ne!(empty, NULL_TEXT);
        assert_eq!(interner.text(empty), Some(""));
        assert_eq!(interner.text(NULL_TEXT), None);
        assert_eq!(interner.known("x"), None);
    }

    #[test]
    fn views_dictionaries_and_missing_columns_give_the_same_ids() {
        let mut interner = Interner::default();
        let texts = [Some("b"), None, Some(""), Some("b")];
        let unchecked: ArrayRef = Arc::new(BinaryViewArray::from_iter(texts.map(|text| text.map(str::as_bytes))));
        let view: ArrayRef = Arc::new(texts.iter().copied().collect::<StringViewArray>());
        let dictionary: ArrayRef = Arc::new(texts.iter().copied().collect::<DictionaryArray<Int32Type>>());
        let missing: ArrayRef = Arc::new(NullArray::new(2));
        let mut ids = TextIds::default();
        let from_view = ids.of_column(&mut interner, &view).expect("view").to_vec();
        assert_eq!(ids.of_column(&mut interner, &dictionary).expect("dictionary"), from_view);
        assert_eq!(ids.of_column(&mut interner, &unchecked).expect("unchecked"), from_view);
        assert_eq!(ids.of_column(&mut interner, &missing).expect("missing"), [NULL_TEXT; 2]);
        assert_eq!(from_view, [1, NULL_TEXT, 2, 1]);
    }

    #[test]
    fn numbers_of_labels_mean_something_to_those_who_gave_them_only() {
        let numbered = |labels: &mut LabelTexts, texts: &[&str]| {
            let column: ArrayRef = Arc::new(texts.iter().map(|text| Some(*text)).collect::<StringViewArray>());
            labels.number("labels", &column).expect("texts").to_vec()
        };
        let mut ids = TextIds::default();
        let mut own = Interner::default();
        let mut of = |labels: &LabelTexts, numbers: &[u32]| {
            ids.of_numbers(&mut own, numbers, labels.column("labels").expect("numbered")).expect("known numbers");
            ids.ids.iter().map(|id| own.text(*id).map(str::to_owned)).collect::<Vec<_>>()
        };
        let text = |text: &str| Some(text.to_owned());
        let mut labels = LabelTexts::default();
        let [a, b] = numbered(&mut labels, &["a", "b"])[..] else { panic!("two numbers") };
        assert_eq!(of(&labels, &[b, NULL_TEXT, b]), [text("b"), None, text("b")]);
        // `a` is no text of the rows so far, and comes late; `c` is new to the table.
        let [c] = numbered(&mut labels, &["c"])[..] else { panic!("a number") };
        assert_eq!(of(&labels, &[c, a, b]), [text("c"), text("a"), text("b")]);
        let mut others = LabelTexts::default();
        let [d] = numbered(&mut others, &["d"])[..] else { panic!("a number") };
        assert_eq!(of(&others, &[d]), [text("d")]);
        assert_eq!(own.texts().collect::<Vec<_>>(), ["b", "c", "a", "d"], "in the order of rows");
    }

    #[test]
    fn what_is_not_utf8_is_refused_wherever_it_comes() {
        let mut ids = TextIds::default();
        let mut interner = Interner::default();
        for texts in [vec![&b"a\xff"[..]], vec![b"a", b"a", b"a\xff"], vec![b"a\xff", b"a"]] {
            let column: ArrayRef = Arc::new(BinaryViewArray::from_iter_values(texts));
            let error = ids.of_column(&mut interner, &column).expect_err("not UTF-8");
            assert_eq!(error.kind(), ErrorKind::Type);
            assert!(error.to_string().contains("not UTF-8"), "{error}");
        }
    }

    proptest! {
        /// Whatever was known before of a batch.
        #[test]
        fn ids_are_those_of_the_texts(rows in proptest::collection::vec(proptest::option::of("[ab]{0,3}"), 0..200)) {
            let mut interner = Interner::default();
            let mut ids = TextIds::default();
            for rows in rows.chunks(70) {
                let column: ArrayRef = Arc::new(rows.iter().map(Option::as_deref).collect::<StringViewArray>());
                let ids = ids.of_column(&mut interner, &column).expect("texts").to_vec();
                for (id, text) in ids.iter().zip(rows) {
                    prop_assert_eq!(interner.text(*id), text.as_deref());
                }
            }
            let distinct: std::collections::BTreeSet<_> = rows.iter().flatten().collect();
            prop_assert_eq!(interner.len(), distinct.len());
        }
    }

    #[test]
    fn absorbing_translates_and_encoding_keeps_ids() {
        let (mut left, mut right) = (Interner::default(), Interner::default());
        left.id("a");
        right.id("b");
        right.id("a");
        assert_eq!(left.absorb(&right), [NULL_TEXT, 2, 1]);
        let decoded = Interner::decode(&left.encode().expect("encodes")).expect("decodes");
        assert!(decoded.texts().eq(left.texts()));
    }
}
