//! A file says, or is, more than it seems.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{StringArray, UInt32Array};
use arrow::compute::take;
use bytes::Bytes;
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::file::metadata::{
    ColumnChunkMetaDataBuilder, ParquetMetaData, ParquetMetaDataReader, ParquetMetaDataWriter,
};
use parquet::file::properties::WriterProperties;
use tokaki_tests::destination::{Destination, Sink};
use tokaki_tests::table;

use super::Bench;
use crate::support::job::Job;
use crate::support::tokaki;

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

/// A number as Thrift's compact protocol writes it.
fn varint(number: u32) -> Vec<u8> {
    let mut rest = u64::from(number) << 1;
    let mut bytes = Vec::new();
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

/// The footer of a file, and where it begins.
pub(super) fn footer(file: &[u8]) -> (ParquetMetaData, usize) {
    let footer = ParquetMetaDataReader::new().parse_and_finish(&Bytes::copy_from_slice(file)).expect("a footer");
    let length = file[file.len() - 8..][..4].try_into().map(u32::from_le_bytes).expect("four bytes");
    (footer, file.len() - 8 - length as usize)
}

/// Runs the job on what the file is made to be, with 256 MiB and no more: the one error says which column of which row
/// group it is, and whoever believes the claim does not live to tell.
fn check_claim(bench: &Bench, file: &Path, damaged: &[u8], told: &[&str]) {
    let whole = fs::read(file).expect("a file");
    fs::write(file, damaged).expect("written");
    let destination = Destination::new(&Sink::Sqlite).expect("a destination");
    let mut command = tokaki::within(256);
    command.args(["run", "--quiet", "--config"]).arg(Job::config()).args(destination.arguments());
    command.args(["--set", &format!("reference.path={}", Job::reference().display())]);
    command.args(["--set", &format!("store.url={}", bench.job.folder().display())]);
    let output = command.output().expect("starts");
    fs::write(file, whole).expect("repaired");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(12), "{told:?}: {said}");
    let name = file.file_name().expect("a name").to_string_lossy();
    for part in told.iter().chain(&["table: ", "row group: 0", name.as_ref()]) {
        assert!(said.contains(part), "{part} is not told: {said}");
    }
}

#[test]
fn i6_a_page_header_that_claims_what_cannot_be() {
    const COLUMN: &str = "pod_usage_cpu_core_seconds";
    let bench = Bench::new();
    let file = bench.job.files("pod_usage").swap_remove(0);
    for codec in [Compression::SNAPPY, Compression::ZSTD(ZstdLevel::default()), Compression::GZIP(GzipLevel::default())]
    {
        let rows = table::read(&file).expect("Parquet");
        let properties = WriterProperties::builder().set_compression(codec).build();
        table::write_as(&file, &rows, properties).expect("written");
        let whole = fs::read(&file).expect("a file");
        let (footer, _) = footer(&whole);
        let columns = footer.row_group(0).columns();
        let column = columns.iter().find(|column| column.column_path().string() == COLUMN).expect("a column");
        // The header's first fields are the kind of the page and its unpacked size, 0x15 before each.
        let size = column.byte_range().0 as usize + 3;
        assert_eq!((whole[size - 3], whole[size - 1]), (0x15, 0x15));
        let end = size + whole[size..].iter().position(|byte| byte & 0x80 == 0).expect("the size ends") + 1;
        for claim in [i32::MAX as u32, 600 << 20, 8 << 20] {
            let damaged = [&whole[..size], &varint(claim), &whole[end..]].concat();
            check_claim(&bench, &file, &damaged, &[COLUMN, "a page"]);
        }
        let damaged = [&whole[..size - 3], &[0xff; 40], &whole[size - 3..]].concat();
        check_claim(&bench, &file, &damaged, &[COLUMN, "the header of a page cannot be read"]);
    }
}

#[test]
fn i6_a_footer_that_claims_what_cannot_be() {
    const COLUMN: &str = "pod_usage_cpu_core_seconds";
    type Claim = fn(ColumnChunkMetaDataBuilder) -> ColumnChunkMetaDataBuilder;
    let bench = Bench::new();
    let file = bench.job.files("pod_usage").swap_remove(0);
    let whole = fs::read(&file).expect("a file");
    let (footer, start) = footer(&whole);
    let with = |rows: Option<i64>, claim: Claim| {
        let group = footer.row_group(0);
        let columns = group.columns().iter().map(|column| {
            let is_it = column.column_path().string() == COLUMN;
            let builder = column.clone().into_builder();
            if is_it { claim(builder).build() } else { builder.build() }.expect("a column")
        });
        let changed = group.clone().into_builder().set_num_rows(rows.unwrap_or(group.num_rows()));
        let changed = changed.set_column_metadata(columns.collect()).build().expect("a row group");
        let mut damaged = whole[..start].to_vec();
        let footer = ParquetMetaData::new(footer.file_metadata().clone(), vec![changed]);
        ParquetMetaDataWriter::new(&mut damaged, &footer).finish().expect("written to memory");
        damaged
    };
    let claims: [(Claim, &str); 4] = [
        (|column| column.set_total_uncompressed_size(i64::MAX), "are said to unpack to 9223372036854775807"),
        (|column| column.set_total_compressed_size(1 << 40), "it is said to be 1099511627776 bytes"),
        (|column| column.set_total_compressed_size(-1), "the footer says -1 of its size"),
        (|column| column.set_dictionary_page_offset(Some(i64::MAX - 1)), "and the file has"),
    ];
    for (claim, told) in claims {
        check_claim(&bench, &file, &with(None, claim), &[COLUMN, told]);
    }
    for rows in [i64::MAX, -1] {
        check_claim(&bench, &file, &with(Some(rows), |column| column), &[&format!("it is said to have {rows} rows")]);
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
