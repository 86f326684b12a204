//! Log lines on stderr, for people who read them later.

use std::fmt;
use std::io::IsTerminal;

use indicatif::HumanCount;
use tokaki_core::pipeline::{Event, Observer, TableChoice};
use tokaki_core::{Scope, member};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::Voice;
use crate::config::settings::{LogFormat, LogLevel, LogSettings};

/// Where tokaki's own lines come from.
const OWN: &str = "tokaki";

/// Sends log lines to stderr from now on. Libraries are heard from `warn` on: what they say below that is about
/// themselves, and may quote what they were given.
pub(crate) fn start(settings: &LogSettings, quiet: bool) {
    let level = match settings.level {
        _ if quiet => LevelFilter::ERROR,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let filter = Targets::new().with_default(level.min(LevelFilter::WARN)).with_target(OWN, level);
    let lines =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let lines = match settings.format {
        LogFormat::Text => lines.with_target(false).with_filter(filter).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
    };
    // Fails only where a program that embeds the command logs already, and then that log serves.
    tracing_subscriber::registry().with(lines).try_init().ok();
}

/// The events of a run as log lines.
pub(crate) struct Lines;

impl Observer for Lines {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Planned { plan } => {
                let Scope { org, source_uuid, days } = &plan.scope;
                info(format_args!("run of {org} {source_uuid} for {days}: {}", super::files(plan.files())));
                for TableChoice { report_type, taken, of, reason } in &plan.choices {
                    let report_type = member::name(report_type, of.as_deref());
                    info(format_args!("{report_type} is read from {taken}: {reason}"));
                }
            }
            Event::Started { windows, splits, rows, workers } => {
                let rows = HumanCount(*rows);
                info(format_args!(
                    "{rows} rows in {splits} row groups, by {windows} window(s) of days and {workers} worker(s)"
                ));
            }
            Event::SplitFolded { file, row_group, rows, rows_in_scope, .. } => {
                tracing::debug!(target: OWN, "{file} row group {row_group}: {rows_in_scope} of {rows} rows in scope");
            }
            Event::Recalled { days, file: Some(file), .. } => {
                tracing::debug!(target: OWN, "{file} is known for {days}");
            }
            Event::Recalled { days, file: None, .. } => tracing::debug!(target: OWN, "{days} is known"),
            Event::EntryIgnored { entry, reason } => {
                tracing::warn!(target: OWN, "the entry {entry} of the cache is not used: {reason}");
            }
            Event::BeganAnew { reason } => {
                tracing::warn!(target: OWN, "the run begins anew, one window at a time: {reason}");
            }
            Event::FewerThreads { workers, reason } => {
                tracing::warn!(target: OWN, "only {workers} worker(s): the system gives no more threads: {reason}");
            }
            Event::Quarantined { file } => {
                tracing::warn!(target: OWN, "a file is left out: {}", file.reason);
            }
            Event::Finished { aggregator, rows, .. } => {
                tracing::debug!(target: OWN, "{aggregator}: {} rows", HumanCount(*rows));
            }
            Event::Committing => info(format_args!("committing")),
            Event::Committed { receipt } => {
                let (inserted, deleted) = (HumanCount(receipt.rows_inserted), HumanCount(receipt.rows_deleted));
                info(format_args!("{inserted} rows written, {deleted} replaced: {}", receipt.location));
            }
        }
    }
}

impl Voice for Lines {}

fn info(line: fmt::Arguments<'_>) {
    tracing::info!(target: OWN, "{line}");
}
