//! A cache changes how much is read and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};
use std::thread;

use arrow::array::{ArrayRef, StringArray, UInt32Array};
use arrow::compute::take_record_batch;
use bytes::Bytes;
use parquet::file::metadata::{ParquetMetaDataReader, RowGroupMetaData};
use proptest::prelude::*;
use serde_json::Value;
use tempfile::TempDir;
use tokaki_tests::cases::{self, Case};
use tokaki_tests::command::Tokaki;
use tokaki_tests::destination::{Destination, Sink};
use tokaki_tests::faults::{Fault, Rule};
use tokaki_tests::folder::files_below;
use tokaki_tests::parallel;
use tokaki_tests::s3::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};
use tokaki_tests::table;

use crate::support::job::{BUCKET, Job, content};
use crate::support::{copy, tokaki};

/// A case of four days in several files, whose run is about the two in the middle.
const MANY_FILES: &str = "range-inside-data";
const ALL_AGGREGATORS: &str = "aggregators.enabled=[\"pod\",\"storage\",\"unallocated\",\"gpu\",\"vm\"]";

/// What a run wrote, by file name, and the summary that it printed.
struct Done {
    files: BTreeMap<String, Vec<u8>>,
    summary: Value,
    stderr: String,
}

impl Done {
    /// A count of the cache.
    fn count(&self, name: &str) -> u64 {
        self.summary["cache"][name].as_u64().unwrap_or_else(|| panic!("{name} is not in {}", self.summary))
    }

    fn is_like(&self, other: &Self) -> bool {
        let told = |done: &Self| (done.summary["rows_in"].clone(), done.summary["findings"].clone());
        self.files == other.files && told(self) == told(other)
    }
}

/// A case of one's own, and a cache for it.
struct Setup {
    folder: TempDir,
}

impl Setup {
    fn new(case: &Case) -> Self {
        let setup = Self { folder: TempDir::new().expect("a folder") };
        copy(&case.folder, &setup.case());
        setup
    }

    fn case(&self) -> PathBuf {
        self.folder.path().join("case")
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn run(&self, settings: &[&str]) -> Done {
        self.run_of(&tokaki::command(), settings)
    }

    fn run_of(&self, tokaki: &Tokaki, settings: &[&str]) -> Done {
        self.run_into(TempDir::new().expect("a folder").path(), tokaki, settings)
    }

    fn run_into(&self, out: &Path, tokaki: &Tokaki, settings: &[&str]) -> Done {
        let mut arguments = vec!["run".to_owned(), "--case".to_owned(), self.case().display().to_string()];
        arguments.extend(["--sink".to_owned(), format!("parquet:{}", out.display())]);
        let all = settings.iter().chain(&["log.format=json"]);
        arguments.extend(all.flat_map(|setting| ["--set".to_owned(), (*setting).to_owned()]));
        let outcome = tokaki.run(&arguments).expect("runs");
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let files = fs::read_dir(out).expect("a folder").map(|entry| {
            let path = entry.expect("an entry").path();
            (path.file_name().expect("a name").to_string_lossy().into_owned(), fs::read(&path).expect("a file"))
        });
        Done {
            files: files.collect(),
            summary: serde_json::from_str(&outcome.stdout).expect("a summary"),
            stderr: outcome.stderr,
        }
    }

    fn run_cached(&self, settings: &[&str]) -> Done {
        let cache = format!("cache.url={}", self.cache().display());
        self.run(&[settings, &[&cache]].concat())
    }

    /// The input files whose path has `part` in it.
    fn inputs(&self, part: &str) -> Vec<PathBuf> {
        files_below(&self.case().join("input"))
            .into_iter()
            .filter(|path| path.to_string_lossy().contains(part))
            .collect()
    }

    /// The entries of a kind.
    fn entries(&self, kind: &str) -> Vec<PathBuf> {
        files_below(&self.cache())
            .into_iter()
            .filter(|path| path.to_string_lossy().contains(&format!("_{kind}_")))
            .collect()
    }
}

fn check_all(semantics: &str) {
    let cases = cases::good().expect("cases");
    parallel::map(&cases, |case| {
        let name = case.name();
        let setup = Setup::new(case);
        let semantics = format!("semantics={semantics}");
        for aggregators in ["aggregators.enabled=[\"pod\",\"storage\",\"unallocated\"]", ALL_AGGREGATORS] {
            let settings = [&semantics, aggregators];
            let plain = setup.run(&settings);
            assert_eq!(plain.summary["cache"], Value::Null);
            let cold = setup.run_cached(&settings);
            assert!(cold.is_like(&plain), "{name}: cold");
            let states = cold.count("states_computed");
            let warm = setup.run_cached(&[&settings[..], &["run.workers=7", "run.chunk_rows=3"]].concat());
            assert!(warm.is_like(&plain), "{name}: warm");
            assert_eq!((warm.count("files_opened"), warm.count("states_computed")), (0, 0), "{name}");
            // Without the windows their files' states are taken.
            setup.entries("window").iter().for_each(|entry| fs::remove_file(entry).expect("removed"));
            let half = setup.run_cached(&[&settings[..], &["run.workers=1"]].concat());
            assert!(half.is_like(&plain), "{name}: from states");
            assert_eq!((half.count("files_opened"), half.count("states_recalled")), (0, states), "{name}");
        }
    });
}

#[test]
fn koku_bytes_are_the_same_without_a_cache_with_a_cold_one_and_with_a_warm_one() {
    check_all("koku");
}

#[test]
fn conserving_bytes_are_the_same_without_a_cache_with_a_cold_one_and_with_a_warm_one() {
    check_all("conserving");
}

/// A case whose 9 October has many namespaces, and whose 10 October has few.
fn crowd() -> Setup {
    const NAMESPACES: u32 = 5_000;
    let setup = Setup::new(&Case::of_repository(MANY_FILES));
    for file in setup.inputs("OCP/pod_usage").iter().filter(|file| file.to_string_lossy().contains("2025-10-09")) {
        let rows = table::read(file).expect("a file");
        let times = rows.num_rows();
        let each = UInt32Array::from_iter_values((0..NAMESPACES).flat_map(|_| 0..times as u32));
        let rows = take_record_batch(&rows, &each).expect("rows");
        let namespaces: Vec<String> = (0..NAMESPACES).flat_map(|n| vec![format!("ns-{n}"); times]).collect();
        let namespaces: ArrayRef = Arc::new(StringArray::from(namespaces));
        let of = |name: &str, column: &ArrayRef| if name == "namespace" { namespaces.clone() } else { column.clone() };
        table::write(file, &table::changed(&rows, of).expect("rows")).expect("written");
    }
    setup
}

/// Rows of many are encoded by the workers, rows of few by the sink, and which ones depends on the rows alone.
#[test]
fn days_that_are_encoded_ahead_are_the_same_bytes_too() {
    let setup = crowd();
    let plain = setup.run(&["reader.pods=hourly"]);
    let file = &plain.files["reporting_ocpusagelineitem_daily_summary.parquet"];
    let footer = ParquetMetaDataReader::new().parse_and_finish(&Bytes::from(file.clone())).expect("a footer");
    let row_groups: Vec<i64> = footer.row_groups().iter().map(RowGroupMetaData::num_rows).collect();
    assert_eq!(row_groups, [5_000, 5], "one for the many rows of a day, and one for all others");

    let with = |settings: &[&'static str]| [&["reader.pods=hourly"], settings].concat();
    for settings in [["run.workers=1", "run.window_rows=0"], ["run.workers=7", "run.window_rows=9999999"]] {
        assert!(setup.run(&with(&settings)).is_like(&plain), "{settings:?}");
    }
    for settings in [["run.mode=serial", "run.chunk_rows=700"], ["run.mode=parallel", "run.chunk_rows=9"]] {
        fs::remove_dir_all(setup.cache()).ok();
        assert!(setup.run_cached(&with(&settings)).is_like(&plain), "{settings:?}: cold");
        let warm = setup.run_cached(&with(&settings));
        assert!(warm.is_like(&plain) && warm.count("windows_recalled") == 2, "{settings:?}: warm");
    }

    // The same into a file that is there: all of it goes, and half of it.
    let out = TempDir::new().expect("a folder");
    let cache = format!("cache.url={}", setup.cache().display());
    for days in ["scope.start_date=2025-10-09", "scope.start_date=2025-10-09", "scope.start_date=2025-10-10"] {
        let settings = [&with(&[days])[..], &[&cache]].concat();
        let done = setup.run_into(out.path(), &tokaki::command(), &settings);
        assert!(done.files == plain.files, "{days}");
    }

    // Half of the entry of many rows is bytes that the sink would copy without looking at them.
    let largest = setup.entries("window").into_iter().max_by_key(|entry| fs::metadata(entry).expect("a file").len());
    let largest = largest.expect("an entry");
    let mut entry = fs::read(&largest).expect("an entry");
    let middle = entry.len() / 2;
    entry[middle] ^= 1;
    fs::write(&largest, entry).expect("damaged");
    let done = setup.run_cached(&with(&[]));
    assert!(done.is_like(&plain) && done.count("entries_ignored") == 1);
}

/// What one sink takes encoded is nothing to another one.
#[test]
fn a_cache_is_shared_by_sinks_of_different_forms() {
    let setup = crowd();
    let plain = setup.run(&["reader.pods=hourly"]);
    let json_lines = |settings: &[&str]| {
        let folder = TempDir::new().expect("a folder");
        let url = format!("jsonl:{}", folder.path().join("rows").display());
        let case = setup.case().display().to_string();
        let fixed = ["run", "--case", &case, "--sink", &url, "--set", "reader.pods=hourly"];
        let arguments = fixed.into_iter().chain(settings.iter().flat_map(|setting| ["--set", setting]));
        let outcome = tokaki::run(arguments).expect("runs");
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        files_below(folder.path()).iter().map(|file| fs::read(file).expect("a file")).collect::<Vec<_>>()
    };
    let lines = json_lines(&[]);
    let cache = format!("cache.url={}", setup.cache().display());
    for _ in 0..2 {
        assert!(setup.run_cached(&["reader.pods=hourly"]).is_like(&plain));
        assert!(json_lines(&[&cache]) == lines);
    }
}

#[test]
fn of_a_file_that_came_only_itself_is_read() {
    for semantics in ["semantics=koku", "semantics=conserving"] {
        let setup = Setup::new(&Case::of_repository(MANY_FILES));
        let settings = [semantics, "reader.pods=hourly"];
        let hidden = setup.folder.path().join("hidden");
        let file = setup.inputs("OCP/pod_usage").into_iter().find(|path| {
            let path = path.to_string_lossy();
            path.contains("2025-10-10") && !path.contains("/daily/")
        });
        let file = file.expect("the pods of a day in the scope");
        fs::rename(&file, &hidden).expect("hidden");
        let before = setup.run_cached(&settings);
        fs::rename(&hidden, &file).expect("shown");
        let after = setup.run_cached(&settings);
        assert!(!after.is_like(&before), "the file has rows");
        assert!(after.is_like(&setup.run(&settings)), "{semantics}");
        assert_eq!((after.count("files_opened"), after.count("states_computed")), (1, 1), "{semantics}");
        assert_eq!(after.count("windows_recalled"), after.count("windows") - 1, "{semantics}");
        // And again: what was taken from the cache stays there.
        fs::rename(&file, &hidden).expect("hidden");
        assert!(setup.run_cached(&settings).is_like(&before), "{semantics}");
    }
}

#[test]
fn whatever_file_comes_or_goes_the_rows_are_those_of_the_files_that_are_there() {
    for semantics in ["semantics=koku", "semantics=conserving"] {
        let setup = Setup::new(&Case::of_repository(MANY_FILES));
        setup.run_cached(&[semantics]);
        let inputs = setup.inputs(".parquet");
        for file in &inputs {
            let hidden = setup.folder.path().join("hidden");
            fs::rename(file, &hidden).expect("hidden");
            assert!(setup.run_cached(&[semantics]).is_like(&setup.run(&[semantics])), "without {}", file.display());
            fs::rename(&hidden, file).expect("shown");
        }
        assert!(setup.run_cached(&[semantics]).is_like(&setup.run(&[semantics])), "{semantics}");
    }
}

#[test]
fn a_file_that_changed_is_read_again_and_its_old_entries_are_removed() {
    let setup = Setup::new(&Case::of_repository(MANY_FILES));
    let before = setup.run_cached(&[]);
    let entries = files_below(&setup.cache()).len();
    let pods = setup.inputs("daily/org1234567/OCP/pod_usage");
    // The pods of another day: same rows as ever in a file of this name, which are of no day of the scope now.
    fs::copy(&pods[0], &pods[1]).expect("replaced");
    let after = setup.run_cached(&[]);
    assert!(!after.is_like(&before));
    assert!(after.is_like(&setup.run(&[])));
    assert_eq!(after.count("files_opened"), 1);
    assert!(files_below(&setup.cache()).len() <= entries, "old entries stay");
    assert_eq!(files_below(&setup.cache().join(".drafts")), [""; 0].map(PathBuf::from));
}

#[test]
fn an_entry_that_is_not_what_its_name_says_is_never_used() {
    let setup = Setup::new(&Case::of_repository(MANY_FILES));
    let plain = setup.run(&[]);
    setup.run_cached(&[]);
    for kind in ["files", "window", "state"] {
        let entries = setup.entries(kind);
        assert!(!entries.is_empty(), "{kind}");
        let good: Vec<Vec<u8>> = entries.iter().map(|entry| fs::read(entry).expect("an entry")).collect();
        let other = fs::read(&setup.entries(if kind == "state" { "window" } else { "state" })[0]).expect("an entry");
        let neighbour = |index: usize| good[(index + 1) % good.len()].clone();
        type Damage<'a> = (&'a str, &'a dyn Fn(usize) -> Vec<u8>);
        let damages: [Damage<'_>; 5] = [
            ("a bit flipped", &|index| {
                let mut bytes = good[index].clone();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 4;
                bytes
            }),
            ("cut short", &|index| good[index][..good[index].len() - 1].to_vec()),
            ("empty", &|_| Vec::new()),
            ("another kind's", &|_| other.clone()),
            ("a neighbour's", &|index| if good.len() > 1 { neighbour(index) } else { b"nothing".to_vec() }),
        ];
        for (damage, bytes) in damages {
            for (index, entry) in entries.iter().enumerate() {
                fs::write(entry, bytes(index)).expect("damaged");
            }
            if kind == "state" {
                // States are asked for only where the window is not known.
                setup.entries("window").iter().for_each(|entry| fs::remove_file(entry).expect("removed"));
            }
            let done = setup.run_cached(&[]);
            assert!(done.is_like(&plain), "{kind}: {damage}");
            assert!(done.count("entries_ignored") > 0, "{kind}: {damage}");
            assert!(done.stderr.contains("entry_ignored"), "{kind}: {damage}: {}", done.stderr);
            // It was made good on the way.
            let again = setup.run_cached(&[]);
            assert_eq!((again.count("entries_ignored"), again.count("files_opened")), (0, 0), "{kind}: {damage}");
        }
    }
}

#[test]
fn what_was_kept_under_other_settings_is_not_used() {
    let setup = Setup::new(&Case::of_repository(MANY_FILES));
    let reference = setup.case().join("reference.json");
    let mut tags: Value = serde_json::from_slice(&fs::read(&reference).expect("a file")).expect("JSON");
    tags["enabled_tag_keys"].as_array_mut().expect("a list").push("one_more".into());
    let other_reference = setup.folder.path().join("other.json");
    fs::write(&other_reference, tags.to_string()).expect("written");
    let other_reference = format!("reference.path={}", other_reference.display());
    for other in [
        "semantics=conserving",
        "reader.pods=hourly",
        "aggregators.enabled=[\"pod\"]",
        "aggregators.enabled=[\"pod\",\"storage\"]",
        &other_reference,
    ] {
        setup.run_cached(&[]);
        let done = setup.run_cached(&[other]);
        assert_eq!((done.count("windows_recalled"), done.count("states_recalled")), (0, 0), "{other}");
        assert!(done.is_like(&setup.run(&[other])), "{other}");
    }
}

#[test]
fn what_another_build_kept_is_not_used() {
    let setup = Setup::new(&Case::of_repository(MANY_FILES));
    setup.run_cached(&[]);
    let copied = setup.folder.path().join("tokaki");
    fs::copy(tokaki::command().binary(), &copied).expect("copied");
    let cache = format!("cache.url={}", setup.cache().display());
    let done = setup.run_of(&Tokaki::new(copied), &[&cache]);
    assert_eq!((done.count("windows_recalled"), done.count("states_recalled")), (0, 0));
}

#[test]
fn what_a_run_of_fewer_days_kept_is_used_for_more() {
    let setup = Setup::new(&Case::of_repository(MANY_FILES));
    let all = ["scope.start_date=2025-10-08", "scope.end_date=2025-10-11"];
    let few = ["scope.start_date=2025-10-08", "scope.end_date=2025-10-09"];
    setup.run_cached(&few);
    let done = setup.run_cached(&all);
    assert_eq!((done.count("windows"), done.count("windows_recalled")), (4, 2));
    assert!(done.is_like(&setup.run(&all)));
    // Entries of days that a run is not about are none of its business.
    setup.run_cached(&few);
    assert_eq!(setup.run_cached(&all).count("windows_recalled"), 4);
}

#[test]
fn runs_may_share_a_cache_at_the_same_time() {
    let setup = Setup::new(&Case::of_repository(MANY_FILES));
    let plain = setup.run(&[]);
    for _ in 0..3 {
        let start = Barrier::new(4);
        thread::scope(|scope| {
            let run = || {
                start.wait();
                setup.run_cached(&[])
            };
            let runs: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
            for run in runs {
                assert!(run.join().expect("no panic").is_like(&plain));
            }
        });
        let warm = setup.run_cached(&[]);
        assert_eq!((warm.count("files_opened"), warm.count("entries_ignored")), (0, 0));
        fs::remove_dir_all(setup.cache()).expect("removed");
    }
}

#[test]
fn a_cache_that_cannot_be_used_is_told_of_once_and_fails_nothing() {
    let setup = Setup::new(&Case::of_repository(MANY_FILES));
    let plain = setup.run(&[]);
    fs::write(setup.cache(), "a file where the folder should be").expect("written");
    let done = setup.run_cached(&[]);
    assert!(done.is_like(&plain));
    assert_eq!(done.stderr.matches("this run goes on without it").count(), 1, "{}", done.stderr);

    // Entries cannot be written where their folder is a file.
    fs::remove_file(setup.cache()).expect("removed");
    fs::create_dir(setup.cache()).expect("made");
    fs::write(setup.cache().join("org1234567"), "a file").expect("written");
    let done = setup.run_cached(&[]);
    assert!(done.is_like(&plain));
    assert_eq!(done.stderr.matches("this run goes on without it").count(), 1, "{}", done.stderr);
}

#[test]
fn the_plan_tells_how_many_files_are_known() {
    let setup = Setup::new(&Case::of_repository(MANY_FILES));
    let cache = format!("cache.url={}", setup.cache().display());
    let case = setup.case().display().to_string();
    let plan = || {
        let outcome = tokaki::run(["run", "--case", &case, "--set", &cache, "--set", "log.format=json", "--plan"]);
        let plan: Value = serde_json::from_str(&outcome.expect("runs").stdout).expect("a plan");
        plan["cache"]["files_known"].as_u64()
    };
    assert_eq!(plan(), Some(0));
    let all = setup.run_cached(&[]).summary["files"].as_u64();
    assert_eq!(plan(), all);
}

#[test]
fn a_bucket_keeps_entries_too() {
    let job = Job::new();
    let sink = Sink::Sqlite;
    let destination = Destination::new(&sink).expect("a destination");
    let clean = job.clean_rows(&destination);
    let url = format!("cache.url=s3://{BUCKET}/kept/between/runs");
    let settings = [url.as_str()];
    let known = |outcome: &str| outcome.contains("0 files opened");
    for warm in [false, true] {
        let outcome = job.run(&destination, &settings);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert_eq!(known(&outcome.stdout), warm, "{}{}", outcome.stdout, outcome.stderr);
        assert!(content(&destination) == clean);
    }
    let entries = files_below(&job.folder().join("kept/between/runs"));
    assert!(!entries.is_empty());
    for entry in entries {
        let bytes = fs::read(&entry).expect("an entry");
        for secret in [ACCESS_KEY_ID, SECRET_ACCESS_KEY] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{}", entry.display());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn whatever_goes_wrong_with_the_cache_the_rows_are_right(
        cold: bool,
        fault in prop::sample::select(vec!["denied", "broken", "page", "cut", "garbled"]),
        after in 0_usize..40,
        times in 1_usize..30,
    ) {
        let job = Job::new();
        let sink = Sink::Sqlite;
        let destination = Destination::new(&sink).expect("a destination");
        let clean = job.clean_rows(&destination);
        let url = format!("cache.url=s3://{BUCKET}/kept");
        let settings = [url.as_str(), "store.retries=1", "store.retry_delay_ms=1"];
        if !cold {
            prop_assert_eq!(job.run(&destination, &settings).code, Some(0));
        }
        let fault = match fault {
            "denied" => Fault::denied(),
            "broken" => Fault::internal_error(),
            "page" => Fault::ErrorPage,
            "cut" => Fault::CutAfter(100),
            _ => Fault::Garble { seed: after as u64 },
        };
        job.server.set_faults([Rule::always(fault).to("kept").after(after).times(times)]);
        let outcome = job.run(&destination, &settings);
        job.server.set_faults([]);
        prop_assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        prop_assert!(content(&destination) == clean);
    }
}
