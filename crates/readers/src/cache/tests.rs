use std::fs;

use serde_json::json;

use super::*;

fn cache(url: &str) -> Arc<dyn Cache> {
    let settings = json!({ "url": url });
    let section = Section::new("cache", settings.as_object().cloned().unwrap_or_default());
    open(&section, &Section::default()).expect("opens").expect("a cache")
}

#[tokio::test]
async fn a_folder_gives_back_what_was_put_into_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("made/when/needed");
    let cache = cache(&root.display().to_string());
    assert!(!root.exists(), "nothing is made before it is needed");
    assert_eq!(cache.get("org/a").await, None);
    cache.put("org/a", b"one".to_vec()).await;
    cache.put("org/a", b"two".to_vec()).await;
    cache.put("org/b", Vec::new()).await;
    assert_eq!(cache.get("org/a").await.as_deref(), Some(&b"two"[..]));
    let mut names = cache.names("org/").await;
    names.sort();
    assert_eq!(names, ["org/a", "org/b"]);
    cache.remove(vec!["org/a".to_owned(), "org/never-there".to_owned()]).await;
    assert_eq!(cache.names("org/").await, ["org/b"]);
    assert_eq!(cache.names("elsewhere/").await, [""; 0]);
    let drafts = fs::read_dir(root.join(DRAFTS)).expect("a folder").count();
    assert_eq!(drafts, 0, "drafts are left behind");
}

#[tokio::test]
async fn a_place_that_is_no_folder_is_given_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "no folder").expect("written");
    let cache = cache(&file.display().to_string());
    cache.put("org/a", b"one".to_vec()).await;
    assert_eq!(cache.get("org/a").await, None);
    assert_eq!(cache.names("org/").await, [""; 0]);
}

#[test]
fn nothing_is_kept_unless_asked_for() {
    let open = |settings: serde_json::Value| {
        open(&Section::new("cache", settings.as_object().cloned().unwrap_or_default()), &Section::default())
    };
    assert!(open(json!({})).expect("opens").is_none());
    assert!(open(json!({ "url": "" })).expect("opens").is_none());
    let error = open(json!({ "url": "redis://host" })).err().expect("refused");
    assert_eq!(error.key(), Some("cache.url"));
}
