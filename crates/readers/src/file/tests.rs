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
fn a_misspelt_field_is_noticed_because_the_right_one_is_missing() {
    let message = parse(&JSON.replace("enabled_tag_keys", "enabled_tag_key"), false).expect_err("refused");
    assert!(message.contains("missing field `enabled_tag_keys`"), "{message}");
}
