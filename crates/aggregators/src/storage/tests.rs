//! The worked examples of spec § 14 that concern volumes, and the laws. Amounts are GiB-months of October.

use proptest::prelude::*;
use tokaki_core::Semantics;

use crate::testing::Cell::{Number, Text};
use crate::testing::{Cell, Job, Line, line, shown};

const BOTH: [Semantics; 2] = [Semantics::Koku, Semantics::Conserving];
/// Byte-seconds that are half a GiB-month in a month of 31 days: 372 GiB for an hour.
const HALF_A_MONTH: f64 = 372.0 * 1_073_741_824.0 * 3600.0;

/// A pod at an hour on a node, with its machine id.
fn pod(hour: i64, pod: &'static str, node: &'static str, resource_id: &'static str) -> Line {
    line(
        "pod_usage",
        hour,
        &[
            ("namespace", Text("ns")),
            ("node", Text(node)),
            ("pod", Text(pod)),
            ("resource_id", Text(resource_id)),
            ("pod_labels", Text("{}")),
        ],
    )
}

/// A claim at an hour, mounted by a pod: half a GiB-month of capacity and request.
fn claim(hour: i64, pod: &'static str, volume: &'static str) -> Line {
    line(
        "storage_usage",
        hour,
        &[
            ("namespace", Text("ns")),
            ("pod", Text(pod)),
            ("persistentvolumeclaim", Text("data")),
            ("persistentvolume", Text(volume)),
            ("storageclass", Text("gp3")),
            ("persistentvolumeclaim_capacity_bytes", Number(372.0 * 1_073_741_824.0)),
            ("persistentvolumeclaim_capacity_byte_seconds", Number(HALF_A_MONTH)),
            ("volume_request_storage_byte_seconds", Number(HALF_A_MONTH)),
            ("persistentvolumeclaim_usage_byte_seconds", Number(HALF_A_MONTH / 2.0)),
        ],
    )
}

fn with(mut line: Line, column: &'static str, cell: Cell) -> Line {
    line.cells.insert(column, cell);
    line
}

const AMOUNTS: [&str; 4] = [
    "node",
    "persistentvolume",
    "persistentvolumeclaim_capacity_gigabyte_months",
    "volume_request_storage_gigabyte_months",
];

fn amounts(semantics: Semantics, lines: &[Line]) -> Vec<String> {
    shown(&Job::new(semantics, &["k"], &[]).run("storage", lines, 2).expect("runs"), &AMOUNTS)
}

#[test]
fn example_6_a_pod_moves_to_another_node() {
    let lines = [pod(0, "p", "n1", "i-1"), pod(1, "p", "n2", "i-2"), claim(0, "p", "pv"), claim(1, "p", "pv")];
    assert_eq!(amounts(Semantics::Koku, &lines), ["n1 pv 1 0.5", "n2 pv 1 0.5"]);
    assert_eq!(amounts(Semantics::Conserving, &lines), ["n1 pv 0.5 0.5", "n2 pv 0.5 0.5"]);
}

#[test]
fn example_7_a_second_pod_mounts_it_for_one_hour() {
    let lines = [
        pod(0, "p", "n1", "i-1"),
        pod(1, "p", "n1", "i-1"),
        pod(0, "q", "n2", "i-2"),
        claim(0, "p", "pv"),
        claim(1, "p", "pv"),
        claim(0, "q", "pv"),
    ];
    assert_eq!(amounts(Semantics::Koku, &lines), ["n1 pv 1 0.5", "n2 pv 0.5 0.25"]);
    assert_eq!(amounts(Semantics::Conserving, &lines), ["n1 pv 1 0.75", "n2 pv 0.5 0.25"]);
}

#[test]
fn example_8_a_claim_is_bound_again() {
    let lines = [pod(0, "p", "n1", "i-1"), pod(1, "p", "n1", "i-1"), claim(0, "p", "old"), claim(1, "p", "new")];
    assert_eq!(amounts(Semantics::Koku, &lines), ["n1 new 1 1", "n1 old 1 1"]);
    assert_eq!(amounts(Semantics::Conserving, &lines), ["n1 new 0.5 0.5", "n1 old 0.5 0.5"]);
}

#[test]
fn example_9_a_pod_changes_labels_and_machine() {
    let relabelled = with(pod(1, "p", "n1", "i-2"), "pod_labels", Text(r#"{"k":"new"}"#));
    let lines = [pod(0, "p", "n1", "i-1"), relabelled, claim(0, "p", "pv"), claim(1, "p", "pv")];
    let rows = |semantics| {
        let rows = Job::new(semantics, &["k"], &[]).run("storage", &lines, 3).expect("runs");
        shown(&rows, &["resource_id", "volume_request_storage_gigabyte_months"])
    };
    assert_eq!(rows(Semantics::Koku), ["i-1 1", "i-2 1"]);
    assert_eq!(rows(Semantics::Conserving), ["i-2 1"]);
}

#[test]
fn a_derived_day_has_the_largest_machine_id_of_its_hours() {
    let lines = [pod(0, "p", "n1", "i-1"), pod(1, "p", "n1", "i-2"), claim(0, "p", "pv")];
    let rows = Job::new(Semantics::Koku, &[], &[]).run("storage", &lines, 1).expect("runs");
    assert_eq!(shown(&rows, &["resource_id", "volume_request_storage_gigabyte_months"]), ["i-2 0.5"]);
}

#[test]
fn example_13_nothing_mounts_the_claim() {
    let lines = [pod(0, "p", "n1", "i-1"), claim(0, "", "pv"), claim(1, "", "pv")];
    for semantics in BOTH {
        assert_eq!(amounts(semantics, &lines), ["- pv 1 1"]);
    }
}

#[test]
fn example_14_the_claim_label_wins() {
    let item = with(claim(0, "p", "pv"), "persistentvolume_labels", Text(r#"{"k":"volume"}"#));
    let both = with(item.clone(), "persistentvolumeclaim_labels", Text(r#"{"k":"claim"}"#));
    let labels_of = |semantics, item: &Line| {
        let node = line("node_labels", 0, &[("node", Text("n1")), ("node_labels", Text(r#"{"k":"node"}"#))]);
        let lines = [pod(0, "p", "n1", "i-1"), node, item.clone()];
        let rows = Job::new(semantics, &["k"], &[]).run("storage", &lines, 1).expect("runs");
        shown(&rows, &["volume_labels"])
    };
    for semantics in BOTH {
        assert_eq!(labels_of(semantics, &both), [r#"{"k":"claim"}"#]);
        assert_eq!(labels_of(semantics, &item), [r#"{"k":"volume"}"#]);
        assert_eq!(labels_of(semantics, &claim(0, "p", "pv")), [r#"{"k":"node"}"#]);
    }
}

#[test]
fn the_volume_handle_separates_rows_that_look_alike() {
    let lines = [
        with(claim(0, "", "pv"), "csi_volume_handle", Text("a")),
        with(claim(0, "", "pv"), "csi_volume_handle", Text("b")),
    ];
    for semantics in BOTH {
        let rows = Job::new(semantics, &[], &[]).run("storage", &lines, 1).expect("runs");
        assert_eq!(shown(&rows, &AMOUNTS), ["- pv 0.5 0.5", "- pv 0.5 0.5"]);
        let ids = shown(&rows, &["uuid"]);
        assert_ne!(ids[0], ids[1]);
    }
}

#[test]
fn only_the_own_node_among_the_candidates_is_chosen() {
    let at = |own: &'static str| {
        let lines = [pod(0, "p", "n1", "i-1"), pod(0, "p", "n2", "i-2"), with(claim(0, "p", "pv"), "node", Text(own))];
        amounts(Semantics::Conserving, &lines)
    };
    assert_eq!(at("n1"), ["n1 pv 0.5 0.5"]);
    assert_eq!(at("n3"), ["n2 pv 0.5 0.5"]);
    assert_eq!(at(""), ["n2 pv 0.5 0.5"]);
}

#[test]
fn koku_reports_the_places_that_it_counts_again() {
    let lines = [pod(0, "p", "n1", "i-1"), pod(1, "p", "n2", "i-2"), claim(0, "p", "pv"), claim(1, "p", "pv")];
    let found = |semantics| Job::new(semantics, &[], &[]).finished("storage", &lines, 2).expect("runs").findings;
    let findings = found(Semantics::Koku);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].subject, "2025-10-01 claim data of namespace ns");
    let amounts: Vec<f64> = findings[0].amounts.iter().map(|amount| amount.value).collect();
    // Capacity is 1.0 on either node instead of 0.5 and 0.5. Request and usage are shared by the two nodes, so they come
    // to what they are.
    assert_eq!(amounts, [1.0]);

    let bound_again = [pod(0, "p", "n1", "i-1"), claim(0, "p", "old"), claim(1, "p", "new")];
    let rebound = Job::new(Semantics::Koku, &[], &[]).finished("storage", &bound_again, 2).expect("runs").findings;
    let amounts: Vec<f64> = rebound[0].amounts.iter().map(|amount| amount.value).collect();
    assert_eq!(amounts, [1.0, 1.0, 0.5]);
    assert_eq!(found(Semantics::Conserving), []);
}

fn any_line() -> impl Strategy<Value = Line> {
    let text = |choices: &'static [&'static str]| prop::sample::select(choices);
    let pods = (0_i64..30, text(&["p", "q", ""]), text(&["n1", "n2", ""]), text(&["i-1", "i-2"]))
        .prop_map(|(hour, name, node, resource_id)| pod(hour, name, node, resource_id));
    let claims =
        (0_i64..30, text(&["p", "q", "", "none"]), text(&["pv", "old"]), text(&["n1", "n2", ""]), 0.0_f64..1e15)
            .prop_map(|(hour, name, volume, own, amount)| {
                let item = with(claim(hour, name, volume), "node", Text(own));
                with(item, "persistentvolumeclaim_capacity_byte_seconds", Number(amount))
            });
    prop_oneof![pods, claims]
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
        let job = Job::new(semantics, &["k"], &[("n%", 1)]);
        let whole = job.run("storage", &lines, usize::MAX).expect("runs");
        let backwards: Vec<Line> = lines.iter().rev().cloned().collect();
        prop_assert_eq!(&whole, &job.run("storage", &backwards, piece).expect("runs"));
    }

    #[test]
    fn koku_counts_every_capacity_once_and_reports_the_rest(lines in prop::collection::vec(any_line(), 0..40)) {
        let job = Job::new(Semantics::Koku, &[], &[("n%", 1), ("ns", 2)]);
        let finished = job.finished("storage", &lines, 5).expect("runs");
        let column = "persistentvolumeclaim_capacity_gigabyte_months";
        let counted: f64 = shown(&finished.outputs[0], &[column])
            .iter()
            .filter_map(|months| months.parse::<f64>().ok())
            .sum();
        let amounts = finished.findings.iter().flat_map(|finding| &finding.amounts);
        let again: f64 = amounts.filter(|amount| amount.measure == column).map(|amount| amount.value).sum();
        let expected = capacity_of(&lines);
        prop_assert!((counted - again - expected).abs() <= 1e-9 * counted.max(1e-9), "{} - {} is not {}", counted, again, expected);
    }

    #[test]
    fn conserving_divides_the_request_of_an_hour_by_the_nodes_that_mount_the_volume(
        items in prop::collection::vec((0_i64..24, prop::sample::select(vec!["p", "q"]), 1_u32..9), 1..30),
    ) {
        // p runs on n1 and q on n2 all day, so the nodes of an hour are the pods that mount the volume in it.
        let mut lines: Vec<Line> = (0..24).flat_map(|hour| [pod(hour, "p", "n1", "i-1"), pod(hour, "q", "n2", "i-2")]).collect();
        let mut expected = 0.0;
        for hour in 0..24 {
            let of_hour: Vec<_> = items.iter().filter(|(at, _, _)| *at == hour).collect();
            let nodes = ["p", "q"].iter().filter(|name| of_hour.iter().any(|(_, mounting, _)| mounting == *name)).count();
            let halves: u32 = of_hour.iter().map(|(_, _, halves)| *halves).sum();
            expected += f64::from(halves) / 2.0 / nodes.max(1) as f64;
            lines.extend(of_hour.iter().map(|(hour, name, halves)| {
                let request = Number(HALF_A_MONTH * f64::from(*halves));
                with(claim(*hour, name, "pv"), "volume_request_storage_byte_seconds", request)
            }));
        }
        let rows = Job::new(Semantics::Conserving, &[], &[]).run("storage", &lines, 7).expect("runs");
        let counted: f64 = shown(&rows, &["volume_request_storage_gigabyte_months"])
            .iter()
            .filter_map(|months| months.parse::<f64>().ok())
            .sum();
        prop_assert!((counted - expected).abs() < 1e-9, "{} is not {}", counted, expected);
    }

    #[test]
    fn conserving_keeps_the_sum_of_capacities(lines in prop::collection::vec(any_line(), 0..40)) {
        let rows = Job::new(Semantics::Conserving, &[], &[("n%", 1), ("ns", 2)]).run("storage", &lines, 5).expect("runs");
        let total: f64 = shown(&rows, &["persistentvolumeclaim_capacity_gigabyte_months"])
            .iter()
            .filter_map(|months| months.parse::<f64>().ok())
            .sum();
        let expected = capacity_of(&lines);
        prop_assert!((total - expected).abs() <= 1e-12 * expected.abs(), "{} became {}", expected, total);
    }
}

/// GiB-months of the line items.
fn capacity_of(lines: &[Line]) -> f64 {
    lines
        .iter()
        .filter_map(|line| match line.cells.get("persistentvolumeclaim_capacity_byte_seconds") {
            Some(Number(amount)) => Some(amount / (86_400.0 * 31.0) / 1_073_741_824.0),
            _ => None,
        })
        .sum()
}
