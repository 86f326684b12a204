//! What a label text costs, once for each distinct one: filtered to the enabled keys, and merged with other layers.
//!
//! `cargo bench --workspace --bench labels`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tokaki_aggregators::words::label_map::LabelMap;
use tokaki_aggregators::words::tag_keys::TagKeys;

const POD: &str = r#"{"app": "billing-svc-17", "app_kubernetes_io_name": "billing", "component": "internal", "env": "prod", "helm_sh_chart": "billing-svc-17-hel", "k8s_app": "true", "pod_template_hash": "7c9d8f6b5c", "team": "team-x7k2p", "version": "v1.4"}"#;
/// The same with one escape, which leaves it to the JSON parser.
const ESCAPED: &str = r#"{"app": "billing\/svc-17", "app_kubernetes_io_name": "billing", "component": "internal", "env": "prod", "helm_sh_chart": "billing-svc-17-hel", "k8s_app": "true", "pod_template_hash": "7c9d8f6b5c", "team": "team-x7k2p", "version": "v1.4"}"#;

fn labels(criterion: &mut Criterion) {
    let keys = TagKeys::new(&["app", "env", "team", "tier", "version", "region"].map(str::to_owned));
    let kept = |text| LabelMap::kept(Some(text), &keys).expect("labels");
    let layers =
        [kept(r#"{"region":"us-east-1","env":"prod"}"#), kept(r#"{"team":"team-a","env":"stage"}"#), kept(POD)];
    let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
    let mut group = criterion.benchmark_group("labels");
    group.bench_function("filter", |bencher| bencher.iter(|| kept(black_box(POD))));
    group.bench_function("filter by the JSON parser", |bencher| bencher.iter(|| kept(black_box(ESCAPED))));
    group.bench_function("merge three layers", |bencher| {
        bencher.iter(|| LabelMap::merged(black_box(&layers)).expect("canonical"));
    });
    group.finish();
}

criterion_group!(benches, labels);
criterion_main!(benches);
