//! A label map: parsed, filtered, merged and written as canonical JSON (spec § 4).

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use tokaki_core::{Error, ErrorKind, Result};

use super::label_numbers::numeric_text;
use super::plain_labels;
use super::tag_keys::TagKeys;

/// Keys in byte order; a value is null only where the source says JSON null.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelMap(BTreeMap<String, Option<String>>);

impl LabelMap {
    /// The kept pairs of a label text. Null, the empty text and blanks are `{}`.
    ///
    /// # Errors
    /// `Label` for anything that is not a flat JSON object, for the escape `\u0000` and for unpaired surrogates, in
    /// any key or value, kept or not.
    pub fn parse(text: Option<&str>, keys: &TagKeys) -> Result<Self> {
        Self::filtered(text, |key| keys.keep(key))
    }

    /// The pairs of a label text whose keys are to be kept.
    ///
    /// # Errors
    /// As for [`LabelMap::parse`].
    pub fn filtered(text: Option<&str>, keep: impl Fn(&str) -> bool) -> Result<Self> {
        let text = text.unwrap_or_default();
        if text.bytes().all(|byte| byte == b' ') {
            return Ok(Self::default());
        }
        let Flat(mut pairs) =
            serde_json::from_str(text).map_err(|error| broken(format!("label text is not usable: {error}"), text))?;
        pairs.retain(|key, _| keep(key));
        Ok(Self(pairs))
    }

    /// The canonical text of what [`LabelMap::parse`] keeps.
    ///
    /// # Errors
    /// As for [`LabelMap::parse`].
    pub fn kept(text: Option<&str>, keys: &TagKeys) -> Result<String> {
        let mut pairs = Vec::new();
        if plain_labels::split(text.unwrap_or_default(), &mut pairs) {
            pairs.retain(|(key, _)| keys.keep(key));
            return Ok(plain_labels::canonical(pairs));
        }
        Self::parse(text, keys).map(|labels| labels.canonical())
    }

    /// The canonical text of canonical layers merged, where later layers win (spec § 4, Merge).
    ///
    /// # Errors
    /// `Bug` if a text is not canonical.
    pub fn merged(layers: &[&str]) -> Result<String> {
        let mut pairs = Vec::new();
        if layers.iter().all(|text| plain_labels::split(text, &mut pairs)) {
            return Ok(plain_labels::canonical(pairs));
        }
        let mut merged = Self::default();
        for text in layers {
            merged.overlay(&Self::from_canonical(text)?);
        }
        Ok(merged.canonical())
    }

    /// The map that [`LabelMap::canonical`] wrote.
    ///
    /// # Errors
    /// `Bug` if it did not.
    pub fn from_canonical(text: &str) -> Result<Self> {
        serde_json::from_str(text).map(Self).map_err(|error| Error::bug(format!("canonical labels: {error}")))
    }

    /// The map of one pair.
    pub fn of_one(key: &str, value: &str) -> Self {
        Self(BTreeMap::from([(key.to_owned(), Some(value.to_owned()))]))
    }

    /// The value of `key`; `None` if there is none or it is null.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_deref()
    }

    /// All pairs, by key.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_deref()))
    }

    /// Leaves the pairs whose keys are to be kept.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.0.retain(|key, _| keep(key));
    }

    /// Adds the pairs of `other`, which win. A null wins too.
    pub fn overlay(&mut self, other: &Self) {
        self.0.extend(other.0.iter().map(|(key, value)| (key.clone(), value.clone())));
    }

    /// JSON with keys in byte order, no blanks, and the fewest escapes. Equal maps have equal texts.
    pub fn canonical(&self) -> String {
        serde_json::to_string(&self.0).expect("a map of texts is JSON")
    }
}

impl<'a> FromIterator<(&'a str, Option<&'a str>)> for LabelMap {
    /// Of equal keys the last one stays.
    fn from_iter<I: IntoIterator<Item = (&'a str, Option<&'a str>)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.to_owned(), value.map(str::to_owned))).collect())
    }
}

/// The canonical text of the map without labels.
pub const NO_LABELS: &str = "{}";

fn broken(message: String, text: &str) -> Error {
    const SHOWN_CHARS: usize = 60;
    let mut shown: String = text.chars().take(SHOWN_CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    Error::new(ErrorKind::Label, format!("{message}; the text is {shown:?}"))
}

/// An object of flat values; of duplicate keys the last one stays.
struct Flat(BTreeMap<String, Option<String>>);

impl<'de> Deserialize<'de> for Flat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FlatVisitor;

        impl<'de> Visitor<'de> for FlatVisitor {
            type Value = Flat;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object of labels")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Flat, A::Error> {
                let mut pairs = BTreeMap::new();
                while let Some(key) = entries.next_key::<String>()? {
                    let raw: &RawValue = entries.next_value()?;
                    let value = flat_value(raw.get()).map_err(A::Error::custom)?;
                    if has_nul(&key) || value.as_deref().is_some_and(has_nul) {
                        return Err(A::Error::custom("\\u0000 cannot be stored"));
                    }
                    pairs.insert(key, value);
                }
                Ok(Flat(pairs))
            }
        }

        deserializer.deserialize_map(FlatVisitor)
    }
}

fn has_nul(text: &str) -> bool {
    text.contains('\0')
}

/// A label value as text. Numbers are taken from their source text: a double would lose digits.
fn flat_value(json: &str) -> Result<Option<String>, String> {
    match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str(json).map(Some).map_err(|error| error.to_string()),
        Some(b'{' | b'[') => Err("a label value is an object or an array".to_owned()),
        Some(b'n') => Ok(None),
        Some(b't' | b'f') => Ok(Some(json.to_owned())),
        _ => numeric_text(json).map(Some).ok_or_else(|| "a number is too long to be stored".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(text: &str) -> Result<String> {
        let keys = TagKeys::new(&["k", "ü", "a", "n"].map(str::to_owned));
        LabelMap::parse(Some(text), &keys).map(|labels| labels.canonical())
    }

    #[test]
    fn only_enabled_keys_and_the_vm_name_are_kept() {
        let text = r#"{"other":"x","vm_kubevirt_io_name":"vm1","K":"y","k":"z"}"#;
        assert_eq!(canonical(text).expect("flat"), r#"{"k":"z","vm_kubevirt_io_name":"vm1"}"#);
    }

    #[test]
    fn spelling_does_not_matter() {
        assert_eq!(
            canonical(r#" { "\u00fc" : "\u00e9" , "k" : "1\/2" } "#).expect("flat"),
            canonical(r#"{"k":"1/2","ü":"é"}"#).expect("flat")
        );
        assert_eq!(canonical(r#"{"k":"1","k":"2"}"#).expect("flat"), r#"{"k":"2"}"#);
        assert_eq!(canonical(r#"{"k":"\u001f\u0008\t\n\f\r\"\\"}"#).expect("flat"), r#"{"k":"\u001f\b\t\n\f\r\"\\"}"#);
    }

    #[test]
    fn values_become_texts() {
        assert_eq!(
            canonical(r#"{"k":true,"a":null,"n":12.50e1}"#).expect("flat"),
            r#"{"a":null,"k":"true","n":"125.0"}"#
        );
    }

    #[test]
    fn nothing_is_no_labels() {
        let keys = TagKeys::default();
        for text in [None, Some(""), Some("   "), Some("{}"), Some(" {} ")] {
            assert_eq!(LabelMap::parse(text, &keys).expect("empty").canonical(), NO_LABELS, "{text:?}");
        }
    }

    #[test]
    fn broken_text_is_an_error_even_under_keys_that_are_not_kept() {
        for text in [
            "null",
            "[1]",
            "\"x\"",
            "{",
            "{} x",
            "\t",
            "NaN",
            r#"{"k":NaN}"#,
            r#"{"k":Infinity}"#,
            "{\"k\":\"a\u{1}b\"}",
            r#"{"other":"\u0000"}"#,
            r#"{"\u0000":"x"}"#,
            r#"{"other":"\ud800"}"#,
            r#"{"\udc00":"x"}"#,
            r#"{"other":{"x":1}}"#,
            r#"{"other":[]}"#,
            r#"{"other":01}"#,
            r#"{"k":1e999999}"#,
        ] {
            let error = canonical(text).expect_err(text);
            assert_eq!(error.kind(), ErrorKind::Label, "{text}");
        }
        assert!(canonical(r#"{"k":"\\u0000"}"#).is_ok());
    }

    #[test]
    fn later_labels_win_and_so_does_a_later_null() {
        let keys = TagKeys::new(&["a", "k"].map(str::to_owned));
        let parse = |text| LabelMap::parse(Some(text), &keys).expect("flat");
        let mut merged = parse(r#"{"a":"1","k":"1"}"#);
        merged.overlay(&parse(r#"{"k":null}"#));
        assert_eq!(merged.canonical(), r#"{"a":"1","k":null}"#);
        assert_eq!(LabelMap::from_canonical(&merged.canonical()).expect("canonical"), merged);
        let layers = [r#"{"a":"1","k":"1"}"#, r#"{"k":null}"#];
        assert_eq!(LabelMap::merged(&layers).expect("canonical"), merged.canonical());
        assert_eq!(LabelMap::merged(&[layers[1], layers[0], "{}"]).expect("canonical"), layers[0]);
    }

    /// Texts that are JSON, or almost.
    fn texts() -> impl Strategy<Value = String> {
        let spelled = r#"[ \t]?(\{|\[)?( ?[{}:,"\[\]\\]|null|true|-?[0-9]{1,3}(\.[0-9]|e[0-9])?|\\u00[01][0-9a]|\\ud[8c]00|"[akü]{0,2}" ?:? ?){0,16}(\}|\])?"#;
        let labels = prop::collection::btree_map("[aknü\\PC]{0,3}", "\\PC{0,6}", 0..6);
        let valid = labels.prop_map(|labels| serde_json::to_string(&labels).expect("a map of texts is JSON"));
        // Bytes of a good text in another order, or others in their place.
        let damaged = (valid.clone(), any::<(prop::sample::Index, prop::sample::Index, char)>()).prop_map(
            |(text, (from, to, letter))| {
                let mut letters: Vec<char> = text.chars().collect();
                let (from, to) = (from.index(letters.len()), to.index(letters.len()));
                letters.swap(from, to);
                letters[from] = letter;
                letters.into_iter().collect()
            },
        );
        prop_oneof![any::<String>(), spelled, valid, damaged]
    }

    proptest! {
        #[test]
        fn any_text_is_labels_or_an_error(text in texts()) {
            let reference: Option<BTreeMap<String, serde_json::Value>> = serde_json::from_str(&text).ok();
            let keys: Vec<String> = reference.iter().flatten().map(|(key, _)| key.clone()).collect();
            let keys = TagKeys::new(&keys);
            let kept = LabelMap::kept(Some(&text), &keys);
            match LabelMap::parse(Some(&text), &keys) {
                Ok(labels) => {
                    let canonical = labels.canonical();
                    prop_assert_eq!(&kept.expect("parsed"), &canonical);
                    prop_assert_eq!(&LabelMap::from_canonical(&canonical).expect("canonical"), &labels);
                    for (key, value) in reference.iter().flatten() {
                        if let Some(value) = value.as_str() {
                            prop_assert_eq!(labels.value(key), Some(value));
                        }
                    }
                }
                Err(error) => {
                    prop_assert_eq!(error.kind(), ErrorKind::Label);
                    prop_assert_eq!(kept.expect_err("refused").kind(), ErrorKind::Label);
                    prop_assert!(error.message().len() < 1000, "{}", error);
                    // What is refused is no flat object of texts, or holds what PostgreSQL cannot store.
                    let is_storable = |value: &serde_json::Value| value.as_str().is_some_and(|text| !has_nul(text));
                    let is_flat = reference.is_some_and(|labels| {
                        labels.iter().all(|(key, value)| !has_nul(key) && is_storable(value))
                    });
                    prop_assert!(!is_flat, "refused: {}", error);
                }
            }
        }
    }
}
