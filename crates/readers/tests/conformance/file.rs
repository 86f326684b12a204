//! The reference source `file`.

use async_trait::async_trait;
use serde_json::json;
use tokaki_core::testkit::{fixture, references};
use tokaki_core::{ReferenceData, Scope, Section};

use crate::store::{Folder, settings};

const NAME: &str = "reference.json";

struct File(Folder);

#[async_trait]
impl references::Place for File {
    fn section(&self) -> Section {
        settings("reference", json!({ "path": self.0.path().join(NAME) }))
    }

    async fn put(&self, scope: &Scope, data: &ReferenceData) {
        let mut content = serde_json::to_value(data).expect("JSON");
        content["org"] = json!(scope.org);
        content["source_uuid"] = json!(scope.source_uuid);
        self.0.write(NAME, content.to_string().as_bytes());
    }
}

fixture!(Reference, "file", || Box::new(File(Folder::new())));
