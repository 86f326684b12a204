use std::sync::Arc;

use tokaki_core::{Bill, Cluster, Distribution, ReferenceData, Semantics};

use crate::testing::Cell::Text;
use crate::testing::{Job, Line, line, shown};

const CLUSTERS: [&str; 4] = [
    "aaaaaaaa-0000-0000-0000-000000000000",
    "bbbbbbbb-0000-0000-0000-000000000000",
    "cccccccc-0000-0000-0000-000000000000",
    "dddddddd-0000-0000-0000-000000000000",
];

#[test]
fn a_cluster_is_found_by_the_id_of_one_of_its_machines_within_an_id_of_the_bill() {
    let mut job = Job::new(Semantics::Koku, &[], &[]);
    let cluster = |(position, uuid): (usize, &&str)| Cluster {
        source_uuid: (*uuid).to_owned(),
        // The first is known to run there, and need not be looked for.
        mapped: position == 0,
        distribution: Distribution::Cpu,
        reference: Arc::new(ReferenceData::default()),
    };
    job.reference.bill = Some(Bill { clusters: CLUSTERS.iter().enumerate().map(cluster).collect(), ..Bill::default() });
    let pod = |of: &'static str, machine| {
        let cells = [("namespace", Text("shop")), ("node", Text("n1")), ("resource_id", Text(machine))];
        Line { of: Some(of), ..line("pod_usage", 30, &cells) }
    };
    let billed = |id| line("line_items", 0, &[("lineitem_resourceid", Text(id))]);
    let lines = [
        pod(CLUSTERS[0], "i-1"),
        pod(CLUSTERS[1], "i-2"),
        pod(CLUSTERS[2], ""),
        pod(CLUSTERS[3], "i-4"),
        billed("i-1"),
        // Contained is enough, and on another day too.
        billed("arn:i-2/volume"),
        billed(""),
    ];
    for piece in [1, 100] {
        let pairs = job.run("aws_pairs", &lines, piece).expect("runs");
        assert_eq!(shown(&pairs, &["cluster"]), ["1"]);
    }
}
