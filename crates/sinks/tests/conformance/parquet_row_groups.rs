//! Which rows of a Parquet file lie in which row group, and that no run can tell from it how others went.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;
use tokaki_core::testkit::sinks::{Bench, batch, hand_over, pods, scope, volumes};
use tokaki_core::{Output, Receipt, Scope};
use tokio::runtime::Runtime;

use crate::parquet::ParquetBench;
use crate::replacing::replace;

/// Fewest rows of a day that become row groups of their own, and most rows of a row group.
const FEWEST: usize = 4_096;
const MOST: usize = 16_384;

fn september(day: u32) -> String {
    format!("2025-09-{day:02}")
}

fn rows_of(output: &Output, day: u32, rows: usize) -> RecordBatch {
    let (day, names): (_, Vec<String>) = (september(day), (0..rows).map(|n| format!("n{n}")).collect());
    let rows: Vec<_> = names.iter().map(|name| (day.as_str(), Some(name.as_str()), Some(0.5))).collect();
    batch(output, &rows)
}

/// Days, each with so many rows of pods and of volumes.
type Days = BTreeMap<u32, (usize, usize)>;

fn scope_of(days: &Days) -> Scope {
    let (first, last) = (days.keys().next().expect("a day"), days.keys().next_back().expect("a day"));
    scope(&september(*first), &september(*last))
}

async fn run(bench: &ParquetBench, days: &Days) -> Receipt {
    run_of(&[pods(), volumes()], bench, days).await
}

/// A run of pods, or of pods and volumes.
async fn run_of(outputs: &[Output], bench: &ParquetBench, days: &Days) -> Receipt {
    let mut replacement = bench.sink().begin(&scope_of(days), outputs).await.expect("a run");
    for (day, (of_pods, of_volumes)) in days {
        for (output, rows) in outputs.iter().zip([of_pods, of_volumes]) {
            let rows = rows_of(output, *day, *rows);
            hand_over(bench.sink(), replacement.as_mut(), output, &rows).await.expect("rows");
        }
    }
    replacement.commit().await.expect("a run")
}

/// Rows of each row group.
fn row_groups(bench: &ParquetBench) -> Vec<usize> {
    let file = File::open(&bench.file).expect("a file");
    let footer = ParquetRecordBatchReaderBuilder::try_new(file).expect("a Parquet file").metadata().clone();
    footer.row_groups().iter().map(|row_group| usize::try_from(row_group.num_rows()).expect("a number")).collect()
}

/// Rows by data source and day, each of them once.
async fn counted(bench: &ParquetBench) -> BTreeMap<String, usize> {
    let rows = bench.rows().await;
    let mut counts = BTreeMap::new();
    for row in &rows {
        let (of, rest) = row.split_at(row.find("|n").expect("a namespace"));
        assert!(rest.ends_with("|0.5|-"), "{row}");
        *counts.entry(of.to_owned()).or_default() += 1;
    }
    let mut once = rows.clone();
    once.dedup();
    assert_eq!(once.len(), rows.len(), "a row is there twice");
    counts
}

#[tokio::test]
async fn days_of_many_rows_have_row_groups_of_their_own_and_the_others_share_theirs() {
    let bench = ParquetBench::new();
    let days = Days::from([(1, (FEWEST, 10)), (2, (FEWEST - 1, 0)), (3, (20_000, 20)), (4, (MOST, 30))]);
    run(&bench, &days).await;
    assert_eq!(row_groups(&bench), [FEWEST, 10_000, 10_000, MOST, 10 + FEWEST - 1 + 20 + 30]);
    // Fewer and fewer rows stay, and those that do are never left in crumbs.
    run(&bench, &Days::from([(3, (7, 7))])).await;
    assert_eq!(row_groups(&bench), [FEWEST, MOST, 10 + FEWEST - 1 + 30, 14]);
    run(&bench, &Days::from([(2, (0, 1))])).await;
    assert_eq!(row_groups(&bench), [FEWEST, MOST, 10 + 30 + 14 + 1]);
}

#[tokio::test]
async fn rows_that_are_appended_give_the_same_bytes_however_they_arrive() {
    let (whole, parts) = (ParquetBench::new(), ParquetBench::new());
    let (day, rows) = (scope("2025-09-01", "2025-09-01"), rows_of(&pods(), 1, 20_000));
    for (bench, cuts) in [(&whole, &[0, 20_000][..]), (&parts, &[0, 777, 9_000, 20_000])] {
        let mut replacement = bench.sink().begin(&day, &[pods()]).await.expect("a run");
        for cut in cuts.windows(2) {
            replacement.append(&pods(), &rows.slice(cut[0], cut[1] - cut[0])).await.expect("rows");
        }
        replacement.commit().await.expect("a run");
    }
    assert!(whole.bytes().await == parts.bytes().await);
    assert_eq!(row_groups(&whole), [MOST, 20_000 - MOST]);
}

/// Columns that another program wrote, and columns that an output does not write, are there in encoded rows as well.
#[tokio::test]
async fn encoded_rows_fit_into_files_with_other_columns() {
    let (bench, days) = (ParquetBench::new(), Days::from([(2, (5_000, 6_000))]));
    let old = rows_of(&volumes(), 1, 5_000);
    let costs: ArrayRef = Arc::new(Float64Array::from(vec![1.0; 5_000]));
    let (schema, columns) = (old.schema(), old.columns().to_vec());
    let names = schema.fields().iter().map(|field| field.name().as_str()).chain(["infrastructure_raw_cost"]);
    let columns = names.zip(columns.into_iter().chain([costs])).map(|(name, column)| (name, column, true));
    bench.write(&RecordBatch::try_from_iter_with_nullable(columns).expect("rows"));

    run(&bench, &days).await;
    assert_eq!(row_groups(&bench), [5_000, 5_000, 6_000]);
    let rows = bench.rows().await;
    let of =
        |beginning: &str, end: &str| rows.iter().filter(|row| row.starts_with(beginning) && row.ends_with(end)).count();
    assert_eq!((of("Storage|2025-09-01", "|-|0.5|1"), of("Storage|2025-09-02", "|-|0.5|-")), (5_000, 6_000));
    assert_eq!(of("Pod|2025-09-02|n7|{\"app\": \"n7\"}", "|0.5|-"), 1);
    let bytes = bench.bytes().await;
    run(&bench, &days).await;
    assert!(bench.bytes().await == bytes);
}

fn any_days() -> impl Strategy<Value = Days> {
    let rows = prop::sample::select(vec![0, 3, 1_000, 3_000, FEWEST - 1, FEWEST, 9_000, MOST + 1]);
    prop::collection::vec((rows.clone(), prop_oneof![Just(0), Just(2), rows]), 1..4)
        .prop_flat_map(|days| (1_u32..4, Just(days)))
        .prop_map(|(first, days)| (first..).zip(days).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// Whatever earlier runs have left behind: the rows are those of the last run of each day, a run that is repeated
    /// changes no byte, and neither does one that has nothing to do with them.
    #[test]
    fn a_run_that_is_repeated_changes_no_byte(runs in prop::collection::vec((any_days(), 1_usize..3), 1..4)) {
        Runtime::new().expect("a runtime").block_on(async {
            let (bench, mut expected) = (ParquetBench::new(), BTreeMap::new());
            for (days, outputs) in &runs {
                let outputs = &[pods(), volumes()][..*outputs];
                let named = days.iter().flat_map(|(day, (of_pods, of_volumes))| {
                    [("Pod", *of_pods), ("Storage", *of_volumes)].map(|(of, rows)| (format!("{of}|{}", september(*day)), rows))
                });
                let named: BTreeMap<String, usize> =
                    named.filter(|(name, _)| outputs.len() > 1 || name.starts_with("Pod")).collect();
                let replaced: usize = named.keys().filter_map(|name| expected.get(name)).sum();
                assert_eq!(run_of(outputs, &bench, days).await.rows_deleted, replaced as u64);
                expected.extend(named);

                expected.retain(|_, rows| *rows > 0);
                assert_eq!(counted(&bench).await, expected);
                let sizes = row_groups(&bench);
                assert!(sizes.iter().all(|rows| *rows <= MOST), "{sizes:?}");
                assert!(sizes.iter().rev().skip(1).all(|rows| *rows >= FEWEST), "{sizes:?}");

                let bytes = bench.bytes().await;
                run_of(outputs, &bench, days).await;
                assert!(bench.bytes().await == bytes, "a run that is repeated writes other bytes");
                replace(bench.sink(), &scope("2025-10-01", "2025-10-31"), &[(pods(), &[])]).await.expect("a run");
                assert!(bench.bytes().await == bytes, "rows that stay are other bytes");
            }
        });
    }
}
