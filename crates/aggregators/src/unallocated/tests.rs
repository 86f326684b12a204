//! The worked examples of spec § 14 that concern unallocated capacity, and the law that nothing is lost.

use proptest::prelude::*;
use tokaki_core::{NodeRole, Semantics};

use crate::testing::Cell::{Number, Text};
use crate::testing::{Job, Line, line, shown};

const BOTH: [Semantics; 2] = [Semantics::Koku, Semantics::Conserving];

/// A pod on n1 (4 cores) that uses `cores` for the hour.
fn pod(hour: i64, namespace: Option<&'static str>, cores: f64) -> Line {
    let mut cells = vec![
        ("node", Text("n1")),
        ("pod", Text("p")),
        ("resource_id", Text("i-1")),
        ("pod_usage_cpu_core_seconds", Number(cores * 3600.0)),
        ("node_capacity_cpu_core_seconds", Number(4.0 * 3600.0)),
    ];
    cells.extend(namespace.map(|namespace| ("namespace", Text(namespace))));
    line("pod_usage", hour, &cells)
}

fn known(role: &str, resource_id: Option<&str>) -> NodeRole {
    NodeRole {
        node: Some("n1".to_owned()),
        resource_id: resource_id.map(str::to_owned),
        node_role: Some(role.to_owned()),
    }
}

fn job(semantics: Semantics, patterns: &[(&str, i32)], nodes: &[NodeRole]) -> Job {
    let mut job = Job::new(semantics, &["k"], patterns);
    job.reference.nodes = nodes.to_vec();
    job
}

fn left(job: &Job, lines: &[Line]) -> Vec<String> {
    let rows = job.run("unallocated", lines, 3).expect("runs");
    shown(&rows, &["namespace", "pod_usage_cpu_core_hours", "cost_category_id"])
}

#[test]
fn example_1_what_koku_counts_twice_is_missing_from_what_is_left() {
    let labels = |hour, text| line("node_labels", hour, &[("node", Text("n1")), ("node_labels", Text(text))]);
    let lines =
        [pod(0, Some("ns"), 1.0), pod(1, Some("ns"), 1.0), labels(0, r#"{"k":"x"}"#), labels(1, r#"{"k":"y"}"#)];
    let nodes = [known("worker", Some("i-1"))];
    assert_eq!(left(&job(Semantics::Koku, &[], &nodes), &lines), ["Worker unallocated 4 -"]);
    assert_eq!(left(&job(Semantics::Conserving, &[], &nodes), &lines), ["Worker unallocated 6 -"]);
}

#[test]
fn example_5_two_patterns_match_the_unallocated_namespace() {
    let patterns = [("Worker%", 1), ("%unallocated", 2)];
    let nodes = [known("worker", Some("i-1"))];
    let lines = [pod(0, Some("ns"), 1.0)];
    assert_eq!(
        left(&job(Semantics::Koku, &patterns, &nodes), &lines),
        ["Worker unallocated 3 1", "Worker unallocated 3 2"]
    );
    assert_eq!(left(&job(Semantics::Conserving, &patterns, &nodes), &lines), ["Worker unallocated 3 2"]);
}

#[test]
fn example_11_a_role_that_is_not_known_has_no_namespace() {
    let lines = [pod(0, Some("ns"), 1.0)];
    for nodes in
        [vec![], vec![known("Worker", Some("i-1"))], vec![known("worker", None)], vec![known("worker", Some("i-2"))]]
    {
        assert_eq!(left(&job(Semantics::Koku, &[], &nodes), &lines), ["- 3 -"], "{nodes:?}");
    }
    // The largest role as text counts.
    let nodes = [known("master", Some("i-1")), known("infra", Some("i-1"))];
    assert_eq!(left(&job(Semantics::Koku, &[], &nodes), &lines), ["Platform unallocated 3 -"]);
}

#[test]
fn example_12_only_conserving_subtracts_a_null_namespace() {
    let lines = [pod(0, None, 2.0), pod(1, Some("ns"), 1.0)];
    assert_eq!(left(&job(Semantics::Koku, &[], &[]), &lines), ["- 7 -"]);
    assert_eq!(left(&job(Semantics::Conserving, &[], &[]), &lines), ["- 5 -"]);
}

#[test]
fn rows_of_nobodys_usage_do_not_count() {
    let lines = [pod(0, Some("Worker unallocated"), 1.0)];
    for semantics in BOTH {
        assert!(left(&job(semantics, &[], &[]), &lines).is_empty());
    }
}

#[test]
fn a_measure_without_any_value_has_no_difference() {
    let rows = job(Semantics::Koku, &[], &[]).run("unallocated", &[pod(0, Some("ns"), 1.0)], 1).expect("runs");
    let columns = ["pod_request_cpu_core_hours", "pod_usage_memory_gigabyte_hours", "pod_labels", "all_labels"];
    assert_eq!(shown(&rows, &columns), ["- - - {}"]);
}

proptest! {
    #[test]
    fn used_and_unallocated_are_the_capacity(
        hours in prop::collection::vec((0_i64..48, prop::sample::select(vec!["a", "b"]), 0.0_f64..8.0), 1..30),
    ) {
        let lines: Vec<Line> = hours.iter().map(|(hour, namespace, cores)| pod(*hour, Some(namespace), *cores)).collect();
        let job = job(Semantics::Conserving, &[("%", 1), ("a", 2)], &[]);
        let pods = job.run("pod", &lines, 4).expect("runs");
        let rest = job.run("unallocated", &lines, 4).expect("runs");
        let columns = ["usage_start", "pod_usage_cpu_core_hours", "node_capacity_cpu_core_hours"];
        for left in shown(&rest, &columns) {
            let parts: Vec<f64> = left.split(' ').skip(1).map(|part| part.parse().expect("a number")).collect();
            let day = left.split(' ').next().expect("a day");
            let used: f64 = shown(&pods, &columns)
                .iter()
                .filter(|row| row.split(' ').next() == Some(day))
                .map(|row| row.split(' ').nth(1).expect("usage").parse::<f64>().expect("a number"))
                .sum();
            prop_assert!((used + parts[0] - parts[1]).abs() < 1e-9, "{} + {} is not {}", used, parts[0], parts[1]);
        }
    }
}
