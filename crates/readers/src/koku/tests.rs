use std::fs;

use proptest::prelude::*;
use tokaki_core::testkit::catalogs::check;
use tokaki_core::{DateRange, Section};

use super::*;

fn scope(org: &str, day: &str) -> Scope {
    let day = day.parse().expect("a date");
    Scope { org: org.to_owned(), source_uuid: "s".to_owned(), days: DateRange::new(day, day).expect("one day") }
}

const DAILY: TableName = TableName { provider: OPENSHIFT, report_type: "pod_usage", grain: Grain::Daily };

#[test]
fn old_schemas_are_named_by_their_number() {
    assert_eq!(["acct12345", "acctx", "acct", "org1"].map(account), ["12345", "acctx", "acct", "org1"]);
}

#[test]
fn october_has_one_spelling_and_january_two() {
    assert_eq!(
        folders(&DAILY, &scope("org1", "2025-10-02")),
        ["data/parquet/daily/org1/OCP/pod_usage/source=s/year=2025/month=10/"]
    );
    let bill = |grain| TableName { provider: "AWS", report_type: "line_items", grain };
    let october = scope("org1", "2025-10-02");
    assert_eq!(
        folders(&bill(Grain::Daily), &october),
        ["data/parquet/daily/org1/AWS/raw/source=s/year=2025/month=10/"]
    );
    assert_eq!(folders(&bill(Grain::Hourly), &october), ["data/parquet/org1/AWS/source=s/year=2025/month=10/"]);
    let january = folders(&DAILY, &scope("org1", "2025-01-02"));
    assert!(january[0].ends_with("month=01/") && january[1].ends_with("month=1/"));
}

#[tokio::test]
async fn both_spellings_are_read_and_nothing_else() {
    let root = tempfile::tempdir().expect("a folder");
    let month = |name: &str| {
        let folder = root.path().join("data/parquet/org1/OCP/pod_usage/source=s/year=2025").join(name);
        fs::create_dir_all(&folder).expect("created");
        folder
    };
    fs::write(month("month=01").join("b.parquet"), "12345").expect("written");
    fs::write(month("month=1").join("a.parquet"), "").expect("written");
    fs::write(month("month=1").join("_metadata.parquet"), "").expect("written");
    fs::write(month("month=1").join("notes.txt"), "").expect("written");
    fs::write(month("month=11").join("c.parquet"), "").expect("written");
    let settings = serde_json::json!({ "url": root.path() });
    let store = Section::new("store", settings.as_object().cloned().unwrap_or_default());
    let catalog = build(&StorePart { own: Section::default(), store }).expect("builds");

    let hourly = TableName { grain: Grain::Hourly, ..DAILY };
    let files = check(catalog.as_ref(), &hourly, &scope("org1", "2025-01-02")).await.expect("lists").files;
    let names: Vec<_> = files.iter().map(|file| (file.path.rsplit('/').next(), file.bytes)).collect();
    assert_eq!(names, [(Some("b.parquet"), 5), (Some("a.parquet"), 0)]);
    assert!(catalog.files(&DAILY, &scope("org1", "2025-01-02")).await.expect("lists").files.is_empty());
}

/// Names that mean something to shells, urls and file systems.
fn names() -> impl Strategy<Value = std::collections::BTreeSet<String>> {
    prop::collection::btree_set("[a-z+%=&?#*'\"\\\\ \n\t\u{fc}\u{202e}.:;~-]{1,12}(\\.parquet)?", 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 64, ..ProptestConfig::default() })]

    #[test]
    fn files_of_any_name_are_found_once_and_can_be_opened(names in names()) {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("data/parquet/org1/OCP/pod_usage/source=s/year=2025/month=10");
        fs::create_dir_all(&folder).expect("created");
        // Blanks at the end are lost in a listing.
        let is_name = |name: &String| name != "." && name != ".." && name.trim_end() == name;
        let names: Vec<String> = names.into_iter().filter(is_name).collect();
        for name in &names {
            fs::write(folder.join(name), name).expect("written");
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let (store, files) = files_in(root.path()).await;
            let mut found = Vec::new();
            for file in &files {
                let content = store.file(file).fetch(std::slice::from_ref(&(0..file.bytes))).await.expect("opens");
                found.push(String::from_utf8(content.concat()).expect("its name"));
            }
            let mut expected: Vec<String> = names
                .iter()
                .filter(|name| name.ends_with(".parquet") && !name.starts_with(['.', '_']))
                .cloned()
                .collect();
            found.sort();
            expected.sort();
            prop_assert_eq!(found, expected);
            Ok(())
        })?;
    }

    #[test]
    fn folders_of_any_source_are_below_the_root(org in any::<String>(), source in any::<String>()) {
        let mut scope = scope(&org, "2025-01-02");
        scope.source_uuid = source;
        for folder in folders(&DAILY, &scope) {
            prop_assert!(folder.starts_with("data/parquet/daily/") && folder.ends_with('/'), "{}", folder);
        }
    }
}

/// The listing leaves blanks at the end of a name out, and would find the good file twice.
#[tokio::test]
async fn a_file_beside_one_whose_name_ends_with_a_blank_is_found_once() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("data/parquet/org1/OCP/pod_usage/source=s/year=2025/month=10");
    fs::create_dir_all(&folder).expect("created");
    for name in ["a.parquet", "a.parquet ", "a.parquet\n"] {
        fs::write(folder.join(name), name).expect("written");
    }
    let files = files_in(root.path()).await.1;
    assert_eq!(files.iter().map(|file| file.bytes).collect::<Vec<_>>(), [9], "{files:?}");
}

/// The store in `root`, and what the catalog finds in it.
async fn files_in(root: &std::path::Path) -> (Store, Vec<DataFile>) {
    let settings = serde_json::json!({ "url": root });
    let store = Store::open(&Section::new("store", settings.as_object().cloned().expect("an object")));
    let catalog = KokuCatalog { store: store.expect("a store") };
    let table = TableName { grain: Grain::Hourly, ..DAILY };
    let files = catalog.files(&table, &scope("org1", "2025-10-02")).await.expect("lists").files;
    (catalog.store, files)
}
