use super::*;

const JSON: &str = r#"{
  "org": "org1", "start_date": "2025-10-01",
  "report_period_id": 7, "cluster_id": "c", "cluster_alias": "C", "enabled_tag_keys": ["app"],
  "cost_categories": [{"namespace_pattern": "kube-%", "cost_category_id": 1}],
  "nodes": [{"node": "n1", "resource_id": null, "node_role": "worker"}]
}"#;

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
    let (json, toml) = (parse(JSON, false).expect("json"), parse(toml, true).expect("toml"));
    assert_eq!(json.cost_categories, toml.cost_categories);
    assert_eq!(json.nodes, toml.nodes);
    assert_eq!(json.report_period_id, toml.report_period_id);
}

#[test]
fn another_sources_reference_is_refused() {
    let day = "2025-10-01".parse().expect("a date");
    let days = tokaki_core::DateRange::new(day, day).expect("one day");
    let content = parse(JSON, false).expect("json");
    let scope = |org: &str| Scope { org: org.to_owned(), source_uuid: "s".to_owned(), days };
    assert!(content.check_source(&scope("org1")).is_ok());
    let error = content.check_source(&scope("org2")).expect_err("another org");
    assert_eq!(error.message(), "the file is about org org1, and the run about org2");
}

#[test]
fn a_misspelt_field_is_noticed_because_the_right_one_is_missing() {
    let message = parse(&JSON.replace("enabled_tag_keys", "enabled_tag_key"), false).expect_err("refused");
    assert!(message.contains("missing field `enabled_tag_keys`"), "{message}");
}
