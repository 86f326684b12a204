use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMillisecondType};
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use tokaki_core::{Error, ErrorKind, Result};

use super::*;

const PERIOD: &str = "2025-10-01 00:00:00 +0000 UTC,2025-11-01 00:00:00 +0000 UTC";
const HOUR: &str = "2025-10-01 01:00:00 +0000 UTC,2025-10-01 01:59:59 +0000 UTC";
const NODE_LABELS: &str = "report_period_start,report_period_end,interval_start,interval_end,node,node_labels";
const GPU: &str = "report_period_start,report_period_end,interval_start,interval_end,node,namespace,pod,gpu_uuid,\
                   gpu_model_name,gpu_vendor_name,gpu_memory_capacity_mib,gpu_pod_uptime,mig_instance_id,mig_profile";
const POD: &str = "report_period_start,report_period_end,interval_start,interval_end,pod,namespace,node,resource_id,\
                   pod_usage_cpu_core_seconds,pod_request_cpu_core_seconds,pod_limit_cpu_core_seconds,\
                   pod_usage_memory_byte_seconds,pod_request_memory_byte_seconds,pod_limit_memory_byte_seconds,\
                   node_capacity_cpu_cores,node_capacity_cpu_core_seconds,node_capacity_memory_bytes,\
                   node_capacity_memory_byte_seconds,pod_labels,extra";

/// A row of `POD` with these six usages.
fn pod_row(usages: &str) -> String {
    format!("{PERIOD},{HOUR},web,shop,alpha,,{usages},4,14400,17179869184,61847529062400,label_app:web,NA\n")
}

fn rows_of(csv: &str) -> Result<(RecordBatch, Skipped, u64)> {
    let mut rows = LineItems::open("x.csv", csv.as_bytes())?.expect("has a header");
    let mut batches = Vec::new();
    while let Some(batch) = rows.next_batch()? {
        batches.push(batch);
    }
    let batch = concat_batches(batches[0].schema_ref(), &batches).expect("one schema");
    Ok((batch, rows.anomalies().clone(), rows.labels_left_out()))
}

fn refused(csv: &str) -> Error {
    rows_of(csv).expect_err("refused")
}

fn texts<'a>(rows: &'a RecordBatch, name: &str) -> Vec<Option<&'a str>> {
    rows.column_by_name(name).expect("a column").as_string::<i32>().iter().collect()
}

fn numbers(rows: &RecordBatch, name: &str) -> Vec<Option<f64>> {
    rows.column_by_name(name).expect("a column").as_primitive::<Float64Type>().iter().collect()
}

#[test]
fn labels_are_read_as_koku_reads_them() {
    let cases = [
        ("", "{}", 0),
        ("label_app:web|label_tier:front", r#"{"app": "web", "tier": "front"}"#, 0),
        ("label_app:", r#"{"app": ""}"#, 0),
        (":v|label_:w", r#"{"": "w"}"#, 0),
        ("app:web|||", r#"{"app": "web"}"#, 0),
        ("label_a:1|label_b:2|label_a:3", r#"{"a": "3", "b": "2"}"#, 0),
        ("label_my_label_x:1", r#"{"my_x": "1"}"#, 0),
        ("label_url:http://x|label_a:1", r#"{"a": "1"}"#, 1),
        ("null", "{}", 1),
        ("label_a: b |label_c:d?e", r#"{"a": " b ", "c": "d?e"}"#, 0),
        ("label_q:\"\\\t\u{7f}é名😀", r#"{"q": "\"\\\t\u007f\u00e9\u540d\ud83d\ude00"}"#, 0),
    ];
    for (text, json, left_out) in cases {
        assert_eq!(labels::to_json(text), (json.to_owned(), left_out), "{text}");
    }
}

#[test]
fn times_are_those_of_the_operator_or_iso_8601() {
    let first_of_october = 1_759_276_800_000;
    for text in [
        "2025-10-01 00:00:00 +0000 UTC",
        "2025-10-01 00:00:00",
        "2025-10-01T00:00:00Z",
        "2025-10-01T02:00:00+02:00",
        " 2025-10-01 00:00:00.0009 ",
    ] {
        assert_eq!(instants::milliseconds(text), Some(first_of_october), "{text}");
    }
    for text in ["", "2025-10-01", "2025-13-01 00:00:00", "2025-10-01 00:00:00 -0400 EDT", "9999-01-01 00:00:00", "NaN"]
    {
        assert_eq!(instants::milliseconds(text), None, "{text}");
    }
}

#[test]
fn a_row_has_the_types_of_kokus_parquet() {
    let csv = format!("{POD}\n{}{}", pod_row("1,2.5,,NaN,7, 8 "), pod_row("3,2,1,4,,5"));
    let (rows, anomalies, _) = rows_of(&csv).expect("reads");
    assert_eq!(anomalies, Skipped::default());
    let start = rows.column_by_name("interval_start").expect("a column");
    assert_eq!(start.data_type(), &DataType::Timestamp(TimeUnit::Millisecond, None));
    assert_eq!(start.as_primitive::<TimestampMillisecondType>().value(0), 1_759_280_400_000);
    assert_eq!(numbers(&rows, "pod_limit_cpu_core_seconds"), [Some(0.0), Some(1.0)]);
    assert_eq!(numbers(&rows, "pod_usage_memory_byte_seconds"), [None, Some(4.0)]);
    assert_eq!(numbers(&rows, "pod_limit_memory_byte_seconds"), [Some(8.0), Some(5.0)]);
    assert_eq!(numbers(&rows, "pod_effective_usage_cpu_core_seconds"), [Some(2.5), Some(3.0)]);
    assert_eq!(numbers(&rows, "pod_effective_usage_memory_byte_seconds"), [Some(7.0), Some(4.0)]);
    assert_eq!(texts(&rows, "resource_id"), [Some(""); 2]);
    assert_eq!(texts(&rows, "extra"), [Some("NA"); 2]);
    assert_eq!(texts(&rows, "pod_labels"), [Some(r#"{"app": "web"}"#); 2]);
    let names: Vec<_> = rows.schema_ref().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names[..20].join(","), POD, "the order of the file");
    assert!(names[20..].iter().all(|name| name.starts_with("pod_effective_usage_")), "{names:?}");
}

#[test]
fn anomalies_are_left_out_and_counted() {
    let usages = ["1,1,1,1,1,1", "1,1e18,1,1,1,1", "9.99e17,1,1,1,1,1", "1,1,1,-1e18,1,inf"].map(pod_row);
    let (rows, anomalies, _) = rows_of(&format!("{POD}\n{}", usages.concat())).expect("reads");
    assert_eq!(numbers(&rows, "pod_usage_cpu_core_seconds"), [Some(1.0), Some(9.99e17)]);
    assert_eq!(anomalies.rows, 2);
    let example = anomalies.example.expect("the first one");
    assert_eq!((example.line, example.value.as_str()), (3, "1e18"));
    assert_eq!(example.column, "pod_request_cpu_core_seconds");
}

#[test]
fn gpus_are_named_and_divided_as_in_koku() {
    let row = |gpu: &str| format!("{PERIOD},{HOUR},n,ns,p,G,{gpu}\n");
    let csv = [
        row("NVIDIA-A100__SXM4,nvidia_com_gpu,40960,3600,M1,2g.10gb"),
        row(" T4 ,amd_com_gpu,40960,3600,M2,1g.5gb"),
        row("H100,nvidia_com_gpu,40960,3600,,"),
        row("RTX PRO 6000 Blackwell,nvidia,40960,3600,M4,1g.5gb+me"),
    ];
    let (rows, ..) = rows_of(&format!("{GPU}\n{}", csv.concat())).expect("reads");
    let words = [Some("NVIDIA A100 SXM4"), Some("T4"), Some("H100"), Some("RTX PRO 6000 Blackwell")];
    assert_eq!(texts(&rows, "gpu_model_name"), words);
    assert_eq!(texts(&rows, "gpu_vendor_name"), [Some("nvidia"), Some("amd_com_gpu"), Some("nvidia"), Some("nvidia")]);
    // The T4 cannot be divided as far as anybody knows; the H100 is not divided.
    assert_eq!(texts(&rows, "mig_instance_id"), [Some("M1"), None, Some(""), Some("M4")]);
    assert_eq!(texts(&rows, "mig_profile"), [Some("2g.10gb"), None, Some(""), Some("1g.5gb+me")]);
    let counts = |name: &str| -> Vec<_> {
        rows.column_by_name(name).expect("a column").as_primitive::<Int64Type>().iter().collect()
    };
    assert_eq!(counts("mig_slice_count"), [Some(2), None, None, None]);
    assert_eq!(counts("mig_memory_capacity_mib"), [Some(10240), None, None, None]);
    assert_eq!(counts("gpu_max_slices"), [Some(7), None, None, Some(4)]);
}

#[test]
fn a_bad_row_is_named_by_its_line() {
    let error = refused(&format!("{POD}\n{}{}", pod_row("1,1,1,1,1,1"), pod_row("1,lots,1,1,1,1")));
    assert_eq!(error.message(), "line 3: expected a number, found `lots`");
    assert_eq!(
        (error.kind(), error.place().column.as_deref()),
        (ErrorKind::Type, Some("pod_request_cpu_core_seconds"))
    );
    assert_eq!(error.place().file.as_deref(), Some("x.csv"));
    assert_eq!(error.place().table.as_deref(), Some("openshift_pod_usage_line_items"));

    let error = refused(&format!("{POD}\n{}{}", pod_row("1,1,1,1,1,1"), pod_row("1,1,1,1,1,x")).replace('\n', "\r\n"));
    assert_eq!(error.message(), "line 3: expected a number, found `x`");

    // A line break in a quoted field makes lines and rows differ.
    let two_lines = format!("{PERIOD},{HOUR},\"a\nb\",label_a:1\n");
    let error = refused(&format!("{NODE_LABELS}\n{two_lines}{PERIOD},{HOUR},a\n"));
    assert_eq!(error.message(), "line 4: 5 fields, but the header has 6");

    let error = refused(&format!("{NODE_LABELS}\n{PERIOD},,2025-10-01 01:59:59,a,\n"));
    assert!(error.message().starts_with("line 2: expected a time such as"), "{error}");
    assert_eq!(error.place().column.as_deref(), Some("interval_start"));

    let gpu = format!("{GPU}\n{PERIOD},{HOUR},n,ns,p,G,A100,nvidia,inf,3600,,\n");
    assert_eq!(refused(&gpu).message(), "line 2: expected a finite number, found `inf`");
}

#[test]
fn a_quote_that_is_never_closed_does_not_fill_the_memory() {
    let csv = format!("{NODE_LABELS}\n\"{}", "x,\n".repeat(8 << 20));
    let error = refused(&csv);
    assert!(error.message().contains("a row is longer than 16 MiB"), "{error}");
}

#[test]
fn a_file_of_no_known_report_says_what_comes_closest() {
    let error = refused(&POD.replace("resource_id", "machine"));
    assert!(error.message().contains("pod_usage comes closest, without resource_id"), "{error}");
    assert_eq!((error.kind(), error.place().file.as_deref()), (ErrorKind::Column, Some("x.csv")));
    assert!(refused("a,b\n1,2\n").message().ends_with("no known report"));
    assert!(refused(&format!("{NODE_LABELS},node")).message().contains("the same name"));
    assert!(refused(&format!("{NODE_LABELS},")).message().contains("column 7 has no name"));
    assert!(LineItems::open("x.csv", &b""[..]).expect("reads").is_none());
}

const UUID: &str = "4e009161-4f40-42c8-877c-3e59f6baea3d";

fn manifest(files: &[&str]) -> String {
    format!(
        r#"{{"uuid": "{UUID}", "cluster_id": "c", "files": {files:?}, "resource_optimization_files": ["ros.csv"]}}"#
    )
}

fn node_labels(node: &str) -> String {
    format!("{NODE_LABELS}\n{PERIOD},{HOUR},{node},label_a:1\n")
}

fn archive(folder: &TempDir, members: &[(&str, &str)]) -> PathBuf {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        // Set by hand: the builder refuses the names that a hostile archive has.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, content.as_bytes()).expect("packs");
    }
    write_gzip(folder, &tar.into_inner().expect("packs"))
}

fn write_gzip(folder: &TempDir, bytes: &[u8]) -> PathBuf {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).expect("packs");
    let path = folder.path().join("payload.tar.gz");
    fs::write(&path, gzip.finish().expect("packs")).expect("written");
    path
}

/// Name of a file, its payload, its position there, and the nodes in it.
type Found = (String, String, Option<usize>, Vec<String>);

fn read(path: &Path) -> Result<Vec<Found>> {
    let payload = Payload::open(path, &Limits::default())?;
    let mut found = Vec::new();
    payload.read(|file, rows| {
        let mut rows = rows.expect("has a header");
        let batch = rows.next_batch()?.expect("has rows");
        let nodes = texts(&batch, "node").into_iter().flatten().map(str::to_owned).collect();
        let name = file.shown.rsplit(['/', ':']).next().unwrap_or_default().to_owned();
        found.push((name, file.payload.clone(), file.position, nodes));
        Ok(())
    })?;
    Ok(found)
}

#[test]
fn an_archive_is_read_by_its_manifest_and_by_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let (a, b, other) = (node_labels("a"), node_labels("b"), node_labels("other"));
    let listed = manifest(&["b.csv", "gone.csv", "a.csv", "a.csv"]);
    let members = [
        ("a.csv", a.as_str()),
        ("../b.csv", &other),
        ("sub/b.csv", &other),
        ("./b.csv", &b),
        ("ros.csv", "not,ours\n"),
        ("manifest.json", &listed),
    ];
    let path = archive(&folder, &members);
    let file =
        |name: &str, position, node: &str| (name.to_owned(), UUID.to_owned(), Some(position), vec![node.to_owned()]);
    assert_eq!(read(&path).expect("reads"), [file("a.csv", 2, "a"), file("b.csv", 0, "b")]);
    assert_eq!(Payload::open(&path, &Limits::default()).expect("opens").absent(), ["gone.csv"]);
    assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 1, "nothing is unpacked to disk");
}

#[test]
fn an_archive_that_is_too_large_or_broken_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = |path: &Path, bytes| Payload::open(path, &Limits { unpacked_bytes: bytes }).expect_err("refused");
    let (a, listed) = (node_labels("a"), manifest(&["a.csv"]));

    let bomb = "0".repeat(1 << 20);
    let path = archive(&folder, &[("manifest.json", &listed), ("bomb", &bomb)]);
    let error = open(&path, 100_000);
    assert!(error.message().contains("unpacks to more than 100000 bytes"), "{error}");
    assert_eq!((error.kind(), error.place().file.is_some()), (ErrorKind::Type, true));

    let path = archive(&folder, &[("a.csv", &a)]);
    assert_eq!(open(&path, 1 << 20).message(), "there is no manifest.json in the archive");
    let path = archive(&folder, &[("a.csv", &a), ("a.csv", &a), ("manifest.json", &listed)]);
    assert!(open(&path, 1 << 20).message().contains("two files in it are called a.csv"));
    let path = archive(&folder, &[("manifest.json", r#"{"uuid": "../../etc"}"#)]);
    assert_eq!(open(&path, 1 << 20).kind(), ErrorKind::Reference);

    let path = archive(&folder, &[("a.csv", &a), ("manifest.json", &listed)]);
    let whole = fs::read(&path).expect("reads");
    fs::write(&path, &whole[..whole.len() - 9]).expect("written");
    assert_eq!(open(&path, 1 << 20).kind(), ErrorKind::Type);
    let path = write_gzip(&folder, b"no archive, but gzip all the same");
    assert_eq!(open(&path, 1 << 20).kind(), ErrorKind::Type);
}

#[test]
fn a_folder_is_read_with_or_without_a_manifest() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(read(folder.path()).expect_err("nothing there").kind(), ErrorKind::Empty);
    for name in ["b", "a"] {
        fs::write(folder.path().join(format!("{name}.csv")), node_labels(name)).expect("written");
    }
    fs::write(folder.path().join("notes.txt"), "").expect("written");
    let files = read(folder.path()).expect("reads");
    let file = |name: &str| (format!("{name}.csv"), name.to_owned(), None, vec![name.to_owned()]);
    assert_eq!(files, [file("a"), file("b")]);
    assert_eq!(read(&folder.path().join("b.csv")).expect("reads"), [file("b")]);
    assert_eq!(read(&folder.path().join("c.csv")).expect_err("nothing there").kind(), ErrorKind::Store);

    fs::write(folder.path().join("manifest.json"), manifest(&["b.csv"])).expect("written");
    let listed = ("b.csv".to_owned(), UUID.to_owned(), Some(0), vec!["b".to_owned()]);
    assert_eq!(read(folder.path()).expect("reads"), [listed]);
}
