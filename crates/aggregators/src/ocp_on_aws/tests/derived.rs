//! Tables that come with the project table (ocp-on-aws § 10).

use super::*;

#[test]
fn derived_tables_are_sums_over_the_project_table() {
    let mut data = billed(0, "i-1", "{}", 1.0);
    data.cells.insert("product_productfamily", Text("Data Transfer"));
    data.cells.insert("lineitem_usagetype", Text("DataTransfer-In-Bytes"));
    let mut database = billed(0, "db-i-1", "{}", 4.0);
    database.cells.insert("lineitem_productcode", Text("AmazonRDS"));
    database.cells.insert("product_instancetype", Text("db.m5"));
    let lines = [
        pod(ALPHA, 0, "n1", "shop", WEB, 1.0),
        pod(ALPHA, 1, "n1", "bank", DB, 1.0),
        volume(ALPHA, 0, "shop", "pv-1", "vol-1", 25.0),
        billed(0, "i-1", "{}", 8.0),
        billed(0, "vol-1", "{}", 0.125),
        data,
        database,
    ];
    let mut job = job(Attribution::Corrected, &[(ALPHA, "alpha")]);
    job.own = settings(Attribution::Corrected, true);
    let finished = job.finished("ocp_on_aws", &lines, 2).expect("runs");
    let outputs = job.aggregator("ocp_on_aws").expect("builds").outputs();
    let tables: Vec<_> =
        outputs.iter().filter_map(|output| output.destination.as_ref()).map(|to| to.table.name).collect();
    let rows = |name: &str, columns: &[&str]| {
        let position = tables.iter().position(|table| *table == name).expect("a table");
        shown(&finished.outputs[position], columns)
    };
    assert_eq!(rows("reporting_ocpaws_cost_summary_p", &["cluster_id", "unblended_cost"]), ["alpha 13.125"]);
    let service = rows("reporting_ocpaws_cost_summary_by_service_p", &["product_code", "unblended_cost"]);
    assert_eq!(service, ["AmazonEC2 8.125", "AmazonEC2 1", "AmazonRDS 4"]);
    let compute = rows("reporting_ocpaws_compute_summary_p", &["instance_type", "resource_id", "unblended_cost"]);
    assert_eq!(compute, ["db.m5 db-i-1 4"]);
    assert_eq!(rows("reporting_ocpaws_database_summary_p", &["product_code", "unit"]), ["AmazonRDS GB-Mo"]);
    assert_eq!(rows("reporting_ocpaws_network_summary_p", &["product_code"]), Vec::<String>::new());
    assert_eq!(rows("reporting_ocpaws_storage_summary_p", &["product_family"]), Vec::<String>::new());

    // What is called unblended cost there is the amortized cost, and namespaces stay apart.
    let all_clouds = "reporting_ocpallcostlineitem_daily_summary_p";
    let columns = ["namespace", "source_type", "product_code", "resource_id", "unblended_cost", "markup_cost"];
    let daily = rows(all_clouds, &columns);
    assert!(daily.contains(&r#"["shop"] AWS AmazonEC2 i-1 1 0.5"#.to_owned()), "{daily:?}");
    let named = finished.findings.iter().filter(|finding| finding.what.contains("cut in the tables of all clouds"));
    assert_eq!(named.count(), 0);

    let columns =
        ["data_source", "namespace", "resource_id", "infrastructure_raw_cost", "infrastructure_data_in_gigabytes"];
    let infrastructure = rows("reporting_ocpusagelineitem_daily_summary", &columns);
    assert!(infrastructure.contains(&"Pod Network unattributed i-1 1.5 1".to_owned()), "{infrastructure:?}");
    assert!(infrastructure.contains(&"Pod shop i-1 1.5 -".to_owned()), "{infrastructure:?}");
    assert_eq!(infrastructure.iter().filter(|row| row.starts_with("Storage")).count(), 2);
}

#[test]
fn a_product_code_that_koku_cannot_store_everywhere_is_cut_and_told() {
    const NAME: &str = "Red Hat OpenShift Service on AWS with hosted control planes";
    let mut sold = billed(0, "i-1", "{}", 8.0);
    sold.cells.insert("bill_billingentity", Text("AWS Marketplace"));
    sold.cells.insert("product_productname", Text(NAME));
    let mut job = job(Attribution::Parity, &[(ALPHA, "alpha")]);
    job.own = settings(Attribution::Parity, true);
    let finished = job.finished("ocp_on_aws", &[pod(ALPHA, 0, "n1", "shop", WEB, 1.0), sold], 2).expect("runs");
    let outputs = job.aggregator("ocp_on_aws").expect("builds").outputs();
    for (output, rows) in outputs.iter().zip(&finished.outputs) {
        let table = output.destination.as_ref().expect("a table").table.name;
        if rows.column_by_name("product_code").is_none() || rows.num_rows() == 0 {
            continue;
        }
        let code = if table.contains("ocpall") { &NAME[..50] } else { NAME };
        assert_eq!(shown(rows, &["product_code"])[0], code, "{table}");
    }
    let named: Vec<_> = finished.findings.iter().filter(|finding| finding.what.contains("of all clouds")).collect();
    assert_eq!((named.len(), named[0].subject.as_str(), named[0].amounts[0].value), (1, NAME, 2.0));
}

#[test]
fn keys_and_values_are_summed_up_by_bill_and_account() {
    let mut tagged = billed(0, "bucket", r#"{"app": "web", "openshift_cluster": "alpha"}"#, 8.0);
    tagged.cells.insert("costcategory", Text(r#"{"Product": "shop", "Owner": "me"}"#));
    let other = billed(0, "i-1", r#"{"app": "api"}"#, 8.0);
    let mut job = job(Attribution::Parity, &[(ALPHA, "alpha")]);
    job.own = settings(Attribution::Parity, true);
    let bill = job.reference.bill.as_mut().expect("a bill");
    bill.enabled_category_keys = Some(vec!["Product".to_owned()]);
    bill.account_aliases =
        vec![tokaki_core::AccountAlias { id: 11, account_id: "1".to_owned(), account_alias: Some("one".to_owned()) }];
    let lines = [pod(ALPHA, 0, "n1", "shop", WEB, 1.0), tagged, other];
    let finished = job.finished("ocp_on_aws", &lines, 2).expect("runs");
    let [.., tags, values, categories] = finished.outputs.as_slice() else { panic!("outputs are missing") };
    let columns = ["key", "values", "cost_entry_bill_id", "report_period_id", "usage_account_id", "namespace", "node"];
    assert_eq!(shown(tags, &columns), [r#"app ["api","web"] 7 1 1 shop n1"#]);
    let columns = ["key", "value", "usage_account_ids", "account_aliases", "cluster_aliases", "namespaces", "nodes"];
    let by_value = shown(values, &columns);
    assert_eq!(by_value[0], r#"app api ["1"] ["one"] ["alpha-alias"] ["shop"] ["n1"]"#);
    assert_eq!(by_value.len(), 2);
    let columns = ["key", "values", "cost_entry_bill_id", "usage_account_id", "account_alias_id"];
    assert_eq!(shown(categories, &columns), [r#"Product ["shop"] 7 1 11"#]);
}
