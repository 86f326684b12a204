//! Label texts in their common spelling: an object of plain strings, as the operator and this program write it. Such
//! a text can be taken apart, filtered and merged without a JSON parser, and parsing would take longer than all else
//! that is done with it. Any other text is left to [`super::label_map::LabelMap`], which knows all of JSON.

/// The pairs of an object whose keys and values are strings without a single escape, appended to `pairs` in the order
/// of the text. `false` if the text is anything else: then `pairs` means nothing.
pub(super) fn split<'a>(text: &'a str, pairs: &mut Vec<(&'a str, &'a str)>) -> bool {
    // Control characters are no JSON inside strings. Counted without stopping, so that the loop runs on many bytes at
    // once.
    if text.bytes().filter(|byte| *byte < b' ' || *byte == b'\\').count() > 0 {
        return false;
    }
    take_apart(text, pairs).is_some()
}

fn take_apart<'a>(text: &'a str, pairs: &mut Vec<(&'a str, &'a str)>) -> Option<()> {
    let mut rest = without_blanks(text).strip_prefix('{')?.trim_end_matches(' ').strip_suffix('}')?;
    rest = without_blanks(rest);
    while !rest.is_empty() {
        let (key, behind_key) = rest.strip_prefix('"')?.split_once('"')?;
        let value = without_blanks(without_blanks(behind_key).strip_prefix(':')?);
        let (value, behind_value) = value.strip_prefix('"')?.split_once('"')?;
        pairs.push((key, value));
        rest = without_blanks(behind_value);
        if !rest.is_empty() {
            rest = without_blanks(rest.strip_prefix(',')?);
            // A comma at the end is no JSON.
            rest.chars().next()?;
        }
    }
    Some(())
}

/// The only blank that is left once control characters are excluded.
fn without_blanks(text: &str) -> &str {
    text.trim_start_matches(' ')
}

/// The canonical text of `pairs`: keys in byte order, of equal keys the last one.
pub(super) fn canonical(mut pairs: Vec<(&str, &str)>) -> String {
    // Stable, so that equal keys stay in order.
    pairs.sort_by_key(|(key, _)| *key);
    let length: usize = pairs.iter().map(|(key, value)| key.len() + value.len() + 6).sum();
    let mut text = String::with_capacity(length + 2);
    text.push('{');
    for (index, (key, value)) in pairs.iter().enumerate() {
        if pairs.get(index + 1).is_some_and(|(next, _)| next == key) {
            continue;
        }
        if text.len() > 1 {
            text.push(',');
        }
        for part in ["\"", key, "\":\"", value, "\""] {
            text.push_str(part);
        }
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::words::label_map::LabelMap;
    use crate::words::tag_keys::TagKeys;

    fn pairs(text: &str) -> Option<Vec<(&str, &str)>> {
        let mut pairs = Vec::new();
        split(text, &mut pairs).then_some(pairs)
    }

    #[test]
    fn the_common_spellings_are_taken_apart() {
        assert_eq!(pairs(r#"{"a": "1", "b":"ü"}"#), Some(vec![("a", "1"), ("b", "ü")]));
        assert_eq!(pairs(r#"  { "a" : "" , "a" : "x" }  "#), Some(vec![("a", ""), ("a", "x")]));
        assert_eq!(pairs("{}"), Some(Vec::new()));
        assert_eq!(pairs("{ }"), Some(Vec::new()));
    }

    #[test]
    fn anything_else_is_left_alone() {
        for text in [
            "",
            "{",
            "}",
            "{\"",
            "{\"a\"}",
            r#"{"a":1}"#,
            r#"{"a":null}"#,
            r#"{"a":"b",}"#,
            r#"{,"a":"b"}"#,
            r#"{"a":"b""c":"d"}"#,
            r#"{"a":"b"}x}"#,
            r#"{"a":"b"}}"#,
            r#"{"a":"\n"}"#,
            "{\"a\":\"\u{1}\"}",
            "{\n\"a\":\"b\"}",
            r#"{"a" "b"}"#,
            r#"{"a":"b" "c":"d"}"#,
            r#"{"a":{"b":"c"}}"#,
            r#"[{"a":"b"}]"#,
        ] {
            assert_eq!(pairs(text), None, "{text}");
        }
    }

    #[test]
    fn of_equal_keys_the_last_one_counts() {
        assert_eq!(canonical(vec![("b", "1"), ("a", "1"), ("b", "2")]), r#"{"a":"1","b":"2"}"#);
        assert_eq!(canonical(Vec::new()), "{}");
    }

    proptest! {
        /// Whatever is taken apart here means what the parser finds in it, and nothing that is no JSON is taken.
        #[test]
        fn plain_texts_mean_what_the_parser_says(text in r#"( ?[{}:,"]|[abü=]|"[ab]{0,2}" ?:? ?){0,24}"#) {
            for text in [text.clone(), format!("{{{text}}}")] {
                if let Some(pairs) = pairs(&text) {
                    let keys = TagKeys::new(&pairs.iter().map(|(key, _)| (*key).to_owned()).collect::<Vec<_>>());
                    let parsed = LabelMap::parse(Some(&text), &keys).expect("is JSON");
                    prop_assert_eq!(canonical(pairs), parsed.canonical());
                }
            }
        }

        #[test]
        fn pairs_in_any_spelling_are_canonical_as_the_parser_says(
            pairs in proptest::collection::vec(("[a-cü ]{0,3}", "[a-cé:,{} ]{0,4}"), 0..6),
            blank in " {0,2}",
        ) {
            let spelled: Vec<_> =
                pairs.iter().map(|(key, value)| format!("\"{key}\"{blank}:{blank}\"{value}\"{blank}")).collect();
            let text = format!("{{{blank}{}}}", spelled.join(&format!(",{blank}")));
            let keys = TagKeys::new(&pairs.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>());
            let taken = self::pairs(&text);
            prop_assert!(taken.is_some(), "{}", text);
            prop_assert_eq!(canonical(taken.unwrap_or_default()), LabelMap::parse(Some(&text), &keys).expect("is JSON").canonical());
        }
    }
}
