//! Effects of traps that are told (ocp-on-aws § 12).

use super::*;

#[test]
fn trap_6_volumes_without_a_name_are_told_with_what_they_cost() {
    let lines = |name: &'static str| {
        let pod = pod(ALPHA, 0, "n1", "shop", WEB, 1.0);
        [pod, volume(ALPHA, 0, "shop", name, "vol-1", 25.0), billed(0, "vol-1", "{}", 0.125)]
    };
    let told = |attribution: Attribution, lines: &[Line]| {
        let finished = job(attribution, &[(ALPHA, "alpha")]).finished("ocp_on_aws", lines, 2).expect("runs");
        amount(
            &finished.findings,
            "trap 6: volumes without a name, whose handle finds no row or whose claim gets no part",
        )
    };
    assert_eq!(told(Attribution::Parity, &lines("")), 0.125);
    assert_eq!(told(Attribution::Parity, &lines("pv-1")), 0.0);
    assert_eq!(told(Attribution::Corrected, &lines("")), 0.0);

    // Beside one with a name the handle is found, and a fifth of the disk, which has 125 GB, is nobody's.
    let mut nameless = volume(ALPHA, 0, "bank", "pv-2", "vol-1", 25.0);
    nameless.cells.remove("persistentvolume");
    let [pod, named, billed] = lines("pv-1");
    let both = [pod, named, nameless, billed];
    assert!((told(Attribution::Parity, &both) - 0.025).abs() < 1e-12);
    let finished = job(Attribution::Parity, &[(ALPHA, "alpha")]).finished("ocp_on_aws", &both, 2).expect("runs");
    let disks = "traps 4 and 5: parts of disks come to more (or less) than the disk";
    assert_eq!(amount(&finished.findings, disks), 0.0);
}

#[test]
fn trap_12_what_loses_the_name_of_a_virtual_machine_is_told() {
    const VM: &str = r#"{"vm_kubevirt_io_name": "vm1"}"#;
    let lines = [pod(ALPHA, 0, "n1", "shop", VM, 1.0), billed(0, "i-1", "{}", 8.0)];
    let told = |keys: &[&str], attribution: Attribution| {
        let mut job = job(attribution, &[(ALPHA, "alpha")]);
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        job.reference.enabled_tag_keys.clone_from(&keys);
        let bill = job.reference.bill.as_mut().expect("a bill");
        bill.enabled_tag_keys.clone_from(&keys);
        let finished = job.finished("ocp_on_aws", &lines, 2).expect("runs");
        amount(&finished.findings, "trap 12: parts that lost the name of a virtual machine, since no key is enabled")
    };
    // A quarter of the machine is the pod's.
    assert_eq!(told(&[], Attribution::Parity), 2.0);
    assert_eq!(told(&["app"], Attribution::Parity), 0.0);
    assert_eq!(told(&[], Attribution::Corrected), 0.0);
}

#[test]
fn trap_21_rows_that_are_tied_by_other_keys_only_are_told() {
    const LABELS: &str = r#"{"app": "web", "tier": "front"}"#;
    let told = |tags: &'static str, attribution: Attribution| {
        let lines = [pod(ALPHA, 0, "n1", "shop", LABELS, 1.0), billed(0, "bucket", tags, 8.0)];
        let mut job = job(attribution, &[(ALPHA, "alpha")]);
        // Labels of the cluster have both keys, and the bill's tags one of them.
        let bill = job.reference.bill.as_mut().expect("a bill");
        let mut reference = bill.clusters[0].reference.as_ref().clone();
        reference.enabled_tag_keys = vec!["app".to_owned(), "tier".to_owned()];
        bill.clusters[0].reference = Arc::new(reference);
        job.reference.enabled_tag_keys = vec!["app".to_owned(), "tier".to_owned()];
        let finished = job.finished("ocp_on_aws", &lines, 2).expect("runs");
        amount(&finished.findings, "trap 21: tied to a cluster only by tags whose keys are not enabled")
    };
    // The text of the tags has an enabled key, in a value.
    assert_eq!(told(r#"{"tier": "front", "note": "app"}"#, Attribution::Parity), 8.0);
    assert_eq!(told(r#"{"tier": "front", "app": "web"}"#, Attribution::Parity), 0.0);
    assert_eq!(told(r#"{"tier": "front", "note": "app"}"#, Attribution::Corrected), 0.0);
}
