//! What a row costs on its way into a state: its texts become numbers, its key a group, its values sums.
//!
//! `cargo bench --workspace --bench fold`

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringViewArray, TimestampNanosecondArray};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tokaki_core::error::Place;
use tokaki_core::rollup::{GroupId, Interner, Resolution, Rollup, RollupSpec, TextIds};
use tokaki_core::{Chunk, Grain, OPENSHIFT, TableName};

/// Rows of a chunk.
const ROWS: usize = 16_384;
/// Pods of a cluster, each with labels of its own.
const PODS: usize = 13_000;

static SPEC: RollupSpec<7, 8, 2> = RollupSpec {
    keys: ["day", "namespace", "node", "label_set", "resource_id", "node_labels", "namespace_labels"],
    sums: [
        ("cpu used", Resolution::CORE_SECONDS),
        ("cpu requested", Resolution::CORE_SECONDS),
        ("cpu effective", Resolution::CORE_SECONDS),
        ("cpu limit", Resolution::CORE_SECONDS),
        ("memory used", Resolution::BYTE_SECONDS),
        ("memory requested", Resolution::BYTE_SECONDS),
        ("memory effective", Resolution::BYTE_SECONDS),
        ("memory limit", Resolution::BYTE_SECONDS),
    ],
    maxima: ["cores", "bytes"],
};

/// Pods in an order that has nothing to do with their numbers.
fn shuffled() -> impl Iterator<Item = usize> {
    (0..ROWS).map(|row| row * 7_919 % PODS)
}

fn interner(criterion: &mut Criterion) {
    let label = |pod: usize| {
        format!("{{\"app\":\"svc-{pod}\",{}\"pod_template_hash\":\"{pod:08}\"}}", "\"k\":\"v\",".repeat(25))
    };
    let texts: StringViewArray = shuffled().map(|pod| Some(label(pod))).collect();
    let instants = TimestampNanosecondArray::from(vec![0; ROWS]);
    let columns: [(&str, ArrayRef); 2] = [("interval_start", Arc::new(instants)), ("pod_labels", Arc::new(texts))];
    let chunk = Chunk {
        batch: RecordBatch::try_from_iter(columns).expect("a batch"),
        time_column: "interval_start",
        table: TableName { provider: OPENSHIFT, report_type: "pod_usage", grain: Grain::Hourly },
        place: Place::default(),
        label_texts: Arc::default(),
    };
    let mut interner = Interner::default();
    let mut ids = TextIds::default();
    let mut group = criterion.benchmark_group("interner");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("texts that are known", |bencher| {
        bencher.iter(|| black_box(ids.of(&mut interner, &chunk, "pod_labels").expect("texts").len()));
    });
    group.finish();
}

fn rollup(criterion: &mut Criterion) {
    let keys: Vec<Option<[u32; 7]>> = shuffled()
        .map(|pod| pod as u32)
        .map(|pod| Some([20_362, pod % 300, pod % 100, pod, pod % 100, 0, 0]))
        .collect();
    let values: Vec<f64> = shuffled().map(|pod| pod as f64 * 3.7).collect();
    let mut rollup = Rollup::new(&SPEC);
    let mut groups: Vec<GroupId> = Vec::new();
    let hints: Vec<u32> = shuffled().map(|pod| pod as u32).collect();
    rollup.groups(&keys, &hints, &mut groups);
    let mut group = criterion.benchmark_group("rollup");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("groups that are known", |bencher| {
        bencher.iter(|| rollup.groups(black_box(&keys), &hints, &mut groups));
    });
    group.bench_function("eight sums", |bencher| {
        bencher.iter(|| rollup.add_each(black_box(&groups), |row| [values[row]; 8]).expect("in range"));
    });
    group.bench_function("two maxima", |bencher| {
        bencher.iter(|| rollup.raise_each(black_box(&groups), |row| [values[row]; 2]).expect("finite"));
    });
    group.bench_function("merging two", |bencher| {
        bencher.iter_batched(
            || Rollup::new(&SPEC),
            |mut empty| empty.absorb(&rollup, |key| key).map(|()| empty),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, interner, rollup);
criterion_main!(benches);
