use proptest::prelude::*;
use tokaki_core::Semantics;

use crate::testing::Cell::{Number, Text};
use crate::testing::{Job, Line, line, shown};

fn gpu(hour: i64, namespace: &'static str, uuid: &'static str, profile: Option<&'static str>) -> Line {
    let mut cells = vec![
        ("namespace", Text(namespace)),
        ("node", Text("n1")),
        ("gpu_vendor_name", Text("nvidia")),
        ("gpu_model_name", Text("Tesla T4")),
        ("gpu_uuid", Text(uuid)),
        ("gpu_memory_capacity_mib", Number(15_360.0)),
        ("mig_strategy", Text(if hour % 2 == 0 { "mixed" } else { "single" })),
    ];
    cells.extend(profile.map(|profile| ("mig_profile", Text(profile))));
    line("gpu_usage", hour, &cells)
}

fn rows(lines: &[Line], columns: &[&str]) -> Vec<String> {
    shown(&Job::new(Semantics::Koku, &[], &[("a%", 1), ("%", 2)]).run("gpu", lines, 2).expect("runs"), columns)
}

#[test]
fn a_gpu_is_counted_once_per_day_and_namespace() {
    let lines = [gpu(0, "a", "g1", None), gpu(1, "a", "g1", None), gpu(2, "b", "g1", None), gpu(24, "a", "g1", None)];
    let columns = ["namespace", "gpu_count", "memory_capacity_gb", "gpu_mode", "mig_strategy", "cost_category_id"];
    assert_eq!(
        rows(&lines, &columns),
        [
            "a 1 16.10612736 dedicated single 2",
            "b 1 16.10612736 dedicated mixed 2",
            "a 1 16.10612736 dedicated mixed 2",
        ]
    );
}

#[test]
fn a_null_profile_and_an_empty_one_are_two_groups_of_undivided_gpus() {
    let lines = [gpu(0, "a", "g1", None), gpu(0, "a", "g1", Some("")), gpu(0, "a", "g1", Some("1g.5gb"))];
    assert_eq!(rows(&lines, &["mig_profile", "gpu_mode"]), ["- dedicated", "- dedicated", "1g.5gb MIG"]);
}

#[test]
fn without_any_id_nothing_is_counted() {
    let mut line = gpu(0, "a", "g1", None);
    line.cells.remove("gpu_uuid");
    assert_eq!(rows(&[line], &["gpu_uuid", "gpu_count"]), ["- 0"]);
}

proptest! {
    #[test]
    fn pieces_order_and_encoding_never_change_a_bit(
        items in prop::collection::vec(
            (0_i64..48, prop::sample::select(vec!["a", "b"]), prop::sample::select(vec!["g1", "g2"])), 0..30),
        piece in 1_usize..9,
    ) {
        let lines: Vec<Line> = items.iter().map(|(hour, namespace, uuid)| gpu(*hour, namespace, uuid, None)).collect();
        let job = Job::new(Semantics::Koku, &[], &[]);
        let backwards: Vec<Line> = lines.iter().rev().cloned().collect();
        prop_assert_eq!(job.run("gpu", &lines, usize::MAX).expect("runs"), job.run("gpu", &backwards, piece).expect("runs"));
    }
}
