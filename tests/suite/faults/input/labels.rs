//! Label texts that are hard to read.

use super::{Bench, check_refused, with_label};

#[test]
fn i7_labels_that_are_hard_to_read() {
    let bench = Bench::new();
    let file = bench.job.files("namespace_labels").swap_remove(0);
    let many = (0..100_000).map(|key| format!("\"key_{key}\": \"v\"")).collect::<Vec<_>>().join(", ");
    let deep = format!("{}1{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let cases: [(&str, String, &[i32]); 12] = [
        ("100,000 keys", format!("{{{many}}}"), &[0, 12]),
        ("a text of 10 MiB", format!("{{\"app\": \"{}\"}}", "x".repeat(10 << 20)), &[0, 12]),
        ("a key twice", r#"{"app": "a", "app": "b"}"#.into(), &[0]),
        ("nested", r#"{"app": {"b": 1}}"#.into(), &[0, 12]),
        ("very deep", deep.clone(), &[12]),
        ("very deep inside", format!("{{\"app\": {deep}}}"), &[12]),
        ("a lone surrogate", r#"{"app": "\ud800"}"#.into(), &[12]),
        ("NUL", r#"{"app": "a\u0000b"}"#.into(), &[12]),
        ("nothing", String::new(), &[0, 12]),
        ("null", "null".into(), &[0, 12]),
        ("an array", "[\"app\"]".into(), &[12]),
        ("no JSON", "app=a".into(), &[12]),
    ];
    for (what, text, codes) in cases {
        let outcome = bench.run_damaged(&file, |file| with_label(file, "namespace_labels", &text));
        assert!(codes.contains(&outcome.code.unwrap_or(-1)), "{what}: {:?} {:.400}", outcome.code, outcome.stderr);
        assert!(outcome.stderr.len() < 100_000, "{what}: the text is repeated in {} bytes", outcome.stderr.len());
        if outcome.code != Some(0) {
            check_refused(&outcome, &file);
        }
    }
}
