//! The bytes of a cache's entry: a proof, a head and parts.
//!
//! The proof is a SHA-256 over the key and everything behind it. So an entry that is damaged, cut short, or lies under
//! the name of another one is told from a good one before anything in it is looked at.

use std::fmt::Write;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::scope::DateRange;

/// Begins each entry. Another layout of the bytes needs another one.
const MAGIC: &[u8; 8] = b"tokaki 1";
const PROOF: std::ops::Range<usize> = MAGIC.len()..MAGIC.len() + 32;
/// Bytes before a part, which say how many it has.
const LENGTH: usize = size_of::<u64>();

/// SHA-256.
pub(in crate::pipeline) type Digest = [u8; 32];

/// The name of an entry, and everything that decides over what is in it.
#[derive(Clone)]
pub(in crate::pipeline) struct Key {
    /// Path in the cache. Begins with the days, so that what is out of date can be found.
    pub(in crate::pipeline) name: String,
    digest: Digest,
}

impl Key {
    /// The key of the `kind` of entry in `folder` that holds for `days` and is computed from `of`.
    ///
    /// # Errors
    /// `Bug` only.
    pub(super) fn new(folder: &str, kind: &str, days: DateRange, of: &impl Serialize) -> Result<Self> {
        let text = serde_json::to_vec(&(kind, days, of)).map_err(|error| Error::bug(error.to_string()))?;
        let digest = Sha256::digest(text).into();
        Ok(Self { name: format!("{folder}{}_{}_{kind}_{}", days.start(), days.end(), hexadecimal(&digest)), digest })
    }
}

/// A digest as text.
pub(in crate::pipeline) fn hexadecimal(digest: &Digest) -> String {
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A digest of rows, of their schema and of their order.
///
/// # Errors
/// `Bug` only.
pub(in crate::pipeline) fn digest_of(tables: &[RecordBatch]) -> Result<Digest> {
    let mut digest = Sha256::new();
    for table in tables {
        digest.update(stream(table, None)?);
    }
    Ok(digest.finalize().into())
}

/// An entry of this head and these parts.
///
/// # Errors
/// `Bug` only.
pub(in crate::pipeline) fn write(key: &Key, head: &impl Serialize, parts: &[Bytes]) -> Result<Vec<u8>> {
    let head = serde_json::to_vec(head).map_err(|error| Error::bug(error.to_string()))?;
    let parts = || std::iter::once(&head[..]).chain(parts.iter().map(|part| &part[..]));
    let mut entry = Vec::with_capacity(PROOF.end + parts().map(|part| LENGTH + part.len()).sum::<usize>());
    entry.extend_from_slice(MAGIC);
    entry.resize(PROOF.end, 0);
    for part in parts() {
        entry.extend_from_slice(&(part.len() as u64).to_le_bytes());
        entry.extend_from_slice(part);
    }
    let proof = prove(key, &entry[PROOF.end..]);
    entry[PROOF].copy_from_slice(&proof);
    Ok(entry)
}

/// Head and parts of an entry, if it is the one of `key`; else what is wrong with it. The parts share its memory.
pub(in crate::pipeline) fn read<T: DeserializeOwned>(
    key: &Key,
    entry: &Bytes,
) -> Result<(T, Vec<Bytes>), &'static str> {
    let (Some(proof), Some(content)) = (entry.get(PROOF), entry.get(PROOF.end..)) else {
        return Err("it is cut short");
    };
    if !entry.starts_with(MAGIC) {
        return Err("it is no entry of this version");
    }
    if proof != prove(key, content) {
        return Err("it is damaged, or it is another entry");
    }
    // What was proven is what was written, so nothing below is expected to fail.
    let mut rest = entry.slice(PROOF.end..);
    let mut parts = Vec::new();
    while let Some(length) = rest.first_chunk() {
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| UNREADABLE)?;
        let mut part = rest.split_off(LENGTH);
        if length > part.len() {
            return Err(UNREADABLE);
        }
        rest = part.split_off(length);
        parts.push(part);
    }
    let (head, parts) = parts.split_first().ok_or(UNREADABLE)?;
    Ok((serde_json::from_slice(head).map_err(|_| UNREADABLE)?, parts.to_vec()))
}

/// Rows as a part.
///
/// # Errors
/// `Bug` only.
pub(in crate::pipeline) fn part_of(rows: &RecordBatch) -> Result<Bytes> {
    stream(rows, Some(CompressionType::LZ4_FRAME)).map(Bytes::from)
}

/// The rows of a part.
pub(in crate::pipeline) fn rows_of(part: &[u8]) -> Result<RecordBatch, &'static str> {
    let mut batches = StreamReader::try_new(part, None).map_err(|_| UNREADABLE)?;
    batches.next().and_then(Result::ok).ok_or(UNREADABLE)
}

const UNREADABLE: &str = "it cannot be read";

fn prove(key: &Key, content: &[u8]) -> Digest {
    Sha256::new().chain_update(key.digest).chain_update(content).finalize().into()
}

fn stream(table: &RecordBatch, compression: Option<CompressionType>) -> Result<Vec<u8>> {
    let write = || -> Result<Vec<u8>, ArrowError> {
        let options = IpcWriteOptions::default().try_with_compression(compression)?;
        let mut writer = StreamWriter::try_new_with_options(Vec::new(), &table.schema(), options)?;
        writer.write(table)?;
        writer.into_inner()
    };
    write().map_err(|error| Error::bug(error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};
    use proptest::prelude::*;

    use super::*;

    fn key(of: &str) -> Key {
        let day = "2025-10-01".parse().expect("a date");
        Key::new("org1/", "state", DateRange::new(day, day).expect("one day"), &of).expect("a key")
    }

    fn table(texts: &[String]) -> RecordBatch {
        let column: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
        RecordBatch::try_from_iter([("text", column)]).expect("a batch")
    }

    fn entry(key: &Key, head: u64, tables: &[RecordBatch]) -> Vec<u8> {
        let parts: Vec<Bytes> = tables.iter().map(|table| part_of(table).expect("a part")).collect();
        write(key, &head, &parts).expect("written")
    }

    fn read_back(key: &Key, entry: &[u8]) -> Result<(u64, Vec<RecordBatch>), &'static str> {
        let (head, parts) = read(key, &Bytes::copy_from_slice(entry))?;
        Ok((head, parts.iter().map(|part| rows_of(part)).collect::<Result<_, _>>()?))
    }

    #[test]
    fn a_name_begins_with_the_days() {
        let name = key("a").name;
        assert!(name.starts_with("org1/2025-10-01_2025-10-01_state_"), "{name}");
        assert_ne!(name, key("b").name);
    }

    proptest! {
        #[test]
        fn an_entry_gives_back_what_was_written(
            head: u64,
            tables in prop::collection::vec(prop::collection::vec(".{0,20}", 0..20), 0..4),
        ) {
            let tables: Vec<RecordBatch> = tables.iter().map(|texts| table(texts)).collect();
            let entry = entry(&key("a"), head, &tables);
            prop_assert_eq!(read_back(&key("a"), &entry), Ok((head, tables)));
        }

        #[test]
        fn an_entry_with_one_other_bit_or_fewer_bytes_is_none(bit in 0_usize..4000, length in 0_usize..500) {
            let entry = entry(&key("a"), 7, &[table(&["x".to_owned()])]);
            let mut flipped = entry.clone();
            let bit = bit % (entry.len() * 8);
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(read_back(&key("a"), &flipped).is_err());
            prop_assert!(read_back(&key("a"), &entry[..length % entry.len()]).is_err());
        }

        #[test]
        fn bytes_of_anything_are_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(read_back(&key("a"), &bytes).is_err());
        }
    }

    #[test]
    fn an_entry_of_another_key_is_none() {
        let entry = entry(&key("a"), 7, &[]);
        assert_eq!(read_back(&key("a"), &entry), Ok((7, Vec::new())));
        assert!(read_back(&key("b"), &entry).is_err());
    }
}
