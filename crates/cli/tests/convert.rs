//! `tokaki convert` through the built command: what it writes, and what it refuses.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use tempfile::TempDir;

const SOURCE: &str = "7f6d9c51-27c6-4a5e-a2ab-9cf1ab4c0e66";
const PAYLOAD: &str = "4e009161-4f40-42c8-877c-3e59f6baea3d";

/// Made by nise: two hours of 30 September and two of 1 October, of a pod, a virtual machine and a divided GPU.
fn payload() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payload")
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

struct Outcome {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn tokaki(arguments: &[&str]) -> Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokaki"));
    let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TOKAKI_"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    let output = command.args(arguments).current_dir(folder.path()).output().expect("starts");
    let text = |bytes| String::from_utf8(bytes).expect("is UTF-8");
    Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn convert(inputs: &[&Path], output: &Path, more: &[&str]) -> Outcome {
    let inputs: Vec<_> = inputs.iter().map(|path| text(path)).collect();
    let output = text(output);
    let mut arguments = vec!["convert", "--output", &output, "--org", "org1234567", "--source", SOURCE, "--input"];
    arguments.extend(inputs.iter().map(String::as_str));
    arguments.extend(more);
    tokaki(&arguments)
}

fn done(outcome: &Outcome) {
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
}

/// The content of all files below `folder`, by path.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn collect(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("lists").path();
            if path.is_dir() {
                collect(root, &path, found);
            } else {
                let name = text(path.strip_prefix(root).expect("lies below"));
                found.insert(name, fs::read(&path).expect("reads"));
            }
        }
    }
    let mut found = BTreeMap::new();
    collect(folder, folder, &mut found);
    found
}

/// The names of `files` that contain `part`.
fn names<'a>(files: &'a BTreeMap<String, Vec<u8>>, part: &str) -> Vec<&'a str> {
    files.keys().map(String::as_str).filter(|name| name.contains(part)).collect()
}

fn batches(file: &Path) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file).expect("opens")).expect("is Parquet");
    reader.build().expect("is Parquet").collect::<Result<_, _>>().expect("is whole")
}

/// A table's rows in a comparable form; null and the empty text are one, as in CSV, and so are labels without a pair.
fn rows(files: &[PathBuf], columns: &[String]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for batch in files.iter().flat_map(|file| batches(file)) {
        let cells: Vec<_> = columns.iter().map(|name| cells(&batch, name)).collect();
        rows.extend((0..batch.num_rows()).map(|row| cells.iter().map(|cells| cells[row].clone()).collect::<Vec<_>>()));
    }
    rows.sort();
    rows
}

fn cells(batch: &RecordBatch, name: &str) -> Vec<String> {
    let Some(column) = batch.column_by_name(name) else { return vec![String::new(); batch.num_rows()] };
    if column.data_type().is_numeric() {
        let numbers = cast(column, &DataType::Float64).expect("is a number");
        let numbers = numbers.as_primitive::<Float64Type>().iter();
        return numbers.map(|number| number.map(|number| format!("{number:.9e}")).unwrap_or_default()).collect();
    }
    let texts = cast(column, &DataType::Utf8).expect("has a text");
    let texts = texts.as_string::<i32>().iter().map(Option::unwrap_or_default);
    texts.map(|text| if name.ends_with("_labels") { canonical(text) } else { text.to_owned() }).collect()
}

fn canonical(labels: &str) -> String {
    let labels: BTreeMap<String, Value> = serde_json::from_str(labels).unwrap_or_default();
    serde_json::to_string(&labels).expect("is JSON")
}

fn parquet_files(folder: &Path) -> Vec<PathBuf> {
    files(folder).into_keys().map(|name| folder.join(name)).collect()
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

    let gpu =
        parquet_files(&output.path().join(format!("data/parquet/daily/org1234567/OCP/gpu_usage/source={SOURCE}")));
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
    let outcome = tokaki(&[
        "convert",
        "--input",
        &input,
        "--output",
        &output,
        "--org",
        "acct10001",
        "--source",
        &SOURCE.to_uppercase(),
    ]);
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
    let outcome = tokaki(&arguments);
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
        assert_eq!(tokaki(&arguments).code, Some(2));
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

/// Whatever Koku's code made of these hours, hourly and daily, comes out again when they are sent as CSV.
#[test]
fn hours_sent_again_become_the_days_that_koku_made_of_them() {
    /// Labels that no operator could send; no hourly rows; hourly rows of one day only.
    const UNFIT: [&str; 3] = ["label-numbers", "no-hourly-tables", "hourly-for-one-day-only"];
    /// Cases beside the repository that have virtual machines and GPUs, too.
    const WITH_GPUS: [&str; 2] = ["nise-example", "koku-on-premise"];
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    let mut cases: Vec<_> = fs::read_dir(scenarios).expect("lists").map(|case| case.expect("lists").path()).collect();
    cases.retain(|case| case.is_dir() && !UNFIT.iter().any(|unfit| case.ends_with(unfit)));
    if let Some(shared) = std::env::var_os("TOKAKI_CASES") {
        cases.extend(WITH_GPUS.map(|name| Path::new(&shared).join(name)));
    }
    assert!(cases.len() >= 10, "only {} cases", cases.len());
    // Files are synchronised with the disk, which is faster side by side.
    thread::scope(|scope| {
        for case in &cases {
            scope.spawn(|| compare(case));
        }
    });
}

fn compare(case: &Path) {
    let reference = fs::read(case.join("reference.json")).expect("reads");
    let reference: Value = serde_json::from_slice(&reference).expect("is JSON");
    let [org, source] = ["org", "source_uuid"].map(|key| reference[key].as_str().expect("a text").to_owned());
    let folder = |root: &Path, daily: &str, report: &str| {
        root.join(format!("data/parquet/{daily}{org}/OCP/{report}/source={source}"))
    };
    let work = tempfile::tempdir().expect("a folder");
    let (csv, output) = (work.path().join("csv"), work.path().join("out"));
    fs::create_dir(&csv).expect("made");
    let input = case.join("input");
    const REPORTS: [&str; 6] =
        ["pod_usage", "storage_usage", "node_labels", "namespace_labels", "vm_usage", "gpu_usage"];
    for report in REPORTS {
        for (number, file) in parquet_files(&folder(&input, "", report)).iter().enumerate() {
            send(file, &csv.join(format!("{report}-{number}.csv")));
        }
    }
    let arguments = ["convert", "--input", &text(&csv), "--output", &text(&output), "--org", &org, "--source", &source];
    done(&tokaki(&arguments));
    for (daily, report) in REPORTS.into_iter().flat_map(|report| [("", report), ("daily/", report)]) {
        let theirs = parquet_files(&folder(&input, daily, report));
        let columns: Vec<_> = theirs
            .first()
            .map(|file| {
                let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file).expect("opens"));
                let schema = reader.expect("is Parquet").schema().clone();
                schema.fields().iter().map(|field| field.name().clone()).collect()
            })
            .unwrap_or_default();
        let ours = parquet_files(&folder(&output, daily, report));
        let (ours, theirs) = (rows(&ours, &columns), rows(&theirs, &columns));
        let difference = ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs);
        assert_eq!(difference, None, "{daily}{report} of {}", case.display());
        assert_eq!(ours.len(), theirs.len(), "{daily}{report} of {}", case.display());
    }
}

/// Writes hourly rows the way the operator sends them.
fn send(parquet: &Path, csv: &Path) {
    let mut out = csv::Writer::from_path(csv).expect("created");
    for (index, batch) in batches(parquet).iter().enumerate() {
        let is_sent = |name: &str| !name.contains("_effective_");
        let fields = batch.schema_ref().fields().iter().filter(|field| is_sent(field.name()));
        let names: Vec<_> = fields.map(|field| field.name().as_str()).collect();
        if index == 0 {
            out.write_record(&names).expect("written");
        }
        for row in 0..batch.num_rows() {
            let cell = |name: &&str| {
                let column = batch.column_by_name(name).expect("a column");
                let column = cast(column, &DataType::Utf8).expect("has a text");
                let text = if column.is_null(row) { "" } else { column.as_string::<i32>().value(row) };
                if name.ends_with("_labels") { operator_labels(text) } else { text.to_owned() }
            };
            out.write_record(names.iter().map(cell)).expect("written");
        }
    }
    out.flush().expect("written");
}

fn operator_labels(json: &str) -> String {
    let labels: serde_json::Map<String, Value> = serde_json::from_str(json).unwrap_or_default();
    let labels = labels.iter().map(|(key, value)| format!("label_{key}:{}", value.as_str().expect("a text")));
    labels.collect::<Vec<_>>().join("|")
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
