use std::sync::Arc;

use tokaki_core::{Bill, Cluster, Distribution, ReferenceData, Semantics};

use crate::testing::Cell::Text;
use crate::testing::{Job, Line, line, shown};

const CLUSTER: &str = "aaaaaaaa-0000-0000-0000-000000000000";

#[test]
fn pairs_are_found_whatever_their_case_and_told_in_the_spelling_of_the_bill() {
    let mut job = Job::new(Semantics::Koku, &["app"], &[]);
    let reference = ReferenceData { enabled_tag_keys: vec!["app".into(), "tier".into()], ..job.reference.clone() };
    let cluster = Cluster {
        source_uuid: CLUSTER.to_owned(),
        mapped: true,
        distribution: Distribution::Cpu,
        reference: Arc::new(reference),
    };
    job.reference.bill =
        Some(Bill { enabled_tag_keys: vec!["app".into()], clusters: vec![cluster], ..Bill::default() });
    let pod = |labels| {
        let cells = [("namespace", Text("shop")), ("node", Text("n1")), ("pod_labels", Text(labels))];
        Line { of: Some(CLUSTER), ..line("pod_usage", 0, &cells) }
    };
    let tags = |tags| line("line_items", 0, &[("resourcetags", Text(tags))]);
    let lines = [
        pod(r#"{"app":"Web","tier":"front"}"#),
        // The key `app` does not occur in it, so nothing of it counts.
        pod(r#"{"tier":"back"}"#),
        tags(r#"{"app": "WEB", "TIER": "front"}"#),
        tags(r#"{"tier": "front"}"#),
        tags(r#"{"app": "x", "tier": "back"}"#),
    ];
    for piece in [1, 100] {
        let pairs = job.run("aws_tags", &lines, piece).expect("runs");
        assert_eq!(shown(&pairs, &["cluster", "key", "value"]), ["0 TIER front", "0 app WEB"]);
    }
}
