//! The reader `parquet`.

use parquet::arrow::ArrowWriter;
use serde_json::json;
use tokaki_core::DataFile;
use tokaki_core::plugin::StorePart;
use tokaki_core::testkit::{Line, batch, fixture, readers};

use crate::store::Folder;

impl readers::Place for Folder {
    fn part(&self) -> StorePart {
        self.part("reader", json!({}))
    }

    fn encode(&self, lines: &[Line]) -> Vec<u8> {
        let columns = readers::want(1).columns;
        let existing: Vec<_> = columns.into_iter().filter(|column| column.name != "no_such_column").collect();
        let rows = batch(lines, &existing);
        let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), None).expect("a writer");
        writer.write(&rows).expect("rows");
        writer.into_inner().expect("a whole file")
    }

    fn put(&self, bytes: &[u8]) -> DataFile {
        self.data_file("a.parquet", "a.parquet".to_owned(), bytes)
    }
}

fixture!(Reader, "parquet", || Box::new(Folder::new()));
