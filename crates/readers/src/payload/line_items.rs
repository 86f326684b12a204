//! The rows of one CSV file, as record batches.

use std::collections::BTreeSet;
use std::io::Read;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use csv::StringRecord;
use tokaki_core::{Error, ErrorKind, Grain, Place, Result};

use super::cells::{Cell, Cells};
use super::metered::Metered;
use super::report_type::ReportType;
use super::{bill, effective_usage, gpu};

/// Rows per batch at most.
const BATCH_ROWS: usize = 8192;
/// Bytes of CSV per batch, give or take a row.
const BATCH_BYTES: u64 = 16 << 20;
/// Bytes of CSV per row at most. A quote that is never closed would else swallow the rest of the file.
const ROW_BYTES: u64 = 16 << 20;

/// A CSV file of the operator, read piece by piece.
///
/// Batches have the file's columns under their own names and in their own order, in the types of Koku's Parquet: times
/// as `Timestamp(Millisecond, None)` in UTC, measures as `Float64`, everything else as `Utf8`, labels as JSON text. Behind
/// them come the columns that Koku derives: effective usage of pods, MIG columns of GPUs. All batches of a file have the
/// same columns.
pub struct LineItems<R> {
    csv: csv::Reader<Metered<R>>,
    record: StringRecord,
    /// The CSV parser leaves the second half of a CRLF to the next row, and so counts that row one line too early.
    lines_behind: u64,
    report_type: ReportType,
    columns: Vec<(String, Cells)>,
    place: Place,
    anomalies: Skipped,
}

/// Rows that were left out because a measure is beyond anything a cluster can have.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Skipped {
    /// How many.
    pub rows: u64,
    /// The first one.
    pub example: Option<Anomaly>,
}

/// A value of 1e18 or more, or of -1e18 or less.
#[derive(Debug, Clone, PartialEq)]
pub struct Anomaly {
    /// Line of the file, counted from 1.
    pub line: u64,
    /// Column of the value.
    pub column: String,
    /// The value as it stands in the file.
    pub value: String,
}

impl<R: Read> LineItems<R> {
    /// Reads the header of a CSV file that the user knows as `shown`; `None` if not even a header is there.
    ///
    /// # Errors
    /// `Column` if the columns are those of no report; `Store` if the bytes cannot be read.
    pub fn open(shown: &str, bytes: R) -> Result<Option<Self>> {
        let mut place = Place { file: Some(shown.to_owned()), ..Place::default() };
        let complaint = format!("a row is longer than {} MiB; is there a quote that is never closed?", ROW_BYTES >> 20);
        let mut csv = csv::Reader::from_reader(Metered::new(bytes, ROW_BYTES, complaint));
        let header = csv.headers().map_err(|error| csv_error(&error, 0).at(&place))?;
        if header.is_empty() {
            return Ok(None);
        }
        let names = bill::names(header.iter().map(str::to_owned).collect());
        check_names(&names).map_err(|error| error.at(&place))?;
        let report_type = ReportType::detect(&names).map_err(|closest| unknown(&closest).at(&place))?;
        place.table = Some(report_type.table(Grain::Hourly).to_string());
        let lines_behind = 2_u64.saturating_sub(csv.position().line());
        let columns = names.into_iter().map(|name| (name.clone(), Cells::of(&name))).collect();
        let anomalies = Skipped::default();
        Ok(Some(Self { csv, record: StringRecord::new(), lines_behind, report_type, columns, place, anomalies }))
    }

    /// What the file reports.
    pub fn report_type(&self) -> ReportType {
        self.report_type
    }

    /// Names of the columns of all batches: the file's own, and those that are derived from them.
    pub(crate) fn column_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
        let has = |name: &str| names.contains(&name);
        let added = match self.report_type {
            ReportType::PodUsage => effective_usage::added(has),
            ReportType::GpuUsage => gpu::added(has),
            _ => Vec::new(),
        };
        names.extend(added);
        names
    }

    /// Rows left out so far.
    pub fn anomalies(&self) -> &Skipped {
        &self.anomalies
    }

    /// Labels left out so far, because they are not of the form `key:value`.
    pub fn labels_left_out(&self) -> u64 {
        self.columns.iter().map(|(_, cells)| cells.labels_left_out()).sum()
    }

    /// Table and file, for errors about these rows.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The next rows; `None` at the end. A batch may be empty where all rows of a piece were left out.
    ///
    /// # Errors
    /// With file and line: `Column` if a row has more or fewer fields than the header, `Type` if a value is not what its
    /// column holds, `Store` if the bytes cannot be read.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let mut keep = Vec::with_capacity(BATCH_ROWS);
        let start = self.csv.position().byte();
        while keep.len() < BATCH_ROWS && self.csv.position().byte() - start < BATCH_BYTES {
            self.csv.get_mut().reset();
            let read = self.csv.read_record(&mut self.record);
            if !read.map_err(|error| csv_error(&error, self.lines_behind).at(&self.place))? {
                break;
            }
            keep.push(self.push_record()?);
        }
        if keep.is_empty() {
            return Ok(None);
        }
        let columns = self.columns.iter_mut().map(|(name, cells)| (name.clone(), cells.finish()));
        let mut table = Table { columns: columns.collect(), rows: keep.len() };
        match self.report_type {
            ReportType::PodUsage => effective_usage::add(&mut table),
            ReportType::GpuUsage => gpu::normalise(&mut table),
            ReportType::AwsLineItems => bill::merge(&mut table),
            _ => {}
        }
        let columns = table.columns.into_iter().map(|(name, array)| (name, array, true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns).map_err(|error| Error::bug(error.to_string()))?;
        if keep.iter().all(|keep| *keep) {
            return Ok(Some(batch));
        }
        filter_record_batch(&batch, &BooleanArray::from(keep)).map(Some).map_err(|error| Error::bug(error.to_string()))
    }

    /// Adds the record to the columns, and says whether its row stays.
    fn push_record(&mut self) -> Result<bool> {
        let line = self.record.position().map_or(0, csv::Position::line) + self.lines_behind;
        let mut stays = true;
        for ((name, cells), text) in self.columns.iter_mut().zip(&self.record) {
            match cells.push(text) {
                Ok(Cell::Fine) => {}
                Ok(Cell::Anomaly) => {
                    stays = false;
                    self.anomalies.example.get_or_insert_with(|| Anomaly {
                        line,
                        column: name.clone(),
                        value: text.to_owned(),
                    });
                }
                Err(expected) => {
                    let message = format!("line {line}: expected {expected}, found {}", shortened(text));
                    return Err(Error::new(ErrorKind::Type, message).column(name.clone()).at(&self.place));
                }
            }
        }
        self.anomalies.rows += u64::from(!stays);
        Ok(stays)
    }
}

/// Columns of a batch under construction.
pub(super) struct Table {
    columns: Vec<(String, ArrayRef)>,
    rows: usize,
}

impl Table {
    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The column `name`.
    pub(super) fn get(&self, name: &str) -> Option<&ArrayRef> {
        self.columns.iter().find(|(own, _)| own == name).map(|(_, array)| array)
    }

    /// Takes the columns out whose names begin with `prefix`, under the rest of their names.
    pub(super) fn take(&mut self, prefix: &str) -> Vec<(String, ArrayRef)> {
        let columns = std::mem::take(&mut self.columns);
        let (taken, rest) = columns.into_iter().partition(|(name, _)| name.starts_with(prefix));
        self.columns = rest;
        let shorter = |(name, array): (String, ArrayRef)| (name[prefix.len()..].to_owned(), array);
        Vec::into_iter(taken).map(shorter).collect()
    }

    /// Replaces the column `name`, or adds it behind the others.
    pub(super) fn set(&mut self, name: &str, array: ArrayRef) {
        match self.columns.iter_mut().find(|(own, _)| own == name) {
            Some((_, own)) => *own = array,
            None => self.columns.push((name.to_owned(), array)),
        }
    }
}

fn check_names(names: &[String]) -> Result<()> {
    let mut seen = BTreeSet::new();
    for (index, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(Error::new(ErrorKind::Column, format!("line 1: column {} has no name", index + 1)));
        }
        if !seen.insert(name) {
            return Err(Error::new(ErrorKind::Column, "line 1: two columns have the same name").column(name.clone()));
        }
    }
    Ok(())
}

fn unknown((closest, missing): &(ReportType, Vec<&str>)) -> Error {
    /// A file that lacks more is not meant to be of the type.
    const ALMOST: usize = 5;
    let hint = if missing.len() > ALMOST {
        String::new()
    } else {
        format!("; {closest} comes closest, without {}", missing.join(", "))
    };
    Error::new(ErrorKind::Column, format!("line 1: the columns are those of no known report{hint}"))
        .help("leave the file out, or have it written again with all columns")
}

fn csv_error(error: &csv::Error, lines_behind: u64) -> Error {
    let line = |position: &csv::Position| format!("line {}: ", position.line() + lines_behind);
    let line = error.position().map(line).unwrap_or_default();
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Error::new(ErrorKind::Column, format!("{line}{len} fields, but the header has {expected_len}"))
                .help("the file may be cut off or damaged: get it again")
        }
        csv::ErrorKind::Utf8 { .. } => Error::new(ErrorKind::Type, format!("{line}the text is not UTF-8")),
        csv::ErrorKind::Io(error) => super::input::io_error(error),
        _ => Error::new(ErrorKind::Type, format!("{line}{error}")),
    }
}

/// A text in an error message: enough of it to be recognised.
fn shortened(text: &str) -> String {
    const LETTERS: usize = 40;
    if text.is_empty() {
        return "nothing".to_owned();
    }
    let start: String = text.chars().take(LETTERS).collect();
    let more = if text.chars().nth(LETTERS).is_some() { "…" } else { "" };
    format!("`{}{more}`", start.escape_debug())
}
