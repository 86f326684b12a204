//! `tokaki convert` through the built command: what it writes, and what it refuses.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use tempfile::TempDir;
use tokaki_tests::command::Outcome;
use tokaki_tests::folder::files_below;

use crate::support::line_items::rows;
use crate::support::tokaki;

const SOURCE: &str = "7f6d9c51-27c6-4a5e-a2ab-9cf1ab4c0e66";
const PAYLOAD: &str = "4e009161-4f40-42c8-877c-3e59f6baea3d";

/// Made by nise: two hours of 30 September and two of 1 October, of a pod, a virtual machine and a divided GPU.
fn payload() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("payload")
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn convert(inputs: &[&Path], output: &Path, more: &[&str]) -> Outcome {
    let inputs: Vec<_> = inputs.iter().map(|path| text(path)).collect();
    let output = text(output);
    let mut arguments = vec!["convert", "--output", &output, "--org", "org1234567", "--source", SOURCE, "--input"];
    arguments.extend(inputs.iter().map(String::as_str));
    arguments.extend(more);
    tokaki::run(&arguments).expect("starts")
}

fn done(outcome: &Outcome) {
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
}

/// The content of all files below `folder`, by path.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let named = |path: PathBuf| {
        let content = fs::read(&path).expect("reads");
        (text(path.strip_prefix(folder).expect("lies below")), content)
    };
    files_below(folder).into_iter().map(named).collect()
}

/// The names of `files` that contain `part`.
fn names<'a>(files: &'a BTreeMap<String, Vec<u8>>, part: &str) -> Vec<&'a str> {
    files.keys().map(String::as_str).filter(|name| name.contains(part)).collect()
}

#[test]
fn a_folder_becomes_hourly_and_daily_files_by_day() {
    let output = tempfile::tempdir().expect("a folder");
    let outcome = convert(&[&payload()], output.path(), &[]);
    done(&outcome);
    for line in ["files read     6", "rows           32", "rows dropped   0", "files written  12 hourly, 12 daily"] {
        assert!(outcome.stdout.contains(line), "{}", outcome.stdout);
    }
    let files = files(output.path());
    let folder = |daily: &str, month: &str| {
        format!("data/parquet/{daily}org1234567/OCP/pod_usage/source={SOURCE}/year=2025/month={month}")
    };
    let pods = names(&files, "/pod_usage/");
    assert_eq!(
        pods,
        [
            format!("{}/pod_usage.2025-09-30.ocp_pod_usage.0_daily_0.parquet", folder("daily/", "09")),
            format!("{}/pod_usage.2025-10-01.ocp_pod_usage.0_daily_0.parquet", folder("daily/", "10")),
            format!("{}/pod_usage.2025-09-30.ocp_pod_usage.0_0.parquet", folder("", "09")),
            format!("{}/pod_usage.2025-10-01.ocp_pod_usage.0_0.parquet", folder("", "10")),
        ]
    );
    let columns = |names: &str| names.split(',').map(str::to_owned).collect::<Vec<_>>();
    let daily = rows(
        &[output.path().join(pods[1])],
        &columns(
            "pod,pod_labels,interval_start,resource_id,pod_usage_cpu_core_seconds,pod_effective_usage_memory_byte_seconds,node_capacity_cpu_cores,node_role",
        ),
    );
    // As Koku's own code groups these rows.
    let expected = [
        [
            "box",
            r#"{"vm_kubevirt_io_name":"box"}"#,
            "2025-10-01T00:00:00",
            "i-55555555",
            "7.000000000e3",
            "1.202590843e14",
            "4.000000000e0",
            "",
        ],
        [
            "web",
            r#"{"app":"web","app_kind":"x"}"#,
            "2025-10-01T00:00:00",
            "i-55555555",
            "2.847168000e3",
            "1.890215107e13",
            "4.000000000e0",
            "",
        ],
    ];
    assert_eq!(daily, expected);

    let gpu = files_below(&output.path().join(format!("data/parquet/daily/org1234567/OCP/gpu_usage/source={SOURCE}")));
    let gpu = rows(
        &gpu[..1],
        &columns("gpu_vendor_name,gpu_pod_uptime,mig_slice_count,mig_memory_capacity_mib,gpu_max_slices"),
    );
    assert_eq!(gpu, [["nvidia", "7.200000000e3", "2.000000000e0", "1.024000000e4", "7.000000000e0"]]);
}

#[test]
fn the_same_input_gives_the_same_bytes_and_replaces_itself() {
    let output = tempfile::tempdir().expect("a folder");
    done(&convert(&[&payload()], output.path(), &[]));
    let first = files(output.path());
    // What a longer file of the same name would have left.
    let pods = names(&first, "/pod_usage/");
    let older = output.path().join(pods[0].replace("_daily_0", "_daily_1"));
    let of_another = output.path().join(pods[0].replace("ocp_pod_usage", "pods"));
    fs::write(&older, "").expect("written");
    fs::write(&of_another, "").expect("written");
    done(&convert(&[&payload()], output.path(), &[]));
    assert!(!older.exists() && of_another.exists(), "only what came of the same file is replaced");
    fs::remove_file(of_another).expect("removed");
    assert_eq!(files(output.path()), first);
}

#[test]
fn reports_can_be_chosen_and_daily_files_left_out() {
    let output = tempfile::tempdir().expect("a folder");
    let outcome = convert(&[&payload()], output.path(), &["--no-daily", "--report-type", "pod_usage,node_labels"]);
    done(&outcome);
    assert!(outcome.stdout.contains("passed over    4"), "{}", outcome.stdout);
    let files = files(output.path());
    assert_eq!((files.len(), names(&files, "daily").len()), (4, 0));
}

fn archive(folder: &TempDir, files: &[&str]) -> PathBuf {
    let listed: Vec<_> = files.iter().chain(&["ocp_sent_apart.csv"]).collect();
    let manifest = format!(r#"{{"uuid": "{PAYLOAD}", "cluster_id": "c", "files": {listed:?}}}"#);
    let path = folder.path().join("payload.tar.gz");
    let gzip = flate2::write::GzEncoder::new(File::create(&path).expect("created"), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    for name in files {
        tar.append_path_with_name(payload().join(name), name).expect("packs");
    }
    let mut header = tar::Header::new_gnu();
    header.set_size(manifest.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, "manifest.json", manifest.as_bytes()).expect("packs");
    tar.into_inner().expect("packs").finish().expect("packs");
    path
}

#[test]
fn an_archive_gives_the_rows_of_its_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = archive(&folder, &["ocp_pod_usage.csv", "ocp_node_label.csv"]);
    let (packed, plain) = (folder.path().join("packed"), folder.path().join("plain"));
    let outcome = convert(&[&archive], &packed, &[]);
    done(&outcome);
    assert!(outcome.stdout.contains("ocp_sent_apart.csv  (listed in the manifest)"), "{}", outcome.stdout);
    done(&convert(&[&payload()], &plain, &["--report-type", "pod_usage,node_labels"]));
    let (packed, plain) = (files(&packed), files(&plain));
    assert_eq!(names(&packed, &format!("node_labels.2025-10-01.{PAYLOAD}.1_")).len(), 2);
    let contents = |files: &BTreeMap<String, Vec<u8>>| {
        let mut contents: Vec<_> = files.values().cloned().collect();
        contents.sort();
        contents
    };
    assert_eq!(contents(&packed), contents(&plain));

    let outcome = convert(&[&archive], &folder.path().join("small"), &["--max-unpacked", "1KiB"]);
    assert_eq!(outcome.code, Some(12));
    assert!(outcome.stderr.contains("unpacks to more than 1024 bytes"), "{}", outcome.stderr);
    assert_eq!(convert(&[&archive, &archive], &folder.path().join("twice"), &[]).code, Some(10));
    assert!(!folder.path().join("small").exists() && !folder.path().join("twice").exists());
}

#[test]
fn the_next_command_reads_what_was_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = text(folder.path());
    let input = text(&payload());
    let outcome = tokaki::run([
        "convert",
        "--input",
        &input,
        "--output",
        &output,
        "--org",
        "acct10001",
        "--source",
        &SOURCE.to_uppercase(),
    ])
    .expect("starts");
    done(&outcome);
    let command = outcome.stdout.lines().filter_map(|line| line.split_once("tokaki run ")).next_back();
    let (_, arguments) = command.expect("a command for October");
    let reference = folder.path().join("reference.json");
    let content = r#"{"report_period_id": 1, "cluster_id": "c", "cluster_alias": "c", "enabled_tag_keys": ["app"],
                      "cost_categories": [], "nodes": []}"#;
    fs::write(&reference, content).expect("written");
    let reference = format!("reference.path={}", reference.display());
    let sink = format!("sqlite:{}", folder.path().join("t.db").display());
    let mut arguments: Vec<_> = std::iter::once("run").chain(arguments.split(' ')).collect();
    arguments.extend(["--set", &reference, "--sink", &sink]);
    let outcome = tokaki::run(&arguments).expect("starts");
    done(&outcome);
    assert!(outcome.stdout.contains("pod_usage daily (1 file)"), "{}", outcome.stdout);
}

#[test]
fn a_bad_file_is_named_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("made/for/this");
    let pods = fs::read_to_string(payload().join("ocp_pod_usage.csv")).expect("reads");
    let refused = |content: &str, words: &[&str]| {
        let bad = folder.path().join("bad.csv");
        fs::write(&bad, content).expect("written");
        let outcome = convert(&[&payload(), &bad], &output, &[]);
        assert_eq!(outcome.code, Some(12), "{}", outcome.stderr);
        for word in words.iter().chain(&["bad.csv", "nothing was changed"]) {
            assert!(outcome.stderr.contains(word), "{word} is missing in {}", outcome.stderr);
        }
        assert!(!folder.path().join("made").exists(), "folders are taken away again");
    };
    refused(&pods.replace("633.528", "many"), &["line 2", "`many`", "pod_usage_cpu_core_seconds"]);
    refused(&pods.replace("2025-10-01 01:00:00 +0000 UTC", "soon"), &["line 8", "`soon`", "interval_start"]);
    refused(&pods.replace(",label_vm", ",,label_vm"), &["line 3: 20 fields, but the header has 19"]);
    refused("name,value\na,1\n", &["those of no known report"]);
}

#[test]
fn wrong_usage_is_told_from_missing_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let input = text(&payload());
    for (org, source) in [("../up", SOURCE), ("org1", "no-uuid")] {
        let arguments = ["convert", "--input", &input, "--output", "out", "--org", org, "--source", source];
        assert_eq!(tokaki::run(arguments).expect("starts").code, Some(2));
    }
    let outcome = convert(&[folder.path()], &folder.path().join("out"), &[]);
    assert_eq!(outcome.code, Some(11), "{}", outcome.stderr);
    let outcome = convert(&[&folder.path().join("nothing.csv")], &folder.path().join("out"), &[]);
    assert_eq!(outcome.code, Some(20), "{}", outcome.stderr);
    let pods = payload().join("ocp_pod_usage.csv");
    let outcome = convert(&[&payload(), &pods], &folder.path().join("out"), &[]);
    assert_eq!(outcome.code, Some(10), "{}", outcome.stderr);
}

#[test]
fn anomalies_are_reported_and_files_without_rows_give_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let pods = fs::read_to_string(payload().join("ocp_pod_usage.csv")).expect("reads");
    let nodes = fs::read_to_string(payload().join("ocp_node_label.csv")).expect("reads");
    let pods = pods.replace("633.528", "4e18").replace("label_app:web|", "label_url:a:b|");
    fs::write(folder.path().join("pods.csv"), pods).expect("written");
    fs::write(folder.path().join("nodes.csv"), nodes.lines().next().unwrap_or_default()).expect("written");
    fs::write(folder.path().join("nothing.csv"), "").expect("written");
    let output = folder.path().join("out");
    let outcome = convert(&[folder.path()], &output, &[]);
    done(&outcome);
    for words in ["pods.csv: line 2, pod_usage_cpu_core_seconds = 4e18", "rows dropped     1", "labels left out  4"] {
        assert!(outcome.stdout.contains(words), "{words} is missing in {}", outcome.stdout);
    }
    assert!(names(&files(&output), "node_labels").is_empty());

    let outcome = convert(&[&folder.path().join("pods.csv")], &output, &["--log-format", "json"]);
    let line: Value = serde_json::from_str(&outcome.stdout).expect("one JSON object");
    assert_eq!((&line["event"], &line["anomalies"][0]["rows"]), (&"converted".into(), &1.into()));
}

/// Names and values in the footer of a file that tell of its payload.
fn payload_notes(file: &[u8]) -> BTreeMap<String, String> {
    let file = bytes::Bytes::copy_from_slice(file);
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("is Parquet");
    let notes = reader.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    let notes = notes.into_iter().filter(|note| note.key.starts_with("Report") || note.key == "ManifestId");
    notes.map(|note| (note.key, note.value.unwrap_or_default())).collect()
}

#[test]
fn files_of_whole_days_tell_how_many_hours_they_have() {
    let work = tempfile::tempdir().expect("a folder");
    for (daily_reports, expected) in [(true, 3), (false, 0)] {
        let folder = work.path().join(format!("payload-{daily_reports}"));
        fs::create_dir(&folder).expect("made");
        fs::copy(payload().join("ocp_pod_usage.csv"), folder.join("ocp_pod_usage.csv")).expect("copied");
        let manifest = serde_json::json!({
            "uuid": PAYLOAD, "files": ["ocp_pod_usage.csv"], "daily_reports": daily_reports
        });
        fs::write(folder.join("manifest.json"), manifest.to_string()).expect("written");
        let output = work.path().join(format!("out-{daily_reports}"));
        done(&convert(&[&folder], &output, &[]));
        let files = files(&output);
        assert_eq!(files.len(), 4, "two days, hourly and daily");
        for (name, content) in &files {
            let notes = payload_notes(content);
            assert_eq!(notes.len(), expected, "{name}: {notes:?}");
            if daily_reports {
                assert_eq!((&*notes["ManifestId"], &*notes["ReportNumHours"]), (PAYLOAD, "2"), "{name}");
                assert!(name.contains(&notes["ReportDateStart"]), "{name}: {notes:?}");
            }
        }
    }
}

/// Two hours of a disk, and one of a bucket on the next day; one tag is Amazon's own.
const BILL: &str = "\
lineItem/UsageStartDate,lineItem/ResourceId,lineItem/ProductCode,lineItem/UsageAccountId,lineItem/LineItemType,\
lineItem/UsageAmount,lineItem/UnblendedCost,lineItem/UnblendedRate,product/region,resourceTags/user:app,\
resourceTags/user:team,resourceTags/aws:createdBy,costCategory/env
2025-10-01T00:00:00Z,vol-1,AmazonEC2,1,Usage,1,0.25,0.1,us-east-1,wéb,,me,
2025-10-01T01:00:00Z,vol-1,AmazonEC2,1,Usage,1,0.5,0.2,us-east-1,wéb,,you,
2025-10-02T00:00:00Z,bucket,AmazonS3,1,Usage,,0.125,0,us-east-1,,red,me,prod
";

#[test]
fn a_packed_bill_gives_the_bytes_of_an_unpacked_one() {
    let [plain, packed, plain_output, packed_output] = [(); 4].map(|()| TempDir::new().expect("a folder"));
    fs::write(plain.path().join("bill.csv"), BILL).expect("written");
    let file = packed.path().join("bill.csv.gz");
    let mut encoder = GzEncoder::new(File::create(&file).expect("a file"), Compression::fast());
    encoder.write_all(BILL.as_bytes()).expect("packed");
    encoder.finish().expect("packed");
    done(&convert(&[plain.path()], plain_output.path(), &[]));
    done(&convert(&[packed.path()], packed_output.path(), &[]));
    assert!(!files(plain_output.path()).is_empty());
    assert!(files(plain_output.path()) == files(packed_output.path()), "a packed bill gives other files");

    // The same under both names would count twice, and a broken one is told.
    fs::write(packed.path().join("bill.csv"), BILL).expect("written");
    let twice = convert(&[packed.path()], packed_output.path(), &[]);
    assert_eq!(twice.code, Some(10), "{}", twice.stderr);
    let bytes = fs::read(&file).expect("bytes");
    fs::write(&file, &bytes[..bytes.len() / 2]).expect("cut");
    let broken = convert(&[&file], packed_output.path(), &[]);
    assert_eq!(broken.code, Some(12), "{}", broken.stderr);
}

#[test]
fn a_bill_becomes_hourly_rows_and_daily_ones_with_ids_that_repeat() {
    let input = tempfile::tempdir().expect("a folder");
    let bill = input.path().join("bill.csv");
    fs::write(&bill, BILL).expect("written");
    let outputs = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    for output in &outputs {
        done(&convert(&[&bill], output.path(), &[]));
    }
    let [first, second] = outputs.each_ref().map(|output| files(output.path()));
    assert_eq!(first, second);

    let root = outputs[0].path().join("data/parquet");
    let month = format!("source={SOURCE}/year=2025/month=10");
    let hourly = files_below(&root.join("org1234567/AWS").join(&month));
    let daily = files_below(&root.join("daily/org1234567/AWS/raw").join(&month));
    assert_eq!((hourly.len(), daily.len()), (2, 2));
    let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(rows(&hourly, &columns(&["lineitem_resourceid"])).len(), 3);
    let grouped = columns(&[
        "lineitem_usagestartdate",
        "lineitem_resourceid",
        "lineitem_usageamount",
        "lineitem_unblendedcost",
        "lineitem_unblendedrate",
        "resourcetags",
        "costcategory",
    ]);
    assert_eq!(
        rows(&daily, &grouped),
        [
            [
                "2025-10-01T00:00:00",
                "vol-1",
                "2.000000000e0",
                "7.500000000e-1",
                "2.000000000e-1",
                r#"{"app": "w\u00e9b"}"#,
                "{}"
            ],
            [
                "2025-10-02T00:00:00",
                "bucket",
                "0.000000000e0",
                "1.250000000e-1",
                "0.000000000e0",
                r#"{"team": "red"}"#,
                r#"{"env": "prod"}"#
            ]
        ]
    );
    let ids = rows(&daily, &columns(&["row_uuid"]));
    assert!(ids[0] != ids[1] && ids.iter().all(|id| id[0].len() == 36), "{ids:?}");
}
