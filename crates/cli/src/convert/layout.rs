//! Where Koku puts its files, and what it calls them (spec § 1).

use std::path::PathBuf;

use chrono::{Datelike, NaiveDate};
use tokaki_core::Grain;
use tokaki_readers::koku::{account, root};
use tokaki_readers::payload::ReportType;
use uuid::Uuid;

/// Root of all files of one source.
#[derive(Debug)]
pub(super) struct Layout {
    account: String,
    source: Uuid,
}

/// The hourly and daily files that come of one CSV file and day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DayOfFile {
    /// What the rows report.
    pub(super) report_type: ReportType,
    /// Day of the rows, UTC.
    pub(super) day: NaiveDate,
    /// What the payload is known by; takes the place of Koku's manifest id.
    pub(super) payload: String,
    /// Number of the CSV file in its payload.
    pub(super) number: usize,
}

impl Layout {
    /// The layout of a source of the customer schema `org`. Paths name an old schema `acct12345` by its number.
    pub(super) fn new(org: &str, source: Uuid) -> Self {
        Self { account: account(org).to_owned(), source }
    }

    /// Folder of a table's month, below the output folder.
    pub(super) fn folder(&self, of: &DayOfFile, grain: Grain) -> PathBuf {
        let root = root(&of.report_type.table(grain), &self.account, &self.source.to_string());
        format!("{root}/year={:04}/month={:02}", of.day.year(), of.day.month()).into()
    }

    /// Path of one file, below the output folder.
    pub(super) fn path(&self, of: &DayOfFile, grain: Grain, chunk: usize) -> PathBuf {
        let daily = if grain == Grain::Daily { "daily_" } else { "" };
        self.folder(of, grain).join(format!("{}_{daily}{chunk}.parquet", of.stem()))
    }
}

impl DayOfFile {
    pub(super) fn stem(&self) -> String {
        format!("{}.{}.{}.{}", self.report_type, self.day, self.payload, self.number)
    }

    /// Whether `name` is the name of one of these files, whatever its chunk.
    pub(super) fn owns(&self, name: &str) -> bool {
        let chunk = name.strip_prefix(&self.stem()).and_then(|rest| rest.strip_prefix('_'));
        let chunk = chunk.map(|chunk| chunk.strip_prefix("daily_").unwrap_or(chunk));
        let number = chunk.and_then(|chunk| chunk.strip_suffix(".parquet"));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    }
}
