use std::fs;

use proptest::prelude::*;
use tokaki_core::testkit::catalogs::check;
use tokaki_core::{DateRange, Grain, OPENSHIFT, Section};

use super::*;

fn catalog(root: &std::path::Path, tables: serde_json::Value) -> Result<Arc<dyn Catalog>> {
    let section =
        |path: &str, settings: serde_json::Value| Section::new(path, settings.as_object().cloned().unwrap_or_default());
    build(&StorePart {
        own: section("catalog", serde_json::json!({ "tables": tables })),
        store: section("store", serde_json::json!({ "url": root })),
    })
}

#[tokio::test]
async fn a_folder_is_read_with_all_below_it_and_a_glob_as_a_shell_would() {
    let root = tempfile::tempdir().expect("a folder");
    for path in ["pods/a.parquet", "pods/deep/b.parquet", "labels/x-1.parquet", "labels/y-1.parquet"] {
        let file = root.path().join(path);
        fs::create_dir_all(file.parent().expect("has a folder")).expect("created");
        fs::write(file, "").expect("written");
    }
    let catalog = catalog(
        root.path(),
        serde_json::json!({
            "openshift_pod_usage_line_items": "pods",
            "openshift_pod_usage_line_items_daily": "pods/*.parquet",
            "openshift_node_labels_line_items": "labels/x-*.parquet",
        }),
    )
    .expect("builds");
    let day = "2025-10-01".parse().expect("a date");
    let scope = Scope { org: "o".into(), source_uuid: "s".into(), days: DateRange::new(day, day).expect("one day") };
    let paths = async |report_type, grain| -> Vec<String> {
        let table = TableName { provider: OPENSHIFT, report_type, grain };
        let files = check(catalog.as_ref(), &table, &scope).await.expect("lists").files;
        files.into_iter().map(|file| file.path).collect()
    };
    assert_eq!(paths("pod_usage", Grain::Hourly).await, ["pods/a.parquet", "pods/deep/b.parquet"]);
    assert_eq!(paths("pod_usage", Grain::Daily).await, ["pods/a.parquet"]);
    assert_eq!(paths("node_labels", Grain::Hourly).await, ["labels/x-1.parquet"]);
    assert!(paths("namespace_labels", Grain::Hourly).await.is_empty());
}

#[test]
fn a_table_that_does_not_exist_is_named_with_its_key() {
    let root = tempfile::tempdir().expect("a folder");
    let error = catalog(root.path(), serde_json::json!({ "pods": "x" })).err().expect("refused");
    assert_eq!(error.key(), Some("catalog.tables.pods"));
}

proptest! {
    #[test]
    fn any_place_is_a_folder_or_a_pattern_in_one_or_an_error(place in prop_oneof![any::<String>(), "[a*?\\[\\]!/.-]{0,12}"]) {
        if let Ok(location) = Location::parse(&place) {
            prop_assert!(location.folder.is_empty() || location.folder.ends_with('/'), "{:?}", location);
            let without_wildcards = !location.folder.contains(['*', '?', '[']);
            prop_assert!(without_wildcards, "{:?}", location);
        }
    }
}
