//! Texts that, found in a row's tags, tie it to a cluster (T of ocp-on-aws § 4). Only under `parity`.

use std::fmt::Write;

use super::names::Names;
use super::tags;

/// The candidate that a pair of a bill's tags makes: as Python writes it, without braces (trap 10).
pub fn of_pair(key: &str, value: &str) -> String {
    let mut text = String::new();
    write_json(key, &mut text);
    text.push_str(": ");
    write_json(value, &mut text);
    text.retain(|letter| letter != '{' && letter != '}');
    text
}

/// The candidates of the special tags. Values are inserted as they are (trap 13).
pub fn special(cluster_id: &str, cluster_alias: &str, names: &Names) -> Vec<String> {
    let candidate = |key: &str, value: Option<&str>| format!("\"{key}\": \"{}\"", value.unwrap_or("null"));
    let clusters = [cluster_id, cluster_alias].map(|name| candidate(tags::CLUSTER, Some(name)));
    let nodes = names.nodes.iter().map(|node| candidate(tags::NODE, node.as_deref()));
    let projects = names.namespaces.iter().map(|namespace| candidate(tags::PROJECT, namespace.as_deref()));
    clusters.into_iter().chain(nodes).chain(projects).collect()
}

/// What is searched for in label texts, which have no spaces between their parts: the pieces of a candidate between
/// commas (trap 10), without any space (trap 11).
pub fn pieces(candidate: &str) -> impl Iterator<Item = String> {
    candidate.split(',').map(|piece| piece.replace(' ', ""))
}

/// A text as Python's `json.dumps` writes it: everything but ASCII is escaped.
fn write_json(text: &str, to: &mut String) {
    to.push('"');
    for letter in text.chars() {
        match letter {
            '"' => to.push_str("\\\""),
            '\\' => to.push_str("\\\\"),
            '\n' => to.push_str("\\n"),
            '\r' => to.push_str("\\r"),
            '\t' => to.push_str("\\t"),
            '\u{8}' => to.push_str("\\b"),
            '\u{c}' => to.push_str("\\f"),
            ' '..='\u{7f}' => to.push(letter),
            _ => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    // Writing to a text never fails.
                    let _ = write!(to, "\\u{unit:04x}");
                }
            }
        }
    }
    to.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_written_as_python_does_and_loses_its_braces() {
        assert_eq!(of_pair("app", "a{b}c"), r#""app": "abc""#);
        assert_eq!(of_pair("é", "a\"\\\n\u{1}😀"), r#""\u00e9": "a\"\\\n\u0001\ud83d\ude00""#);
    }

    #[test]
    fn commas_split_and_spaces_go() {
        let pieces: Vec<_> = pieces(r#""team": "a b,,c""#).collect();
        assert_eq!(pieces, [r#""team":"ab"#, "", r#"c""#]);
    }

    #[test]
    fn a_null_node_reads_null() {
        let names = Names { nodes: [None, Some("n\"1".to_owned())].into(), ..Names::default() };
        assert_eq!(
            special("id", "alias", &names),
            [
                r#""openshift_cluster": "id""#,
                r#""openshift_cluster": "alias""#,
                r#""openshift_node": "null""#,
                r#""openshift_node": "n"1""#
            ]
        );
    }
}
