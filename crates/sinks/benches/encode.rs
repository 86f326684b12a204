//! What it costs to turn rows into bytes for PostgreSQL. Run with `cargo bench --workspace --bench encode`.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Float64Array, Int32Array, RecordBatch, StringArray};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tokaki_core::{Field, FieldKind, Output};
use tokaki_sinks::CopyRows;
use uuid::Uuid;

/// About what a cluster of a hundred nodes has in a day.
const ROWS: usize = 10_000;

/// As many columns of each kind as Pod rows of the daily summary have that are not null.
const COLUMNS: [(FieldKind, usize); 6] = [
    (FieldKind::Uuid, 2),
    (FieldKind::Integer, 2),
    (FieldKind::Text(253), 6),
    (FieldKind::Date, 2),
    (FieldKind::Json, 3),
    (FieldKind::Measure, 14),
];

/// Measures of all sizes, with as many digits as sums have.
fn measure(row: usize, column: usize) -> f64 {
    (row * 7_919 + column + 1) as f64 / 3.0 / 10_f64.powi((column % 7) as i32)
}

fn values(kind: FieldKind, column: usize) -> ArrayRef {
    let texts =
        |text: &dyn Fn(usize) -> String| Arc::new((0..ROWS).map(|row| Some(text(row))).collect::<StringArray>());
    match kind {
        FieldKind::Uuid => texts(&|row| Uuid::from_u128((row * 31 + column) as u128 * 0x9e37_79b9).to_string()),
        FieldKind::Integer => Arc::new(Int32Array::from_iter_values((0..ROWS).map(|row| (row % 97) as i32))),
        FieldKind::Text(_) => texts(&|row| format!("some-namespace-{}", row % 50)),
        FieldKind::Date => Arc::new(Date32Array::from(vec![20_000; ROWS])),
        FieldKind::Json => texts(&|row| format!(r#"{{"app": "shop-{}", "environment": "production"}}"#, row % 300)),
        FieldKind::Measure => Arc::new(Float64Array::from_iter_values((0..ROWS).map(|row| measure(row, column)))),
        FieldKind::Texts(_) | FieldKind::Instant => unreachable!("no column of these rows"),
    }
}

/// An output with the given columns, and rows for it.
fn rows(columns: &[(FieldKind, usize)]) -> (Output, RecordBatch) {
    let kinds: Vec<_> = columns.iter().flat_map(|(kind, count)| std::iter::repeat_n(*kind, *count)).collect();
    let fields: Vec<_> = kinds.iter().map(|kind| Field { name: "column", kind: *kind, nullable: true }).collect();
    let output = Output::handover(&fields);
    let values = kinds.iter().enumerate().map(|(column, kind)| values(*kind, column)).collect();
    let rows = RecordBatch::try_new(output.schema(), values).expect("rows of the output's schema");
    (output, rows)
}

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    group.throughput(Throughput::Elements(ROWS as u64));
    for (name, columns) in [("rows", &COLUMNS[..]), ("one measure", &[(FieldKind::Measure, 1)])] {
        let (output, rows) = rows(columns);
        group.bench_function(name, |bencher| {
            let encode = |mut buffer: Vec<u8>| {
                let mut rows = CopyRows::new(&output, black_box(&rows)).expect("columns of the output");
                rows.fill(&mut buffer, usize::MAX).expect("values that fit");
                buffer
            };
            bencher.iter_batched(|| Vec::with_capacity(16 << 20), encode, BatchSize::LargeInput);
        });
    }
    group.finish();
}

criterion_group!(benches, encode);
criterion_main!(benches);
