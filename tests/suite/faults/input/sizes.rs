//! A file says, or is, more than it seems.

use std::fs;
use std::sync::Arc;

use arrow::array::{StringArray, UInt32Array};
use arrow::compute::take;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use tokaki_tests::destination::{Destination, Sink};
use tokaki_tests::table;

use super::Bench;

#[test]
fn i6_a_page_that_says_it_is_larger_than_memory() {
    let bench = Bench::new();
    let file = bench.job.files("pod_usage").swap_remove(0);
    let whole = fs::read(&file).expect("a file");
    // A page header is thrift: 0x15 0x00 (kind) 0x15 n (size) 0x15 n (compressed size) …; sizes of five bytes do not
    // fit, so the size's own bytes become continuation bytes that run into whatever follows.
    for at in (4..whole.len().min(400)).step_by(3) {
        let mut damaged = whole.clone();
        damaged[at..at + 4].copy_from_slice(&[0xfe, 0xff, 0xff, 0x0f]);
        let destination = Destination::new(&Sink::Sqlite).expect("a destination");
        fs::write(&file, damaged).expect("written");
        let outcome = bench.job.run_on_folder(&destination, &[]);
        assert!(matches!(outcome.code, Some(0 | 12)), "at {at}: {:?} {}", outcome.code, outcome.stderr);
        assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
    }
}

#[test]
fn i6_a_small_file_that_becomes_large() {
    let bench = Bench::new();
    let file = bench.job.files("namespace_labels").swap_remove(0);
    let outcome = bench.run_damaged(&file, |file| {
        // 256 MiB of one label text, a few kilobytes as zstd.
        let one = table::read(file).expect("Parquet").slice(0, 1);
        let large = table::changed(&one, |name, column| {
            if name == "namespace_labels" {
                let label = |row| format!("{{\"app{row}\": \"{}\"}}", "x".repeat(1 << 20));
                Arc::new(StringArray::from_iter_values((0..256).map(label)))
            } else {
                take(column, &UInt32Array::from(vec![0; 256]), None).expect("repeated")
            }
        });
        let zstd = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_dictionary_enabled(false);
        table::write_as(file, &large.expect("a batch"), zstd.build()).expect("written");
        assert!(fs::metadata(file).expect("a file").len() < 1 << 20, "it is small");
    });
    assert!(matches!(outcome.code, Some(0 | 12 | 22)), "{:?} {:.400}", outcome.code, outcome.stderr);
}
