//! The laws (ocp-on-aws § 14).

use proptest::prelude::*;

use super::*;

/// Lines of two clusters on two days whose volumes and machines are told apart by their ids.
fn any_lines() -> impl Strategy<Value = Vec<Line>> {
    let hour = prop::sample::select(&[0_i64, 1, 24, 30][..]);
    let namespace = prop::sample::select(&["shop", "bank"][..]);
    let app = prop::sample::select(&[WEB, DB, "{}"][..]);
    let pods = (hour.clone(), prop::bool::ANY, namespace.clone(), app, 0.0..3.0_f64).prop_map(
        |(hour, of_alpha, namespace, app, cores)| {
            let (of, node) = if of_alpha { (ALPHA, "n1") } else { (BETA, "n9") };
            pod(of, hour, node, namespace, app, cores)
        },
    );
    let volumes =
        (hour.clone(), prop::bool::ANY, namespace, 1.0..150.0_f64).prop_map(|(hour, of_alpha, namespace, size)| {
            let (of, name, handle) = if of_alpha { (ALPHA, "pv-1", "vol-1") } else { (BETA, "pv-shared", "") };
            volume(of, hour, namespace, name, handle, size)
        });
    let id = prop::sample::select(&["x/i-1", "i-9", "vol-1", "a-pv-shared", "bucket", ""][..]);
    let tags = prop::sample::select(
        &[
            "{}",
            r#"{"app": "web"}"#,
            r#"{"app": "DB"}"#,
            r#"{"openshift_cluster": "beta"}"#,
            r#"{"openshift_node": "n1"}"#,
        ][..],
    );
    let bill = (hour, id, tags, 0.0..10.0_f64).prop_map(|(hour, id, tags, cost)| billed(hour, id, tags, cost));
    (prop::collection::vec(pods, 1..6), prop::collection::vec(volumes, 0..4), prop::collection::vec(bill, 1..8))
        .prop_map(|(pods, volumes, bill)| pods.into_iter().chain(volumes).chain(bill).collect())
}

const ALL: [&str; 12] = [
    "uuid",
    "usage_start",
    "data_source",
    "namespace",
    "node",
    "persistentvolume",
    "resource_id",
    "tags",
    "usage_amount",
    "unblended_cost",
    "markup_cost",
    "calculated_amortized_cost",
];

fn all_rows(job: &Job, lines: &[Line], piece: usize) -> Vec<Vec<String>> {
    let finished = job.finished("ocp_on_aws", lines, piece).expect("runs");
    finished.outputs.iter().map(|rows| shown(rows, &ALL)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn corrected_neither_makes_nor_loses_cost(lines in any_lines()) {
        let finished = two_clusters(Attribution::Corrected).finished("ocp_on_aws", &lines, 4).expect("runs");
        let amount = |what: &str| amount(&finished.findings, what);
        let with_parts = amount("bill: of rows with parts");
        let all = amount("bill: out of scope") + amount("bill: lost") + with_parts;
        prop_assert!((amount("bill") - all).abs() < 1e-9);
        let parts: f64 = ["storage", "compute", "tag", "network"].iter().map(|class| amount(&format!("bill: parts by {class}"))).sum();
        prop_assert!((parts - with_parts).abs() < 1e-9, "{parts} of {with_parts}");
    }

    #[test]
    fn corrected_days_do_not_depend_on_each_other(lines in any_lines()) {
        let job = two_clusters(Attribution::Corrected);
        let whole = all_rows(&job, &lines, 4);
        let mut split = vec![Vec::new(); 2];
        for day in [1, 2] {
            let job = Job { days: [day, day], ..job.clone() };
            let of_day: Vec<Line> = lines.iter().filter(|line| line.hour / 24 + 1 == i64::from(day)).cloned().collect();
            for (cluster, rows) in split.iter_mut().zip(all_rows(&job, &of_day, 4)) {
                cluster.extend(rows);
            }
        }
        prop_assert_eq!(whole, split);
    }

    #[test]
    fn pieces_and_order_change_no_bit(mut lines in any_lines(), piece in 1_usize..5) {
        for attribution in BOTH {
            let job = two_clusters(attribution);
            let whole = all_rows(&job, &lines, 100);
            lines.reverse();
            prop_assert_eq!(whole, all_rows(&job, &lines, piece));
        }
    }
}
