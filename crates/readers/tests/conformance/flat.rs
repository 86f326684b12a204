//! The catalog `flat`.

use serde_json::json;
use tokaki_core::plugin::StorePart;
use tokaki_core::testkit::{catalogs, fixture};
use tokaki_core::{Scope, TableName};

use crate::store::Folder;

struct Flat(Folder);

impl catalogs::Place for Flat {
    fn part(&self) -> StorePart {
        let tables = json!({
            "openshift_pod_usage_line_items": "pod_usage",
            "openshift_node_labels_line_items": "node_labels/*.parquet",
        });
        self.0.part("catalog", json!({ "tables": tables }))
    }

    fn put(&self, table: &TableName, _scope: &Scope, name: &str) {
        self.0.write(&format!("{}/{name}.parquet", table.report_type), name.as_bytes());
    }

    fn knows_scopes(&self) -> bool {
        false
    }
}

fixture!(Catalog, "flat", || Box::new(Flat(Folder::new())));
