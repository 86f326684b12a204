//! The decode floor: what it takes to have the needed columns in memory, and nothing else. No aggregation over Parquet
//! files can be faster, unless it finds a way around Arrow.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde::{Deserialize, Serialize};

use super::options::Form;
use crate::Result;
use crate::cases::Case;
use crate::folder::files_with_ending;

/// Rows of a batch.
const BATCH_ROWS: usize = 8192;

const INTERVAL_START: &str = "interval_start";

/// What pod rows are made of (spec § 5).
const USAGE: [&str; 15] = [
    "namespace",
    "node",
    "pod",
    "resource_id",
    "pod_labels",
    "pod_usage_cpu_core_seconds",
    "pod_request_cpu_core_seconds",
    "pod_limit_cpu_core_seconds",
    "pod_effective_usage_cpu_core_seconds",
    "pod_usage_memory_byte_seconds",
    "pod_request_memory_byte_seconds",
    "pod_limit_memory_byte_seconds",
    "pod_effective_usage_memory_byte_seconds",
    "node_capacity_cpu_cores",
    "node_capacity_memory_bytes",
];

/// What capacity is made of (spec § 5, Capacity).
const CAPACITY: [&str; 3] = ["node", "node_capacity_cpu_core_seconds", "node_capacity_memory_byte_seconds"];

/// Columns of which a row group has so few distinct values that its dictionary page holds them all. The texts of the
/// others overflow it, and asking for dictionaries of them makes the reader hash every value anew.
const FEW_VALUES: [&str; 3] = ["namespace", "node", "resource_id"];

/// Where the tables of a case are.
#[derive(Debug, Deserialize)]
struct Location {
    org: String,
    source_uuid: String,
    year: String,
    month: String,
}

/// A row group to decode.
struct Split {
    file: PathBuf,
    metadata: ArrowReaderMetadata,
    mask: ProjectionMask,
    row_group: usize,
}

/// What was decoded.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Decoded {
    /// Row groups.
    pub splits: usize,
    /// Rows of all tables.
    pub rows: u64,
    /// Cells of all tables.
    pub cells: u64,
}

/// Decodes what the `pod` and `unallocated` rows of a case are made of, with so many threads.
///
/// # Errors
/// The case has no such tables, or they cannot be decoded.
pub fn decode(case: &Case, form: Form, threads: usize) -> Result<Decoded> {
    let mut splits = Vec::new();
    for (report, daily, columns) in tables(form) {
        for file in files_with_ending(&folder(case, report, daily)?, "parquet") {
            splits.extend(splits_of(&file, &columns)?);
        }
    }
    if splits.is_empty() {
        return Err(format!("{} holds no file", case.folder.display()).into());
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    pool.install(|| {
        splits.into_par_iter().map(Split::decode).try_reduce(Decoded::default, |one, other| Ok(one.and(&other)))
    })
}

/// Report types, whether their daily form is read, and the columns.
fn tables(form: Form) -> Vec<(&'static str, bool, Vec<&'static str>)> {
    let daily = form == Form::Daily;
    let mut tables = vec![
        ("node_labels", daily, vec![INTERVAL_START, "node", "node_labels"]),
        ("namespace_labels", daily, vec![INTERVAL_START, "namespace", "namespace_labels"]),
    ];
    let usage = [&[INTERVAL_START], &USAGE[..]].concat();
    let capacity = [&[INTERVAL_START], &CAPACITY[..]].concat();
    if daily {
        tables.extend([("pod_usage", true, usage), ("pod_usage", false, capacity)]);
    } else {
        tables.push(("pod_usage", false, [usage, CAPACITY[1..].to_vec()].concat()));
    }
    tables
}

fn folder(case: &Case, report: &str, daily: bool) -> Result<PathBuf> {
    let location: Location = serde_json::from_str(&fs::read_to_string(case.path("reference.json"))?)?;
    let Location { org, source_uuid, year, month } = location;
    let daily = if daily { "daily/" } else { "" };
    let partition = format!("source={source_uuid}/year={year}/month={month}");
    Ok(case.path(&format!("input/data/parquet/{daily}{org}/OCP/{report}/{partition}")))
}

fn splits_of(file: &Path, columns: &[&str]) -> Result<Vec<Split>> {
    let footer = ArrowReaderMetadata::load(&File::open(file)?, ArrowReaderOptions::new())?;
    let options = ArrowReaderOptions::new().with_schema(Arc::new(best_types(footer.schema())));
    let metadata = ArrowReaderMetadata::try_new(Arc::clone(footer.metadata()), options)?;
    let mask = ProjectionMask::columns(metadata.parquet_schema(), columns.iter().copied());
    let split = |row_group| Split { file: file.to_owned(), metadata: metadata.clone(), mask: mask.clone(), row_group };
    Ok((0..metadata.metadata().num_row_groups()).map(split).collect())
}

/// The types that Arrow decodes fastest: dictionaries of few texts, views of many.
fn best_types(schema: &Schema) -> Schema {
    let best = |field: &Arc<Field>| {
        let data_type = match field.data_type() {
            DataType::Utf8 if FEW_VALUES.contains(&field.name().as_str()) => {
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
            }
            DataType::Utf8 => DataType::Utf8View,
            other => other.clone(),
        };
        field.as_ref().clone().with_data_type(data_type)
    };
    Schema::new_with_metadata(schema.fields().iter().map(best).collect::<Vec<_>>(), schema.metadata().clone())
}

impl Split {
    fn decode(self) -> Result<Decoded> {
        let file = File::open(&self.file)?;
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata)
            .with_row_groups(vec![self.row_group])
            .with_projection(self.mask)
            .with_batch_size(BATCH_ROWS)
            .build()?;
        let mut decoded = Decoded { splits: 1, ..Decoded::default() };
        for batch in reader {
            let batch = batch?;
            decoded.rows += batch.num_rows() as u64;
            decoded.cells += (batch.num_rows() * batch.num_columns()) as u64;
        }
        Ok(decoded)
    }
}

impl Decoded {
    fn and(&self, other: &Self) -> Self {
        Self { splits: self.splits + other.splits, rows: self.rows + other.rows, cells: self.cells + other.cells }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::repository;

    #[test]
    fn all_needed_cells_of_the_quickstart_are_decoded() {
        let case = Case { folder: repository("../samples/quickstart") };
        let hourly = decode(&case, Form::Hourly, 2).expect("cells");
        assert_eq!(hourly, decode(&case, Form::Hourly, 1).expect("cells"));
        // Each table has a file for each of three days; labels have three columns, pods 18 or 16, capacity 4.
        let labels = 3 * (192 + 96);
        let pods = 3 * 1440;
        let cells = 3 * labels + 18 * pods;
        assert_eq!(hourly, Decoded { splits: 9, rows: labels + pods, cells });
        let (labels, daily_pods) = (3 * (8 + 4), 75 + 71 + 70);
        let cells = 3 * labels + 16 * daily_pods + 4 * pods;
        let daily = decode(&case, Form::Daily, 2).expect("cells");
        assert_eq!(daily, Decoded { splits: 12, rows: labels + daily_pods + pods, cells });
    }

    #[test]
    fn a_case_without_files_is_no_floor() {
        let folder = tempfile::tempdir().expect("a folder");
        let case = Case { folder: folder.path().to_owned() };
        let reference = r#"{"org": "o", "source_uuid": "s", "year": "2025", "month": "10"}"#;
        fs::write(case.path("reference.json"), reference).expect("a file");
        assert!(decode(&case, Form::Hourly, 1).expect_err("no files").to_string().contains("holds no file"));
    }
}
