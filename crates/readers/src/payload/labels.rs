//! The operator's label grammar, `label_app:web|label_tier:front`, as the JSON text that Koku makes of it.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use serde_json::{Map, Value};

/// JSON text of the labels, and how many of them had to be left out.
///
/// As in Koku, a label is one `key:value`; what has no colon or more than one is left out, since it is not known where
/// the key ends. `label_` disappears wherever it stands in a key. Of equal keys the last one wins.
pub(super) fn to_json(text: &str) -> (String, u64) {
    let mut labels = Map::new();
    let mut left_out = 0;
    for label in text.split('|').filter(|label| !label.is_empty()) {
        match label.split_once(':') {
            Some((key, value)) if !value.contains(':') => {
                labels.insert(key.replace("label_", ""), Value::from(value));
            }
            _ => left_out += 1,
        }
    }
    (spelled_as_by_koku(&labels), left_out)
}

/// Daily rows are grouped by this text, so it is spelled as Python spells it, and not as serde_json would.
pub(super) fn spelled_as_by_koku(labels: &Map<String, Value>) -> String {
    let mut json = Vec::new();
    labels.serialize(&mut Serializer::with_formatter(&mut json, Python)).expect("texts can be written to memory");
    String::from_utf8(json).expect("JSON is UTF-8")
}

/// A blank behind each comma and colon, and nothing but ASCII.
struct Python;

impl Formatter for Python {
    fn begin_object_key<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn write_string_fragment<W: Write + ?Sized>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let is_plain = |byte: u8| (b' '..=b'~').contains(&byte);
        if fragment.bytes().all(is_plain) {
            return out.write_all(fragment.as_bytes());
        }
        for unit in fragment.encode_utf16() {
            match u8::try_from(unit) {
                Ok(byte) if is_plain(byte) => out.write_all(&[byte])?,
                _ => write!(out, "\\u{unit:04x}")?,
            }
        }
        Ok(())
    }
}
