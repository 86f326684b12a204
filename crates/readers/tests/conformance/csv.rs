//! The reader `csv`.

use std::collections::BTreeMap;

use serde_json::json;
use tokaki_core::DataFile;
use tokaki_core::plugin::StorePart;
use tokaki_core::testkit::{Line, fixture, readers};
use tokaki_readers::payload::ReportType;

use crate::store::Folder;

/// A CSV file that says of itself, by its columns, what it reports.
pub(crate) fn header(report_type: ReportType) -> Vec<&'static str> {
    report_type.columns().collect()
}

struct Csv(Folder);

impl readers::Place for Csv {
    fn part(&self) -> StorePart {
        self.0.part("reader", json!({}))
    }

    fn encode(&self, lines: &[Line]) -> Vec<u8> {
        let columns = header(ReportType::PodUsage);
        let mut file = ::csv::Writer::from_writer(Vec::new());
        file.write_record(&columns).expect("written to memory");
        for line in lines {
            file.write_record(columns.iter().map(|column| cell(line, column))).expect("written to memory");
        }
        file.into_inner().expect("written to memory")
    }

    fn put(&self, bytes: &[u8]) -> DataFile {
        let path = self.0.path().join("a.csv").display().to_string();
        self.0.data_file("a.csv", path, bytes)
    }

    fn counts_rows(&self) -> bool {
        false
    }
}

/// A value as the operator writes it.
fn cell(line: &Line, column: &str) -> String {
    match column {
        "interval_end" => time(line.hour + 1),
        time_column if time_column.starts_with("report_period") || time_column == "interval_start" => time(line.hour),
        "pod_labels" => {
            let labels: BTreeMap<String, String> =
                serde_json::from_str(line.text(column).expect("labels")).expect("labels are JSON");
            labels.iter().map(|(key, value)| format!("label_{key}:{value}")).collect::<Vec<_>>().join("|")
        }
        // Nothing would be 0.
        measure if measure.ends_with("_seconds") => line.text(column).unwrap_or("NaN").to_owned(),
        _ => line.text(column).unwrap_or_default().to_owned(),
    }
}

fn time(hour: i64) -> String {
    format!("2025-10-{:02} {:02}:00:00 +0000 UTC", 1 + hour / 24, hour % 24)
}

fixture!(Reader, "csv", || Box::new(Csv(Folder::new())));
