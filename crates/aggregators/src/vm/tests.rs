use tokaki_core::Semantics;

use crate::testing::Cell::{Number, Text};
use crate::testing::{Job, Line, line, shown};

const GIB: f64 = 1_073_741_824.0;

fn machine(hour: i64, name: Option<&'static str>, node: &'static str, claim: Option<&'static str>, cores: f64) -> Line {
    let mut cells = vec![
        ("node", Text(node)),
        ("vm_cpu_request_cores", Number(cores)),
        ("vm_memory_request_bytes", Number(2.0 * GIB)),
    ];
    cells.extend(name.map(|name| ("vm_name", Text(name))));
    cells.extend(claim.map(|claim| ("vm_persistentvolumeclaim_name", Text(claim))));
    line("vm_usage", hour, &cells)
}

fn pod(hour: i64, pod: &'static str, node: &'static str, machine: &'static str, cores: f64) -> Line {
    line(
        "pod_usage",
        hour,
        &[
            ("namespace", Text("ns")),
            ("node", Text(node)),
            ("pod", Text(pod)),
            ("pod_labels", Text(machine)),
            ("pod_request_cpu_core_seconds", Number(cores * 3600.0)),
            ("pod_request_memory_byte_seconds", Number(GIB * 3600.0)),
        ],
    )
}

fn claim(pod: &'static str, claim: &'static str) -> Line {
    line("storage_usage", 0, &[("namespace", Text("x")), ("pod", Text(pod)), ("persistentvolumeclaim", Text(claim))])
}

fn rows(lines: &[Line]) -> Vec<String> {
    let rows = Job::new(Semantics::Koku, &[], &[]).run("vm", lines, 2).expect("runs");
    shown(&rows, &["vm_name", "node", "pvc_name", "cpu_request", "mem_request"])
}

#[test]
fn machines_of_the_latest_instant_with_every_claim_of_the_month() {
    let lines = [
        machine(0, Some("a"), "n1", Some("data"), 9.0),
        machine(5, Some("a"), "n2", Some("root"), 1.0),
        machine(5, Some("a"), "n2", None, 2.0),
        machine(4, Some("gone"), "n1", Some("x"), 1.0),
        machine(5, None, "n1", Some("y"), 1.0),
    ];
    assert_eq!(rows(&lines), ["a n2 - 48 48", "a n2 data 48 48", "a n2 root 48 48"]);
}

#[test]
fn without_machine_reports_the_pods_of_the_second_latest_day_count() {
    let label = r#"{"vm_kubevirt_io_name":"a","app":"1"}"#;
    let lines = [
        pod(0, "launcher-1", "n1", label, 2.0),
        pod(0, "launcher-2", "n2", label, 3.0),
        pod(24, "launcher-1", "n1", label, 50.0),
        pod(0, "web", "n1", "{}", 1.0),
        claim("launcher-1", "data"),
        claim("launcher-2", ""),
        claim("web", "other"),
    ];
    assert_eq!(rows(&lines), ["a n2 data 3 1"]);
    assert_eq!(rows(&lines[2..3]), ["a n1 - 50 1"]);
}

#[test]
fn without_machines_there_is_nothing_to_list() {
    assert!(rows(&[pod(0, "web", "n1", "{}", 1.0)]).is_empty());
    assert!(rows(&[]).is_empty());
}
