//! What a run will take, before it is carried out.

use std::collections::BTreeMap;

use serde::Serialize;

use super::stage::{Work, of_window};
use crate::input::{Grain, TableName};
use crate::reader::Split;
use crate::scope::DateRange;

/// What a run will take, about. How the numbers were found is told in `docs/performance.md`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Rows of the files that may be of the asked days.
    pub rows: u64,
    /// Bytes of their wanted columns when they are decoded.
    pub decoded_bytes: u64,
    /// Ranges of days that are taken on their own.
    pub windows: usize,
    /// Threads that decode and fold.
    pub workers: usize,
    /// Most memory at once.
    pub memory_bytes: u64,
    /// CPU time of all threads on a core of 2024, without the sink's database.
    pub cpu_seconds: f64,
}

/// A process that has done nothing yet.
const BASE_BYTES: f64 = 22e6;
/// What a key of a window takes: its state, its row, and the row once more as columns, until they are encoded.
const BYTES_PER_KEY: f64 = 1_000.0;
const BASE_SECONDS: f64 = 0.010;
const SECONDS_PER_DECODED_BYTE: f64 = 0.8e-9;
const SECONDS_PER_ROW: f64 = 0.22e-6;

/// The estimate for splits that are taken by these windows.
pub(super) fn estimate(works: &[Vec<Work>], windows: &[DateRange], workers: usize, chunk_rows: usize) -> Estimate {
    let all = || works.iter().flatten();
    let rows: u64 = all().map(|work| work.split.rows).sum();
    let decoded_bytes: u64 = all().map(|work| decoded(&work.split)).sum();
    let keys_of = |days: &DateRange| works.iter().map(|works| keys(&of_window(works, *days))).sum::<f64>();
    let largest_window = windows.iter().map(keys_of).fold(0.0, f64::max);
    let largest_split = all().map(|work| in_memory(&work.split, chunk_rows)).fold(0.0, f64::max);
    // One window is finished and written while each worker folds another.
    let at_once = windows.len().min(workers + 1) as f64;
    let memory = BASE_BYTES + at_once * largest_window * BYTES_PER_KEY + workers as f64 * largest_split;
    let seconds = BASE_SECONDS + decoded_bytes as f64 * SECONDS_PER_DECODED_BYTE + rows as f64 * SECONDS_PER_ROW;
    Estimate { rows, decoded_bytes, windows: windows.len(), workers, memory_bytes: memory as u64, cpu_seconds: seconds }
}

fn decoded(split: &Split) -> u64 {
    split.rows.saturating_mul(split.bytes_per_row)
}

/// Different pods, volumes, nodes and namespaces of a stage's splits: those of an hourly table come again with each hour,
/// those of a daily one with each file of the day.
fn keys(works: &[Work]) -> f64 {
    const HOURS: f64 = 24.0;
    let mut tables: BTreeMap<&TableName, (u64, f64)> = BTreeMap::new();
    for work in works {
        let (rows, files) = tables.entry(&work.table).or_default();
        *rows += work.split.rows;
        *files += 1.0;
    }
    let of_table = |(table, (rows, files)): (&TableName, (u64, f64))| match table.grain {
        Grain::Hourly => rows as f64 / HOURS,
        Grain::Daily => rows as f64 / files,
    };
    tables.into_iter().map(of_table).sum()
}

/// Fetched bytes, and a chunk.
fn in_memory(split: &Split, chunk_rows: usize) -> f64 {
    let chunk = split.rows.min(chunk_rows as u64).saturating_mul(split.bytes_per_row);
    split.bytes as f64 + chunk as f64
}
