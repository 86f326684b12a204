//! What a run did, in the end: aligned lines for people or one JSON object, on stdout.

use std::collections::BTreeMap;
use std::time::Duration;

use bytesize::ByteSize;
use indicatif::HumanCount;
use nix::sys::resource::{UsageWho, getrusage};
use serde::Serialize;
use tokaki_core::pipeline::{CacheUse, OutputRows, QuarantinedFile, Report};
use tokaki_core::{Finding, Grain, Scope, TableName};

use super::columns::aligned;
use super::{Reporter, json, stderr, stdout};
use crate::config::settings::LogFormat;

/// Findings that people see; the JSON summary has all.
const FINDINGS_SHOWN: usize = 5;

/// The end of a run.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename = "done")]
pub(crate) struct Summary<'a> {
    scope: &'a Scope,
    tables: Vec<TableFiles>,
    files: usize,
    rows_in: u64,
    rows_out: u64,
    rows_replaced: u64,
    outputs: &'a [OutputRows],
    /// Files that could not be read and were left out.
    quarantined: &'a [QuarantinedFile],
    /// What the cache was good for; null without one.
    cache: Option<&'a CacheUse>,
    /// What the aggregators noticed, for instance what parity with Koku counts more than once.
    findings: &'a [Finding],
    /// Wall clock.
    seconds: f64,
    /// Rows in per second.
    rows_per_second: f64,
    /// Unknown where the system does not say.
    peak_memory_bytes: Option<u64>,
    location: &'a str,
    look: &'a str,
}

/// A table that was read.
#[derive(Debug, Serialize)]
struct TableFiles {
    report_type: &'static str,
    grain: Grain,
    files: usize,
}

impl<'a> Summary<'a> {
    /// The summary of a run that took `elapsed`.
    pub(crate) fn new(scope: &'a Scope, done: &'a Report, reporter: &Reporter, elapsed: Duration) -> Self {
        let scans = reporter.plan().into_iter().flat_map(|plan| plan.all_stages()).flat_map(|stage| &stage.scans);
        // A table that two stages read is one table; tables of several sources are told as one.
        let by_source: BTreeMap<_, usize> = scans.map(|scan| ((&scan.table, &scan.of), scan.files.len())).collect();
        let mut tables: BTreeMap<&TableName, usize> = BTreeMap::new();
        for ((table, _), files) in by_source {
            *tables.entry(table).or_default() += files;
        }
        let seconds = elapsed.as_secs_f64();
        Self {
            scope,
            tables: tables
                .into_iter()
                .map(|(table, files)| TableFiles { report_type: table.report_type, grain: table.grain, files })
                .collect(),
            files: done.files,
            rows_in: done.rows_in,
            rows_out: done.outputs.iter().map(|output| output.rows).sum(),
            rows_replaced: done.receipt.rows_deleted,
            outputs: &done.outputs,
            quarantined: &done.quarantined,
            cache: done.cache.as_ref(),
            findings: &done.findings,
            seconds,
            rows_per_second: done.rows_in as f64 / seconds.max(f64::EPSILON),
            peak_memory_bytes: peak_memory(),
            location: &done.receipt.location,
            look: &done.receipt.look,
        }
    }

    /// Writes it to stdout, or to stderr where the rows go to stdout.
    pub(crate) fn print(&self, format: LogFormat) {
        let text = match format {
            LogFormat::Text => self.text(),
            LogFormat::Json => json::line("info", self),
        };
        if self.location.ends_with(":-") { stderr(&text) } else { stdout(&text) }
    }

    fn text(&self) -> String {
        let mut rows: Vec<[String; 2]> = Vec::new();
        let mut row = |name: &str, value: String| rows.push([name.to_owned(), value]);
        let scope = self.scope;
        row("scope", format!("{} · {} · {}", scope.org, shortened(&scope.source_uuid), scope.days));
        for (index, table) in self.tables.iter().enumerate() {
            row(if index == 0 { "tables" } else { "" }, table.to_string());
        }
        row("files", HumanCount(self.files as u64).to_string());
        row("rows in", HumanCount(self.rows_in).to_string());
        for (index, output) in self.outputs.iter().enumerate() {
            let rows_out = HumanCount(output.rows);
            row(
                if index == 0 { "rows out" } else { "" },
                format!("{rows_out}  {} ({})", output.table, output.aggregator),
            );
        }
        row("replaced", HumanCount(self.rows_replaced).to_string());
        if let Some(cache) = self.cache {
            row("cache", known(cache));
        }
        for (index, file) in self.quarantined.iter().enumerate() {
            row(if index == 0 { "left out" } else { "" }, file.reason.clone());
        }
        for (index, finding) in self.findings.iter().take(FINDINGS_SHOWN).enumerate() {
            row(if index == 0 { "noticed" } else { "" }, noticed(finding));
        }
        if self.findings.len() > FINDINGS_SHOWN {
            let more = HumanCount((self.findings.len() - FINDINGS_SHOWN) as u64);
            row("", format!("… and {more} more: --log-format json lists them all"));
        }
        // Fractions of a row per second are no news.
        let rate = HumanCount(self.rows_per_second.round() as u64);
        row("time", format!("{:.2} s ({rate} rows/s)", self.seconds));
        if let Some(bytes) = self.peak_memory_bytes {
            row("memory", format!("{} peak", ByteSize(bytes).display().iec()));
        }
        row("result", self.location.to_owned());
        if !self.look.is_empty() {
            row("look", self.look.to_owned());
        }
        format!("tokaki  done\n{}", aligned(&rows, "  "))
    }
}

/// What was known already, and what had to be read.
fn known(cache: &CacheUse) -> String {
    let CacheUse { windows, windows_recalled, states_recalled, states_computed, files_opened, .. } = cache;
    let others = states_recalled + states_computed;
    let opened = super::files(*files_opened);
    format!(
        "{windows_recalled} of {windows} windows known, {states_recalled} of {others} files in others; {opened} opened"
    )
}

/// One finding in a line, with its amounts.
fn noticed(finding: &Finding) -> String {
    let amounts = finding.amounts.iter().map(|amount| format!("{} +{:.3}", amount.measure, amount.value));
    format!("{}: {}: {}", finding.what, finding.subject, amounts.collect::<Vec<_>>().join(", "))
}

impl std::fmt::Display for TableFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let grain = if self.grain == Grain::Daily { "daily" } else { "hourly" };
        write!(f, "{} {grain} ({})", self.report_type, super::files(self.files))
    }
}

/// The first group of a uuid; people know their source by it.
fn shortened(uuid: &str) -> String {
    match uuid.split_once('-') {
        Some((first, _)) if uuid.len() == 36 => format!("{first}-…"),
        _ => uuid.to_owned(),
    }
}

/// The most memory that this program has had, in bytes.
fn peak_memory() -> Option<u64> {
    high_water_mark().or_else(max_rss)
}

/// Linux's own figure. It starts anew with the program, whereas `max_rss` begins with what the process held before it
/// became this program, for instance as cargo.
fn high_water_mark() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

fn max_rss() -> Option<u64> {
    /// Linux counts in KiB, macOS in bytes.
    const UNIT: u64 = if cfg!(target_os = "macos") { 1 } else { 1024 };
    let peak = getrusage(UsageWho::RUSAGE_SELF).ok()?.max_rss();
    u64::try_from(peak).ok().map(|peak| peak * UNIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokaki_core::{DateRange, Receipt};

    use crate::config::settings::LogSettings;

    #[test]
    fn the_summary_is_aligned_and_says_where_the_result_lies() {
        let day = "2025-10-01".parse().expect("a date");
        let scope = Scope {
            org: "org1234567".into(),
            source_uuid: "43736c61-0000-0000-0000-000000000000".into(),
            days: DateRange::new(day, day).expect("one day"),
        };
        let done = Report {
            files: 6,
            splits: 6,
            rows_in: 5760,
            outputs: vec![OutputRows { aggregator: "pod".into(), table: "summary".into(), rows: 42 }],
            findings: Vec::new(),
            quarantined: vec![QuarantinedFile { file: "a.parquet".into(), reason: "broken (file a.parquet)".into() }],
            receipt: Receipt {
                rows_deleted: 1,
                rows_inserted: 42,
                location: "sqlite:tokaki.db".into(),
                look: "sqlite3 tokaki.db".into(),
            },
            cache: Some(CacheUse { windows: 3, windows_recalled: 2, files_opened: 1, ..CacheUse::default() }),
        };
        let reporter = Reporter::new(&LogSettings::default(), true);
        let mut summary = Summary::new(&scope, &done, &reporter, Duration::from_millis(500));
        summary.peak_memory_bytes = Some(38 << 20);
        let expected = "\
tokaki  done
  scope     org1234567 · 43736c61-… · 2025-10-01
  files     6
  rows in   5,760
  rows out  42  summary (pod)
  replaced  1
  cache     2 of 3 windows known, 0 of 0 files in others; 1 file opened
  left out  broken (file a.parquet)
  time      0.50 s (11,520 rows/s)
  memory    38.0 MiB peak
  result    sqlite:tokaki.db
  look      sqlite3 tokaki.db
";
        assert_eq!(summary.text(), expected);
        let json: serde_json::Value = serde_json::from_str(&json::line("info", &summary)).expect("JSON");
        assert_eq!((&json["event"], &json["rows_out"]), (&"done".into(), &42.into()));
    }
}
