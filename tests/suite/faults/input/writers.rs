//! What other writers put into a file.

use std::fs;

use parquet::basic::Compression;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataWriter};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use tokaki_tests::destination::{Destination, Sink};
use tokaki_tests::table;

use super::sizes::footer;
use super::{Bench, check_refused};

#[test]
fn i13_what_is_encrypted_or_packed_in_an_unknown_way_is_told() {
    let bench = Bench::new();
    let file = bench.job.files("pod_usage").swap_remove(0);
    let whole = fs::read(&file).expect("a file");

    let mut encrypted = whole.clone();
    let end = encrypted.len();
    encrypted[end - 4..].copy_from_slice(b"PARE");
    let outcome = bench.run_damaged(&file, |file| fs::write(file, encrypted).expect("written"));
    check_refused(&outcome, &file);
    assert!(outcome.stderr.to_lowercase().contains("encrypt"), "{}", outcome.stderr);

    let (metadata, start) = footer(&whole);
    let group = metadata.row_group(0);
    let columns = group.columns().iter();
    let columns = columns.map(|column| column.clone().into_builder().set_compression(Compression::LZO).build());
    let columns = columns.collect::<Result<_, _>>().expect("columns");
    let changed = group.clone().into_builder().set_column_metadata(columns).build().expect("a row group");
    let mut unknown = whole[..start].to_vec();
    let changed = ParquetMetaData::new(metadata.file_metadata().clone(), vec![changed]);
    ParquetMetaDataWriter::new(&mut unknown, &changed).finish().expect("written to memory");
    let outcome = bench.run_damaged(&file, |file| fs::write(file, unknown).expect("written"));
    check_refused(&outcome, &file);
    assert!(outcome.stderr.contains("LZO"), "{}", outcome.stderr);
}

#[test]
fn i13_indexes_and_bloom_filters_right_or_wrong_change_nothing() {
    let bench = Bench::new();
    let file = bench.job.files("pod_usage").swap_remove(0);
    let rows = table::read(&file).expect("Parquet");
    let properties = WriterProperties::builder()
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_data_page_row_count_limit(100)
        .set_write_batch_size(100)
        .set_bloom_filter_enabled(true);
    table::write_as(&file, &rows, properties.build()).expect("written");
    let is_clean = || bench.job.clean_rows(&Destination::new(&Sink::Sqlite).expect("a destination")) == bench.clean;
    assert!(is_clean(), "with indexes and filters");

    let mut damaged = fs::read(&file).expect("a file");
    let (metadata, start) = footer(&damaged);
    let columns = metadata.row_groups().iter().flat_map(|group| group.columns());
    let ends = columns.map(|column| column.byte_range().0 + column.byte_range().1);
    let after_pages = usize::try_from(ends.max().expect("columns")).expect("in memory");
    assert!(start - after_pages > 1_000, "indexes and filters lie between pages and footer");
    damaged[after_pages..start].fill(0xff);
    fs::write(&file, damaged).expect("written");
    assert!(is_clean(), "with indexes and filters that are wrong");
}
