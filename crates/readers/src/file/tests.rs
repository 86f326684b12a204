use super::*;

const JSON: &str = r#"{
  "org": "org1", "start_date": "2025-10-01",
  "report_period_id": 7, "cluster_id": "c", "cluster_alias": "C", "enabled_tag_keys": ["app"],
  "cost_categories": [{"namespace_pattern": "kube-%", "cost_category_id": 1}],
  "nodes": [{"node": "n1", "resource_id": null, "node_role": "worker"}]
}"#;

fn scope(org: &str) -> Scope {
    let day = "2025-10-01".parse().expect("a date");
    let days = tokaki_core::DateRange::new(day, day).expect("one day");
    Scope { org: org.to_owned(), source_uuid: "s".to_owned(), days }
}

#[test]
fn json_and_toml_say_the_same() {
    let toml = r#"
        report_period_id = 7
        cluster_id = "c"
        cluster_alias = "C"
        enabled_tag_keys = ["app"]
        cost_categories = [{ namespace_pattern = "kube-%", cost_category_id = 1 }]
        nodes = [{ node = "n1", node_role = "worker" }]
    "#;
    assert_eq!(read(JSON, false, &scope("org1")).expect("json"), read(toml, true, &scope("org1")).expect("toml"));
}

#[test]
fn another_sources_reference_is_refused() {
    assert!(read(JSON, false, &scope("org1")).is_ok());
    let error = read(JSON, false, &scope("org2")).expect_err("another org");
    assert_eq!(error.message(), "the file is about org org1, and the run about org2");
}

#[test]
fn a_misspelt_field_is_noticed_because_the_right_one_is_missing() {
    let error = read(&JSON.replace("enabled_tag_keys", "enabled_tag_key"), false, &scope("org1")).expect_err("refused");
    assert!(error.message().contains("missing field `enabled_tag_keys`"), "{error}");
}

#[test]
fn a_file_with_clusters_is_about_a_bill_and_tells_of_each_cluster_what_a_run_of_its_own_needs() {
    let bill = r#"{
      "org": "org1", "enabled_tag_keys": {"AWS": ["env"], "OCP": ["app"]}, "cost_categories": [],
      "aws": {"source_uuid": "S", "cost_entry_bill_id": 7, "markup_percent": "12.5", "account_aliases": []},
      "clusters": [{"source_uuid": "C1", "cluster_id": "alpha", "cluster_alias": "Alpha", "report_period_id": 3,
                    "distribution": "anything but cpu", "nodes": []}]
    }"#;
    let bill = read(bill, false, &scope("org1")).expect("a bill").bill.expect("a bill");
    assert_eq!((bill.id, bill.markup_percent.as_str()), (7, "12.5"));
    assert_eq!(bill.enabled_tag_keys, ["env"]);
    let cluster = bill.cluster("c1").expect("the cluster");
    assert_eq!(cluster.distribution, tokaki_core::Distribution::Memory);
    assert_eq!(cluster.reference.enabled_tag_keys, ["app"]);
    assert_eq!(cluster.reference.report_period_id, 3);
}
