//! What a conversion did: aligned lines for people or one JSON object, on stdout.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};
use indicatif::HumanCount;
use serde::Serialize;

use super::args::ConvertArgs;
use crate::config::settings::LogFormat;
use crate::report::columns::aligned;
use crate::report::{json, stdout};

/// The end of a conversion.
#[derive(Debug, Default, Serialize)]
#[serde(tag = "event", rename = "converted")]
pub(super) struct Summary {
    /// CSV files read.
    pub(super) files_read: u64,
    /// CSV files of reports that were not asked for.
    pub(super) files_passed_over: u64,
    /// Files that a manifest lists and that were not in its archive or folder.
    pub(super) files_absent: BTreeSet<String>,
    /// Rows written hourly.
    pub(super) rows: u64,
    /// Rows left out as anomalies, by file.
    pub(super) anomalies: Vec<FileAnomalies>,
    /// Labels that are not of the form `key:value`.
    pub(super) labels_left_out: u64,
    /// Days that rows are dated by.
    pub(super) days: BTreeSet<NaiveDate>,
    /// Hourly files written.
    pub(super) files_hourly: u64,
    /// Daily files written.
    pub(super) files_daily: u64,
    /// Where they are.
    pub(super) output: String,
    /// Commands that aggregate them, one per month.
    pub(super) next: Vec<String>,
}

/// Anomalies of one file.
#[derive(Debug, Serialize)]
pub(super) struct FileAnomalies {
    /// File as the user would name it.
    pub(super) file: String,
    /// Rows left out.
    pub(super) rows: u64,
    /// The first one, in words.
    pub(super) example: String,
}

impl Summary {
    /// Says where the files are, and what to do with them.
    pub(super) fn conclude(&mut self, args: &ConvertArgs) {
        self.output = args.output.join("data/parquet").to_string_lossy().into_owned();
        let store = shell_word(&format!("store.url={}", args.output.display()));
        let mut months: Vec<(NaiveDate, NaiveDate)> = Vec::new();
        for day in &self.days {
            match months.last_mut() {
                Some((first, last)) if (first.year(), first.month()) == (day.year(), day.month()) => *last = *day,
                _ => months.push((*day, *day)),
            }
        }
        let command = |(first, last): (NaiveDate, NaiveDate)| {
            let (org, source) = (&args.org, args.source);
            format!("tokaki run --set {store} --org {org} --source {source} --start-date {first} --end-date {last}")
        };
        self.next = months.into_iter().map(command).collect();
    }

    /// Writes it to stdout.
    pub(super) fn print(&self, format: LogFormat) {
        stdout(&match format {
            LogFormat::Text => self.text(),
            LogFormat::Json => json::line("info", self),
        });
    }

    fn text(&self) -> String {
        let mut rows: Vec<[String; 2]> = Vec::new();
        let mut row = |name: &str, value: String| rows.push([name.to_owned(), value]);
        let count = |number: u64| HumanCount(number).to_string();
        row("files read", count(self.files_read));
        if self.files_passed_over > 0 {
            row("passed over", format!("{}  files of other reports", count(self.files_passed_over)));
        }
        for file in &self.files_absent {
            row("not there", format!("{file}  (listed in the manifest)"));
        }
        row("rows", count(self.rows));
        row("rows dropped", count(self.anomalies.iter().map(|file| file.rows).sum()));
        for FileAnomalies { file, rows, example } in &self.anomalies {
            row("", format!("{}  {file}: {example}", count(*rows)));
        }
        if self.labels_left_out > 0 {
            row("labels left out", format!("{}  without exactly one colon", count(self.labels_left_out)));
        }
        if let (Some(first), Some(last)) = (self.days.first(), self.days.last()) {
            row("days", if first == last { first.to_string() } else { format!("{first} to {last}") });
        }
        row("files written", format!("{} hourly, {} daily", count(self.files_hourly), count(self.files_daily)));
        if !self.next.is_empty() {
            row("result", self.output.clone());
        }
        for (index, command) in self.next.iter().enumerate() {
            row(if index == 0 { "next" } else { "" }, command.clone());
        }
        if !self.next.is_empty() {
            let needs = "reference.json with tag keys, categories and nodes: tokaki plugins show reference/file";
            row("needs", needs.to_owned());
        }
        format!("tokaki  converted\n{}", aligned(&rows, "  "))
    }
}

/// `text` as one word of a POSIX shell.
fn shell_word(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+:@%=".contains(letter);
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
