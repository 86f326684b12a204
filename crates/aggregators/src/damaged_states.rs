//! Encoded states that are damaged. The cache proves an entry before it is decoded, so none of this is expected; decoding
//! refuses what it can see all the same, and never panics.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, NullArray, RecordBatch, RecordBatchOptions, StringArray, new_null_array};
use arrow::compute::concat_batches;
use arrow::datatypes::{Field, Schema};
use proptest::prelude::*;
use tokaki_core::{ErrorKind, Semantics};

use crate::testing::{Cell, Job, line};

const AGGREGATORS: [(&str, &str); 5] = [
    ("labels", "node_labels"),
    ("pod", "pod_usage"),
    ("storage", "storage_usage"),
    ("gpu", "gpu_usage"),
    ("vm", "vm_usage"),
];

/// The tables of a state with something in it.
fn encoded(job: &Job, aggregator: &str, report_type: &'static str) -> Vec<RecordBatch> {
    let texts = ["namespace", "node", "pod", "pod_labels", "node_labels", "persistentvolumeclaim", "vm_name"];
    let mut cells: Vec<_> = texts.into_iter().map(|name| (name, Cell::Text("{}"))).collect();
    cells.extend(["pod_usage_cpu_core_seconds", "node_capacity_cpu_cores"].map(|name| (name, Cell::Number(1.0))));
    let lines = [line(report_type, 0, &cells), line(report_type, 1, &cells)];
    job.encoded(aggregator, &lines).expect("a state")
}

/// A table with one thing wrong.
fn damaged(table: &RecordBatch, how: u8, column: usize) -> RecordBatch {
    let rows = table.num_rows();
    let mut fields: Vec<Arc<Field>> = table.schema().fields().iter().cloned().collect();
    let mut columns = table.columns().to_vec();
    let at = column % columns.len().max(1);
    let replacement: Option<ArrayRef> = match how {
        0 => Some(Arc::new(NullArray::new(rows))),
        1 => Some(Arc::new(Int64Array::from(vec![-1; rows]))),
        2 => Some(Arc::new(StringArray::from(vec!["x"; rows]))),
        3 => columns.get(at).map(|column| new_null_array(column.data_type(), rows)),
        4 => return table.slice(0, rows / 2),
        5 => return concat_batches(&table.schema(), [table, table]).expect("one schema"),
        _ => None,
    };
    match replacement {
        Some(replacement) if at < columns.len() => {
            fields[at] = Arc::new(Field::new(fields[at].name(), replacement.data_type().clone(), true));
            columns[at] = replacement;
        }
        _ if at < columns.len() => {
            fields.remove(at);
            columns.remove(at);
        }
        _ => {}
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options).expect("a table")
}

proptest! {
    #[test]
    fn a_damaged_state_is_refused_or_decoded_and_never_a_panic(
        aggregator in prop::sample::select(&AGGREGATORS[..]),
        table: prop::sample::Index,
        how in 0_u8..10,
        column: usize,
    ) {
        let job = Job::new(Semantics::Koku, &[], &[]);
        let mut tables = encoded(&job, aggregator.0, aggregator.1);
        let at = table.index(tables.len());
        match how {
            7 => drop(tables.remove(at)),
            8 => tables.push(tables[at].clone()),
            9 => tables.swap(0, at),
            _ => tables[at] = damaged(&tables[at], how, column),
        }
        if let Err(error) = job.check_decodes(aggregator.0, &tables) {
            prop_assert_eq!(error.kind(), ErrorKind::Bug);
        }
    }
}
