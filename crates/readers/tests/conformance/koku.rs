//! The catalog `koku`.

use serde_json::json;
use tokaki_core::plugin::StorePart;
use tokaki_core::testkit::{catalogs, fixture};
use tokaki_core::{Scope, TableName};

use crate::store::Folder;

struct Koku(Folder);

impl catalogs::Place for Koku {
    fn part(&self) -> StorePart {
        self.0.part("catalog", json!({}))
    }

    fn put(&self, table: &TableName, scope: &Scope, name: &str) {
        let (report_type, source) = (table.report_type, &scope.source_uuid);
        let folder = format!("data/parquet/{}/OCP/{report_type}/source={source}", scope.org);
        let month = format!("year={}/month={:02}", scope.days.year(), scope.days.month());
        self.0.write(&format!("{folder}/{month}/{name}.parquet"), name.as_bytes());
    }

    fn knows_scopes(&self) -> bool {
        true
    }
}

fixture!(Catalog, "koku", || Box::new(Koku(Folder::new())));
