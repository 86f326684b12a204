//! The quick start's job with its files in a bucket, whatever goes wrong on the way.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{StringArray, UInt32Array};
use arrow::compute::take;
use tempfile::TempDir;
use tokaki_tests::cases::{Case, KOKU};
use tokaki_tests::command::Outcome;
use tokaki_tests::destination::{DAILY_SUMMARY, Destination, Sink};
use tokaki_tests::faults::Rule;
use tokaki_tests::folder::files_with_ending;
use tokaki_tests::rows::{self, Column, Kind, Row};
use tokaki_tests::s3::{ACCESS_KEY_ID, Identity, SECRET_ACCESS_KEY, Server};
use tokaki_tests::table;

use super::{copy, tokaki};

/// Bucket of the job.
pub(crate) const BUCKET: &str = "cost";
/// What must not be in anything that tokaki writes.
const CANARIES: [&str; 2] = [ACCESS_KEY_ID, SECRET_ACCESS_KEY];

/// The job, its bucket and the server that has it.
pub(crate) struct Job {
    root: TempDir,
    /// The server, for its faults.
    pub(crate) server: Server,
}

impl Job {
    /// The sample's files in a bucket.
    pub(crate) fn new() -> Self {
        Self::with_pages(1000)
    }

    /// The same, with listings of so many keys at once.
    pub(crate) fn with_pages(page: i32) -> Self {
        let root = TempDir::new().expect("a folder");
        copy(&repository().join("samples/quickstart/input"), &root.path().join(BUCKET));
        let server = Server::start_with_pages(root.path(), page).expect("a server");
        Self { root, server }
    }

    /// The sample's files in a bucket whose server has this certificate.
    pub(crate) fn secure(identity: Identity) -> Self {
        let root = TempDir::new().expect("a folder");
        copy(&repository().join("samples/quickstart/input"), &root.path().join(BUCKET));
        let server = Server::start_secure(root.path(), identity).expect("a server");
        Self { root, server }
    }

    /// The bucket's files as a folder.
    pub(crate) fn folder(&self) -> PathBuf {
        self.root.path().join(BUCKET)
    }

    /// All files, by name.
    pub(crate) fn all_files(&self) -> Vec<PathBuf> {
        files_with_ending(&self.folder(), "parquet")
    }

    /// The daily files of a report type, by name.
    pub(crate) fn files(&self, report_type: &str) -> Vec<PathBuf> {
        let mut files = self.all_files();
        files.retain(|file| file.to_string_lossy().contains(&format!("/daily/org1234567/OCP/{report_type}/")));
        files
    }

    /// The job's configuration.
    pub(crate) fn config() -> PathBuf {
        repository().join("config/quickstart.toml")
    }

    /// The job's reference data.
    pub(crate) fn reference() -> PathBuf {
        repository().join("samples/quickstart/reference.json")
    }

    /// Gives the first daily file of a report type so many labels that no request takes all of it at once.
    pub(crate) fn enlarge(&self, report_type: &str) {
        const ROWS: usize = 40_000;
        let file = self.files(report_type).swap_remove(0);
        let first = table::read(&file).expect("Parquet").slice(0, 1);
        let large = table::changed(&first, |name, column| {
            if name == report_type {
                let mut chance = fastrand::Rng::with_seed(1);
                let label = |_| {
                    let words: String = (0..4).map(|_| format!("{:032x}", chance.u128(..))).collect();
                    format!("{{\"app\": \"{words}\"}}")
                };
                Arc::new(StringArray::from_iter_values((0..ROWS).map(label)))
            } else {
                take(column, &UInt32Array::from(vec![0; ROWS]), None).expect("the row again and again")
            }
        });
        table::write(&file, &large.expect("a batch")).expect("written");
    }

    /// Runs the job from the bucket.
    pub(crate) fn run(&self, destination: &Destination<'_>, settings: &[&str]) -> Outcome {
        let mut all = vec![format!("store.url=s3://{BUCKET}")];
        all.extend(settings.iter().map(|setting| (*setting).to_owned()));
        run(&self.server.variables(), destination, &all)
    }

    /// Runs the job from the bucket with credentials of the settings alone.
    pub(crate) fn run_with_own_credentials(&self, destination: &Destination<'_>, settings: &[&str]) -> Outcome {
        let mut variables = self.server.variables();
        variables.retain(|(name, _)| !name.contains("ACCESS_KEY"));
        let mut all = vec![format!("store.url=s3://{BUCKET}")];
        all.extend(settings.iter().map(|setting| (*setting).to_owned()));
        run(&variables, destination, &all)
    }

    /// Runs the job from the folder.
    pub(crate) fn run_on_folder(&self, destination: &Destination<'_>, settings: &[&str]) -> Outcome {
        let mut all = vec![format!("store.url={}", self.folder().display())];
        all.extend(settings.iter().map(|setting| (*setting).to_owned()));
        run(&[], destination, &all)
    }

    /// The rows of a run that nothing disturbs.
    pub(crate) fn clean_rows(&self, destination: &Destination<'_>) -> Vec<Row> {
        let outcome = self.run_on_folder(destination, &[]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        content(destination)
    }

    /// Runs the job with these faults into a destination that holds other rows. Whatever comes of it, the destination
    /// holds those or all the new ones, and a plain run afterwards makes it good.
    pub(crate) fn run_through(&self, rules: impl IntoIterator<Item = Rule>, settings: &[&str]) -> Outcome {
        let sink = Sink::Sqlite;
        let destination = Destination::new(&sink).expect("a destination");
        let clean = self.clean_rows(&destination);
        let outcome = self.run_on_folder(&destination, &["semantics=conserving"]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let before = content(&destination);
        assert_ne!(before, clean);

        self.server.take_requests();
        self.server.set_faults(rules);
        let outcome = self.run(&destination, settings);
        let expected = if outcome.code == Some(0) { &clean } else { &before };
        assert!(content(&destination) == *expected, "neither unchanged nor complete: {}", outcome.stderr);

        self.server.set_faults([]);
        // The fault may have changed the files.
        let fresh = Destination::new(&sink).expect("a destination");
        let clean = self.clean_rows(&fresh);
        let rerun = self.run(&destination, &["run.shrink_limit=1"]);
        assert_eq!(rerun.code, Some(0), "a plain rerun: {}", rerun.stderr);
        assert!(content(&destination) == clean, "a plain rerun gives other rows");
        outcome
    }
}

/// Runs the quick start's job, told to tell everything, and looks for secrets in what it told.
pub(crate) fn run(variables: &[(String, String)], destination: &Destination<'_>, settings: &[String]) -> Outcome {
    let config = Job::config().display().to_string();
    let reference = Job::reference().display().to_string();
    let mut arguments = vec!["run".to_owned(), "--config".to_owned(), config];
    arguments.extend(destination.arguments());
    let fixed = [format!("reference.path={reference}"), "log.level=trace".to_owned()];
    arguments.extend(fixed.iter().chain(settings).flat_map(|setting| ["--set".to_owned(), setting.clone()]));
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let outcome = tokaki::run_with(&variables, &arguments).expect("runs");
    for canary in CANARIES {
        assert!(!outcome.stdout.contains(canary), "a secret is shown: {}", outcome.stdout);
        assert!(!outcome.stderr.contains(canary), "a secret is shown: {}", outcome.stderr);
    }
    outcome
}

/// The one error of an outcome, without the lines before it.
pub(crate) fn error(outcome: &Outcome) -> &str {
    let errors = outcome.stderr.lines().filter(|line| line.starts_with("error:")).count();
    assert_eq!(errors, 1, "one error: {}", outcome.stderr);
    &outcome.stderr[outcome.stderr.find("error:").expect("just counted")..]
}

/// Every column of every row, ids included, in an order of its own.
pub(crate) fn content(destination: &Destination<'_>) -> Vec<Row> {
    let mut rows = destination.read(DAILY_SUMMARY, &columns()).expect("rows");
    rows.sort_by_cached_key(|row| format!("{row:?}"));
    rows
}

/// All columns that tokaki writes.
pub(crate) fn columns() -> Vec<Column> {
    let mut columns = rows::files::columns(&Case::of_repository("one-pod").path(KOKU)).expect("columns");
    columns.push(Column { name: "uuid".into(), kind: Kind::Text });
    columns
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository").to_owned()
}
