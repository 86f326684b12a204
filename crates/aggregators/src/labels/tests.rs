use tokaki_core::{Grain, Semantics};

use super::{Bearer, KeptLabels};
use crate::testing::Cell::Text;
use crate::testing::{Job, Line, line};

/// 2025-10-01 as days since 1970.
const DAY: i32 = 20_362;
const HOUR: i64 = 3_600_000_000_000;

fn node(hour: i64, labels: &'static str) -> Line {
    line("node_labels", hour, &[("node", Text("n1")), ("node_labels", Text(labels))])
}

fn kept(semantics: Semantics, lines: &[Line]) -> KeptLabels {
    let rows = Job::new(semantics, &["k"], &[]).run("labels", lines, 2).expect("runs");
    KeptLabels::new(&rows).expect("its own output")
}

fn of_day(kept: &KeptLabels, day: i32) -> Vec<String> {
    let sets = kept.of_day(Bearer::Node, kept.name_id("n1"), day);
    sets.map(|set| kept.canonical(set).to_owned()).collect()
}

fn at(kept: &KeptLabels, hour: Option<i64>) -> String {
    let instant = hour.map(|hour| i64::from(DAY) * 24 * HOUR + hour * HOUR);
    kept.canonical(kept.at(Bearer::Node, kept.name_id("n1"), DAY, instant)).to_owned()
}

#[test]
fn koku_knows_the_distinct_kept_maps_of_a_day() {
    let lines = [
        node(0, r#"{"k":"x","other":"1"}"#),
        node(3, r#"{"k":"x","other":"2"}"#),
        node(4, "{}"),
        line("node_labels", 5, &[("node_labels", Text(r#"{"k":"of nobody"}"#))]),
    ];
    let kept = kept(Semantics::Koku, &lines);
    assert_eq!(of_day(&kept, DAY), [r#"{"k":"x"}"#, "{}"]);
    assert_eq!(of_day(&kept, DAY + 1), ["{}"]);
}

#[test]
fn conserving_knows_the_map_of_an_hour_else_the_latest_of_the_day() {
    let lines = [node(0, r#"{"k":"a"}"#), node(5, r#"{"k":"b"}"#), node(5, "{}"), node(5, r#"{"k":null}"#)];
    let kept = kept(Semantics::Conserving, &lines);
    assert_eq!(at(&kept, Some(0)), r#"{"k":"a"}"#);
    // Of several maps at one instant the largest text counts, and `}` is larger than `"`.
    assert_eq!(at(&kept, Some(5)), "{}");
    assert_eq!(at(&kept, Some(3)), "{}");
    assert_eq!(at(&kept, None), "{}");
}

#[test]
fn daily_rows_count_only_for_a_bearer_without_hourly_ones() {
    let daily = |labels| Line { grain: Grain::Daily, ..node(0, labels) };
    let lines = [daily(r#"{"k":"daily"}"#), node(7, r#"{"k":"hourly"}"#)];
    assert_eq!(at(&kept(Semantics::Conserving, &lines), Some(0)), r#"{"k":"hourly"}"#);
    assert_eq!(at(&kept(Semantics::Conserving, &lines[..1]), Some(9)), r#"{"k":"daily"}"#);
}
