//! The input is broken: what is wrong with a file has a module each.

mod bytes;
mod columns;
mod labels;
mod numbers;
mod sizes;
mod times;
mod writers;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use tokaki_tests::command::Outcome;
use tokaki_tests::destination::{Destination, Sink};
use tokaki_tests::rows::Row;
use tokaki_tests::table;

use crate::support::job::{Job, content, error};

/// A job on a folder whose files can be changed, and a destination that holds other rows.
struct Bench {
    job: Job,
    clean: Vec<Row>,
}

impl Bench {
    fn new() -> Self {
        let job = Job::new();
        let clean = job.clean_rows(&Destination::new(&Sink::Sqlite).expect("a destination"));
        Self { job, clean }
    }

    /// Runs the job with `file` damaged by `damage`; the destination must be as before or complete.
    fn run_damaged(&self, file: &Path, damage: impl FnOnce(&Path)) -> Outcome {
        let sink = Sink::Sqlite;
        let destination = Destination::new(&sink).expect("a destination");
        let whole = fs::read(file).expect("a file");
        assert_eq!(self.job.run_on_folder(&destination, &["semantics=conserving"]).code, Some(0));
        let before = content(&destination);
        damage(file);
        let outcome = self.job.run_on_folder(&destination, &[]);
        if outcome.code != Some(0) {
            assert!(content(&destination) == before, "changed although it failed: {}", outcome.stderr);
        }
        fs::write(file, whole).expect("repaired");
        assert_eq!(self.job.run_on_folder(&destination, &[]).code, Some(0), "a plain rerun");
        assert!(content(&destination) == self.clean, "a plain rerun gives other rows");
        outcome
    }
}

/// Writes the file anew, each column as `change` wants it.
fn rewrite(file: &Path, change: impl Fn(&str, &ArrayRef) -> ArrayRef) {
    table::rewrite(file, change).expect("a file that can be changed");
}

/// The label text of the first row, and the rest as it was.
pub(super) fn with_label(file: &Path, column: &str, text: &str) {
    rewrite(file, |name, values| {
        if name != column {
            return Arc::clone(values);
        }
        let plain = cast(values, &DataType::Utf8).expect("text");
        let texts = plain.as_string::<i32>().iter().enumerate();
        Arc::new(texts.map(|(row, value)| if row == 0 { Some(text) } else { value }).collect::<StringArray>())
    });
}

/// Broken input, with the file named in the one error.
pub(super) fn check_refused(outcome: &Outcome, file: &Path) {
    assert_eq!(outcome.code, Some(12), "{}", outcome.stderr);
    let name = file.file_name().expect("a name").to_string_lossy();
    assert!(error(outcome).contains(name.as_ref()), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
}
