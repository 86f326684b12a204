//! The settings that are the command's own. Those of plugins live beside them and have types of their own.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokaki_core::Semantics;
use tokaki_core::pipeline::{DailyTables, Mode};

/// Configuration of tokaki, the OCP Parquet Aggregator.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Settings {
    /// How usage that joins several label sets, categories or places is counted.
    pub(crate) semantics: Semantics,
    /// What a run covers.
    pub(crate) scope: ScopeSettings,
    /// Where the files of a table are.
    pub(crate) catalog: CatalogSettings,
    /// How files are read.
    pub(crate) reader: ReaderSettings,
    /// Where reference data comes from.
    pub(crate) reference: ReferenceSettings,
    /// What is computed.
    pub(crate) aggregators: AggregatorsSettings,
    /// Where rows go.
    pub(crate) sink: SinkSettings,
    /// How a run goes about it.
    pub(crate) run: RunSettings,
    /// What is told, and how.
    pub(crate) log: LogSettings,
}

/// What a run covers. Everything here is required for a run.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct ScopeSettings {
    /// Customer schema, for instance `org1234567`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) org: Option<String>,
    /// Provider uuid of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source_uuid: Option<String>,
    /// First day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start_date: Option<NaiveDate>,
    /// Last day, inclusive, in the same month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end_date: Option<NaiveDate>,
}

/// Which catalog.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct CatalogSettings {
    /// Catalog plugin.
    #[serde(rename = "type")]
    pub(crate) plugin: String,
}

impl Default for CatalogSettings {
    fn default() -> Self {
        Self { plugin: "koku".into() }
    }
}

/// Which reader, and what of it concerns the whole run.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct ReaderSettings {
    /// Reader plugin.
    #[serde(rename = "type")]
    pub(crate) plugin: String,
    /// Whether daily tables are read or derived from the hourly ones.
    pub(crate) pods: DailyTables,
}

impl Default for ReaderSettings {
    fn default() -> Self {
        Self { plugin: "parquet".into(), pods: DailyTables::Auto }
    }
}

/// Which source of reference data.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct ReferenceSettings {
    /// Reference plugin.
    #[serde(rename = "type")]
    pub(crate) plugin: String,
}

impl Default for ReferenceSettings {
    fn default() -> Self {
        Self { plugin: "file".into() }
    }
}

/// Which aggregators.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct AggregatorsSettings {
    /// Aggregators whose rows are written; those that they need run along.
    pub(crate) enabled: Vec<String>,
}

impl Default for AggregatorsSettings {
    fn default() -> Self {
        Self { enabled: ["pod", "storage", "unallocated"].map(str::to_owned).to_vec() }
    }
}

/// Which sink.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct SinkSettings {
    /// Where rows go: sqlite:FILE, parquet:DIR, csv:FILE, jsonl:FILE (or - for standard output) or postgresql://…; the scheme
    /// chooses the sink plugin.
    pub(crate) url: String,
}

impl Default for SinkSettings {
    fn default() -> Self {
        Self { url: "sqlite:tokaki.db".into() }
    }
}

/// How a run goes about it, and what it refuses. None of it changes the rows of a result.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct RunSettings {
    /// Whether threads decode and aggregate beside each other; `auto` decides by the number of rows.
    pub(crate) mode: Mode,
    /// So many threads at most; 0 takes all cores that the process may use.
    pub(crate) workers: usize,
    /// Memory to make do with, for instance 256MiB; unset takes the limit of the container or process, if it has one. A
    /// run that needs more says how much, and ends with code 22.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory_budget: Option<String>,
    /// Rows per chunk; 0 takes a row group at once.
    pub(crate) chunk_rows: usize,
    /// Days are taken together until they have so many rows; what is larger is read, written and freed day by day.
    pub(crate) window_rows: u64,
    /// Whether an empty result is written if there is nothing to read.
    pub(crate) allow_empty: bool,
    /// Part of a day's rows that may be lost, from 0 to 1: if an output has fewer rows for a day of the destination than
    /// that leaves, nothing is written.
    pub(crate) shrink_limit: f64,
    /// Whether files that cannot be read are left out and told, with exit code 3, instead of ending the run.
    pub(crate) quarantine: bool,
}

impl Default for RunSettings {
    fn default() -> Self {
        Self {
            mode: Mode::Auto,
            workers: 0,
            memory_budget: None,
            chunk_rows: 32_768,
            window_rows: 65_536,
            allow_empty: false,
            shrink_limit: 0.5,
            quarantine: false,
        }
    }
}

/// What is told, and how.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct LogSettings {
    /// Lines for people or JSON objects.
    pub(crate) format: LogFormat,
    /// Least level that is told.
    pub(crate) level: LogLevel,
}

/// How logs, errors and the summary are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How much is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogLevel {
    /// Errors only.
    Error,
    /// And warnings.
    Warn,
    /// And what a run does.
    #[default]
    Info,
    /// And each row group.
    Debug,
    /// Everything.
    Trace,
}
