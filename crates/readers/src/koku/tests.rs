use std::fs;

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
    let files = catalog.files(&hourly, &scope("org1", "2025-01-02")).await.expect("lists").files;
    let names: Vec<_> = files.iter().map(|file| (file.path.rsplit('/').next(), file.bytes)).collect();
    assert_eq!(names, [(Some("b.parquet"), 5), (Some("a.parquet"), 0)]);
    assert!(catalog.files(&DAILY, &scope("org1", "2025-01-02")).await.expect("lists").files.is_empty());
}
