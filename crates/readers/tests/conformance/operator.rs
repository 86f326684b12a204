//! The catalog `operator`.

use serde_json::json;
use tokaki_core::plugin::StorePart;
use tokaki_core::testkit::{catalogs, fixture};
use tokaki_core::{Scope, TableName};
use tokaki_readers::payload::ReportType;

use crate::csv::header;
use crate::store::Folder;

struct Payloads(Folder);

impl catalogs::Place for Payloads {
    fn part(&self) -> StorePart {
        self.0.part("catalog", json!({}))
    }

    fn put(&self, table: &TableName, _scope: &Scope, name: &str) {
        let of_table = |known: &ReportType| known.table(table.grain) == *table;
        let report_type = ReportType::ALL.into_iter().find(of_table).expect("a report of the operator");
        let columns = [header(report_type).as_slice(), &[name]].concat();
        self.0.write(&format!("{}/{name}.csv", table.report_type), columns.join(",").as_bytes());
    }

    fn knows_scopes(&self) -> bool {
        false
    }
}

fixture!(Catalog, "operator", || Box::new(Payloads(Folder::new())));
