//! The worked examples of spec § 14 that concern pods, and the laws.

use proptest::prelude::*;
use tokaki_core::{Finding, Grain, Semantics};

use crate::testing::Cell::{Number, Text};
use crate::testing::{Cell, Job, Line, line, shown};

const BOTH: [Semantics; 2] = [Semantics::Koku, Semantics::Conserving];

/// A pod on n1 (4 cores) that uses `cores` for the hour.
fn pod(hour: i64, namespace: &'static str, labels: &'static str, cores: f64) -> Line {
    line(
        "pod_usage",
        hour,
        &[
            ("namespace", Text(namespace)),
            ("node", Text("n1")),
            ("pod", Text("p")),
            ("resource_id", Text("i-1")),
            ("pod_labels", Text(labels)),
            ("pod_usage_cpu_core_seconds", Number(cores * 3600.0)),
            ("pod_request_cpu_core_seconds", Number(0.0)),
            ("pod_effective_usage_cpu_core_seconds", Number(cores * 3600.0)),
            ("node_capacity_cpu_cores", Number(4.0)),
            ("node_capacity_cpu_core_seconds", Number(4.0 * 3600.0)),
        ],
    )
}

fn node_labels(hour: i64, labels: &'static str) -> Line {
    line("node_labels", hour, &[("node", Text("n1")), ("node_labels", Text(labels))])
}

fn namespace_labels(hour: i64, labels: &'static str) -> Line {
    line("namespace_labels", hour, &[("namespace", Text("ns")), ("namespace_labels", Text(labels))])
}

fn with(mut line: Line, column: &'static str, cell: Option<Cell>) -> Line {
    match cell {
        Some(cell) => line.cells.insert(column, cell),
        None => line.cells.remove(column),
    };
    line
}

const USAGE: [&str; 2] = ["pod_labels", "pod_usage_cpu_core_hours"];

fn usage(semantics: Semantics, lines: &[Line]) -> Vec<String> {
    let rows = Job::new(semantics, &["k"], &[]).run("pod", lines, 100).expect("runs");
    shown(&rows, &USAGE)
}

#[test]
fn example_1_node_labels_change() {
    let lines = [
        pod(0, "ns", "{}", 1.0),
        pod(1, "ns", "{}", 1.0),
        node_labels(0, r#"{"k":"x"}"#),
        node_labels(1, r#"{"k":"y"}"#),
    ];
    assert_eq!(usage(Semantics::Koku, &lines), [r#"{"k":"x"} 2"#, r#"{"k":"y"} 2"#]);
    assert_eq!(usage(Semantics::Conserving, &lines), [r#"{"k":"x"} 1"#, r#"{"k":"y"} 1"#]);
}

#[test]
fn koku_reports_what_it_counts_twice_and_conserving_has_nothing_to_report() {
    let lines = [
        pod(0, "ns", "{}", 1.0),
        pod(1, "ns", "{}", 1.0),
        node_labels(0, r#"{"k":"x"}"#),
        node_labels(1, r#"{"k":"y"}"#),
        namespace_labels(0, r#"{"vm_kubevirt_io_name":"a"}"#),
        namespace_labels(1, r#"{"vm_kubevirt_io_name":"b"}"#),
    ];
    let findings = |semantics| {
        let job = Job::new(semantics, &["k"], &[("n%", 1), ("%s", 2)]);
        let usage = |finding: Finding| {
            let usage = finding.amounts.iter().find(|amount| amount.measure == USAGE[1]).expect("usage");
            (finding.subject, usage.value)
        };
        job.finished("pod", &lines, 2).expect("runs").findings.into_iter().map(usage).collect::<Vec<_>>()
    };
    // 2 core-hours are counted 2 × 2 × 2 times: 14 too many.
    let namespace = "2025-10-01 namespace ns".to_owned();
    assert_eq!(
        findings(Semantics::Koku),
        [("2025-10-01 node n1".to_owned(), 2.0), (namespace.clone(), 4.0), (namespace, 8.0)]
    );
    assert_eq!(findings(Semantics::Conserving), []);
}

#[test]
fn example_2_a_pod_label_hides_the_change() {
    let own = r#"{"k":"own"}"#;
    let lines = [
        pod(0, "ns", own, 1.0),
        pod(1, "ns", own, 1.0),
        node_labels(0, r#"{"k":"x"}"#),
        node_labels(1, r#"{"k":"y"}"#),
    ];
    assert_eq!(usage(Semantics::Koku, &lines), [r#"{"k":"own"} 4"#]);
    assert_eq!(usage(Semantics::Conserving, &lines), [r#"{"k":"own"} 2"#]);
}

#[test]
fn example_3_namespace_labels_change_too() {
    let lines = [
        pod(0, "ns", "{}", 1.0),
        pod(1, "ns", "{}", 1.0),
        node_labels(0, r#"{"k":"x"}"#),
        node_labels(1, r#"{"k":"y"}"#),
        namespace_labels(0, r#"{"vm_kubevirt_io_name":"a"}"#),
        namespace_labels(1, r#"{"vm_kubevirt_io_name":"b"}"#),
    ];
    let koku = usage(Semantics::Koku, &lines);
    assert_eq!(koku.len(), 4);
    assert!(koku.iter().all(|row| row.ends_with(" 2")), "{koku:?}");
    assert_eq!(
        usage(Semantics::Conserving, &lines),
        [r#"{"k":"x","vm_kubevirt_io_name":"a"} 1"#, r#"{"k":"y","vm_kubevirt_io_name":"b"} 1"#]
    );
}

#[test]
fn example_4_two_patterns_match() {
    let lines = [pod(0, "openshift-kube-x", "{}", 1.0), pod(1, "openshift-kube-x", "{}", 1.0)];
    let rows = |semantics| {
        let patterns = [("openshift-%", 1), ("openshift-kube-%", 2)];
        let rows = Job::new(semantics, &[], &patterns).run("pod", &lines, 1).expect("runs");
        shown(&rows, &["pod_usage_cpu_core_hours", "cost_category_id"])
    };
    assert_eq!(rows(Semantics::Koku), ["4 2"]);
    assert_eq!(rows(Semantics::Conserving), ["2 2"]);
}

#[test]
fn example_10_pods_without_a_node_raise_only_the_cluster_capacity() {
    let unplaced = |node: Option<Cell>, cores: f64| {
        let line = with(pod(0, "ns", "{}", 9.0), "node", node);
        with(line, "node_capacity_cpu_core_seconds", Some(Number(cores * 3600.0)))
    };
    let lines = [pod(0, "ns", "{}", 1.0), pod(1, "ns", "{}", 1.0), unplaced(Some(Text("")), 2.0), unplaced(None, 4.0)];
    for semantics in BOTH {
        let rows = Job::new(semantics, &[], &[]).run("pod", &lines, 2).expect("runs");
        let columns = [
            "node",
            "pod_usage_cpu_core_hours",
            "node_capacity_cpu_core_hours",
            "cluster_capacity_cpu_core_hours",
            "node_capacity_memory_gigabyte_hours",
        ];
        assert_eq!(shown(&rows, &columns), ["n1 2 8 14 0"], "{semantics}");
    }
}

#[test]
fn example_14_the_pod_label_wins() {
    let lines = [
        pod(0, "ns", r#"{"k":"pod"}"#, 1.0),
        node_labels(0, r#"{"k":"node"}"#),
        namespace_labels(0, r#"{"k":"namespace"}"#),
    ];
    for semantics in BOTH {
        assert_eq!(usage(semantics, &lines), [r#"{"k":"pod"} 1"#]);
    }
}

#[test]
fn without_effective_columns_a_derived_day_takes_the_larger_sum_and_conserving_each_hour() {
    let hour = |hour, used: f64| {
        let line = with(pod(hour, "ns", "{}", used), "pod_effective_usage_cpu_core_seconds", None);
        with(line, "pod_request_cpu_core_seconds", Some(Number(1800.0)))
    };
    let lines = [hour(0, 1.0), hour(1, 0.0)];
    let effective = |semantics| {
        let rows = Job::new(semantics, &[], &[]).run("pod", &lines, 1).expect("runs");
        shown(&rows, &["pod_effective_usage_cpu_core_hours"])
    };
    // Spec § 12: usage 1, 0 and request 0.5, 0.5 core-hours.
    assert_eq!(effective(Semantics::Koku), ["1"]);
    assert_eq!(effective(Semantics::Conserving), ["1.5"]);
}

#[test]
fn a_derived_null_is_zero_if_the_column_exists() {
    let column = "pod_limit_cpu_core_seconds";
    let limits = |semantics, lines: &[Line]| {
        let rows = Job::new(semantics, &[], &[]).run("pod", lines, 100).expect("runs");
        shown(&rows, &["namespace", "pod_limit_cpu_core_hours"])
    };
    let some = [pod(0, "a", "{}", 1.0), with(pod(0, "b", "{}", 1.0), column, Some(Number(3600.0)))];
    assert_eq!(limits(Semantics::Koku, &some), ["a 0", "b 1"]);
    assert_eq!(limits(Semantics::Conserving, &some), ["a -", "b 1"]);
    assert_eq!(limits(Semantics::Koku, &[pod(0, "a", "{}", 1.0)]), ["a -"]);
}

#[test]
fn conserving_takes_daily_rows_only_on_days_without_hourly_ones() {
    let daily = |hour, cores| Line { grain: Grain::Daily, ..pod(hour, "ns", "{}", cores) };
    let lines = [pod(0, "ns", "{}", 1.0), daily(0, 100.0), daily(24, 5.0)];
    assert_eq!(usage(Semantics::Conserving, &lines), ["{} 1", "{} 5"]);
    assert_eq!(usage(Semantics::Koku, &lines), ["{} 100", "{} 5"]);
}

#[test]
fn a_node_reports_its_capacity_with_every_pod() {
    let less = with(pod(0, "ns", "{}", 1.0), "node_capacity_cpu_core_seconds", Some(Number(3.9 * 3600.0)));
    let lines = [less, pod(0, "other", "{}", 1.0)];
    let rows = Job::new(Semantics::Koku, &[], &[]).run("pod", &lines, 1).expect("runs");
    let columns = ["node_capacity_cpu_core_hours", "cluster_capacity_cpu_core_hours"];
    assert_eq!(shown(&rows, &columns), ["4 4", "4 4"]);
}

#[test]
fn infinite_values_and_broken_labels_name_their_column() {
    let infinite = with(pod(0, "ns", "{}", 1.0), "pod_usage_cpu_core_seconds", Some(Number(f64::INFINITY)));
    let error = Job::new(Semantics::Koku, &[], &[]).run("pod", &[infinite], 1).expect_err("refused");
    assert_eq!(error.place().column.as_deref(), Some("pod_usage_cpu_core_seconds"));
    let broken = pod(0, "ns", "[1]", 1.0);
    let error = Job::new(Semantics::Koku, &[], &[]).run("pod", &[broken], 1).expect_err("refused");
    assert_eq!(error.place().column.as_deref(), Some("pod_labels"));
    let broken = [node_labels(0, "null")];
    let error = Job::new(Semantics::Koku, &[], &[]).run("pod", &broken, 1).expect_err("refused");
    assert_eq!(error.place().column.as_deref(), Some("node_labels"));
}

fn any_line() -> impl Strategy<Value = Line> {
    let text = |choices: &'static [&'static str]| prop::sample::select(choices);
    let labels = text(&["{}", "", r#"{"k":"x"}"#, r#"{ "k": "x" }"#, r#"{"k":null,"z":1}"#, r#"{"k":"é"}"#]);
    let number = prop::option::of(prop_oneof![-1e6_f64..1e6, Just(0.1), Just(-0.0), Just(f64::NAN)]);
    let usage = (
        (0_i64..48, text(&["a", "b", ""]), text(&["n1", "n2", ""]), text(&["p", "q"]), text(&["i-1", "i-2"])),
        labels.clone(),
        prop::array::uniform6(number),
    )
        .prop_map(|((hour, namespace, node, pod, resource_id), labels, numbers)| {
            let mut line = line(
                "pod_usage",
                hour,
                &[
                    ("namespace", Text(namespace)),
                    ("node", Text(node)),
                    ("pod", Text(pod)),
                    ("resource_id", Text(resource_id)),
                    ("pod_labels", Text(labels)),
                ],
            );
            let columns = [
                "pod_usage_cpu_core_seconds",
                "pod_request_cpu_core_seconds",
                "pod_effective_usage_cpu_core_seconds",
                "pod_usage_memory_byte_seconds",
                "node_capacity_cpu_cores",
                "node_capacity_cpu_core_seconds",
            ];
            for (column, number) in columns.into_iter().zip(numbers) {
                // A column that exists is there in every chunk, whatever the values: NaN counts as null.
                line.cells.insert(column, Number(number.unwrap_or(f64::NAN)));
            }
            line
        });
    let node = (0_i64..48, labels.clone()).prop_map(|(hour, labels)| node_labels(hour, labels));
    let namespace = (0_i64..48, labels).prop_map(|(hour, labels)| {
        line("namespace_labels", hour, &[("namespace", Text("a")), ("namespace_labels", Text(labels))])
    });
    prop_oneof![6 => usage, 1 => node, 1 => namespace]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pieces_order_and_encoding_never_change_a_bit(
        lines in prop::collection::vec(any_line(), 0..40),
        piece in 1_usize..9,
        conserving: bool,
    ) {
        let semantics = if conserving { Semantics::Conserving } else { Semantics::Koku };
        let job = Job::new(semantics, &["k"], &[("a%", 1), ("%", 2)]);
        let whole = job.run("pod", &lines, usize::MAX).expect("runs");
        let backwards: Vec<Line> = lines.iter().rev().cloned().collect();
        prop_assert_eq!(&whole, &job.run("pod", &backwards, piece).expect("runs"));
    }

    #[test]
    fn both_semantics_agree_where_nothing_changes_within_the_day(
        items in prop::collection::vec((0_i64..48, prop::sample::select(vec!["a", "b"]), 0.0_f64..8.0), 0..30),
        piece in 1_usize..9,
    ) {
        let mut lines: Vec<Line> = items.iter().map(|(hour, namespace, cores)| pod(*hour, namespace, "{}", *cores)).collect();
        // The same labels in every hour, under one category, with effective usage and no null.
        lines.extend((0..48).map(|hour| node_labels(hour, r#"{"k":"x"}"#)));
        let run = |semantics| Job::new(semantics, &["k"], &[("a%", 1)]).run("pod", &lines, piece).expect("runs");
        prop_assert_eq!(run(Semantics::Koku), run(Semantics::Conserving));
    }

    #[test]
    fn days_derived_from_hours_give_what_daily_rows_give(
        items in prop::collection::vec(
            (0_i64..48, prop::sample::select(vec!["a", "b"]), prop::sample::select(vec!["{}", r#"{"k":"x"}"#]), 0_u32..8),
            1..40,
        ),
        piece in 1_usize..9,
    ) {
        // Whole core-hours, so that the daily sums are exact.
        let hourly: Vec<Line> =
            items.iter().map(|(hour, namespace, labels, cores)| pod(*hour, namespace, labels, f64::from(*cores))).collect();
        let job = Job::new(Semantics::Koku, &["k"], &[("a%", 1), ("%", 2)]);
        let derived = job.run("pod", &hourly, piece).expect("runs");
        let both = [hourly.clone(), daily_rows_of(&hourly)].concat();
        prop_assert_eq!(derived, job.run("pod", &both, piece).expect("runs"));
    }

    #[test]
    fn conserving_loses_and_invents_nothing(lines in prop::collection::vec(any_line(), 0..40)) {
        let rows = Job::new(Semantics::Conserving, &["k"], &[("a%", 1), ("%", 2)]).run("pod", &lines, 7).expect("runs");
        let total: f64 = shown(&rows, &["pod_usage_cpu_core_hours"])
            .iter()
            .filter_map(|hours| hours.parse::<f64>().ok())
            .sum();
        let expected = used_by_placed_pods(&lines);
        prop_assert!((total - expected).abs() < 1e-6, "{} became {}", expected, total);
    }

    #[test]
    fn koku_counts_every_line_item_once_and_reports_the_rest(lines in prop::collection::vec(any_line(), 0..40)) {
        let job = Job::new(Semantics::Koku, &["k"], &[("a%", 1), ("%", 2)]);
        let finished = job.finished("pod", &lines, 7).expect("runs");
        let usage = shown(&finished.outputs[0], &["pod_usage_cpu_core_hours"]);
        let counted: f64 = usage.iter().filter_map(|hours| hours.parse::<f64>().ok()).sum();
        let amounts = finished.findings.iter().flat_map(|finding| &finding.amounts);
        let again: f64 = amounts.filter(|amount| amount.measure == USAGE[1]).map(|amount| amount.value).sum();
        let expected = used_by_placed_pods(&lines);
        prop_assert!((counted - again - expected).abs() < 1e-6, "{} - {} is not {}", counted, again, expected);
    }
}

/// Core-hours of the line items with a node.
fn used_by_placed_pods(lines: &[Line]) -> f64 {
    let placed = lines.iter().filter(|line| line.report_type == "pod_usage" && line.cells["node"] != Text(""));
    placed
        .filter_map(|line| match line.cells["pod_usage_cpu_core_seconds"] {
            Number(seconds) if seconds.is_finite() => Some(seconds / 3600.0),
            _ => None,
        })
        .sum()
}

/// The daily rows that hours come to: a row per day, namespace and labels, since node, pod and machine are the same.
fn daily_rows_of(hourly: &[Line]) -> Vec<Line> {
    let mut daily: Vec<Line> = Vec::new();
    for line in hourly {
        let (day, names) = (line.hour / 24 * 24, ["namespace", "pod_labels"]);
        let known = daily
            .iter_mut()
            .find(|row| row.hour == day && names.iter().all(|name| row.cells[name] == line.cells[name]));
        let Some(row) = known else {
            daily.push(Line { grain: Grain::Daily, hour: day, ..line.clone() });
            continue;
        };
        for (column, cell) in &line.cells {
            if let (true, Number(more), Some(Number(sum))) =
                (column.ends_with("_seconds"), cell, row.cells.get_mut(column))
            {
                *sum += more;
            }
        }
    }
    daily
}
