//! The rows of one CSV file, day by day, on their way to hourly and daily Parquet.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;

use arrow::array::{AsArray, RecordBatch, TimestampMillisecondArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::TimestampMillisecondType;
use chrono::{DateTime, NaiveDate, Timelike};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use tokaki_core::{Error, ErrorKind, Grain, PayloadOfDay, Result};
use tokaki_readers::parquet::payload::notes;
use tokaki_readers::payload::{CsvFile, ReportType};

use super::daily::DailyGroups;
use super::layout::DayOfFile;
use super::staging::Staging;

/// Rows of a day that come into one hourly file, and are grouped into one daily file; as in Koku.
const CHUNK_ROWS: usize = 200_000;
/// Bytes that all files under way may hold in memory.
const PENDING_BYTES: usize = 64 << 20;

/// The days of one CSV file.
pub(super) struct Days<'a> {
    staging: &'a mut Staging,
    report_type: ReportType,
    file: &'a CsvFile,
    number: usize,
    with_daily: bool,
    days: BTreeMap<NaiveDate, Day>,
}

/// One of the days.
struct Day {
    of: DayOfFile,
    chunks: usize,
    open: Option<Chunk>,
    /// Files with all their rows. How many hours the day has is noted in each of them, and known at the end.
    without_footer: Vec<ArrowWriter<File>>,
    hours: BTreeSet<u32>,
}

/// A piece of the day that is being written.
struct Chunk {
    number: usize,
    rows: usize,
    hourly: ArrowWriter<File>,
    daily: Option<DailyGroups>,
}

impl<'a> Days<'a> {
    /// No rows yet of the CSV file that is the `number`th of its payload.
    pub(super) fn new(
        staging: &'a mut Staging,
        report_type: ReportType,
        file: &'a CsvFile,
        number: usize,
        with_daily: bool,
    ) -> Self {
        Self { staging, report_type, file, number, with_daily, days: BTreeMap::new() }
    }

    /// Adds rows, each to its day.
    ///
    /// # Errors
    /// `Type` if a sum is too large, or those of the disk.
    pub(super) fn add(&mut self, rows: &RecordBatch) -> Result<()> {
        for (day, rows) in by_day(rows, self.report_type.time_column())? {
            let (report_type, payload, number) = (self.report_type, self.file.payload.clone(), self.number);
            let of = DayOfFile { report_type, day, payload, number };
            let entry = self.days.entry(day).or_insert_with(|| Day::new(of));
            entry.add(self.staging, &rows, self.with_daily)?;
        }
        self.keep_memory_low()
    }

    /// Ends all files.
    ///
    /// # Errors
    /// Those of the disk.
    pub(super) fn finish(mut self) -> Result<Vec<NaiveDate>> {
        for day in self.days.values_mut() {
            day.close(self.staging)?;
            day.finish(self.file.has_whole_days)?;
        }
        Ok(self.days.into_keys().collect())
    }

    /// Rows may come in any order of days, so many files may be open. What is held depends on the rows alone, and so do
    /// the bytes of the files.
    fn keep_memory_low(&mut self) -> Result<()> {
        let mut open: Vec<_> = self.days.values_mut().filter_map(|day| day.open.as_mut()).collect();
        let mut pending: usize = open.iter().map(|chunk| chunk.hourly.memory_size()).sum();
        open.sort_by_key(|chunk| chunk.hourly.memory_size());
        while pending > PENDING_BYTES {
            let Some(largest) = open.pop() else { break };
            pending -= largest.hourly.memory_size();
            largest.hourly.flush().map_err(write_error)?;
        }
        Ok(())
    }
}

impl Day {
    fn new(of: DayOfFile) -> Self {
        Self { of, chunks: 0, open: None, without_footer: Vec::new(), hours: BTreeSet::new() }
    }

    fn add(&mut self, staging: &mut Staging, rows: &RecordBatch, with_daily: bool) -> Result<()> {
        self.hours
            .extend(starts(rows, self.of.report_type.time_column())?.values().iter().filter_map(|start| hour(*start)));
        let mut start = 0;
        while start < rows.num_rows() {
            let chunk = match &mut self.open {
                Some(chunk) => chunk,
                none => none.insert(Chunk::start(staging, &self.of, self.chunks, rows, with_daily)?),
            };
            let taken = (rows.num_rows() - start).min(CHUNK_ROWS - chunk.rows);
            chunk.add(&rows.slice(start, taken))?;
            start += taken;
            if chunk.rows == CHUNK_ROWS {
                self.close(staging)?;
            }
        }
        Ok(())
    }

    fn close(&mut self, staging: &mut Staging) -> Result<()> {
        let Some(chunk) = self.open.take() else { return Ok(()) };
        self.chunks += 1;
        let Chunk { number, mut hourly, daily, .. } = chunk;
        hourly.flush().map_err(write_error)?;
        self.without_footer.push(hourly);
        if let Some(daily) = daily.map(DailyGroups::finish).transpose()? {
            let mut file = writer(staging.create(&self.of, Grain::Daily, number)?, &daily)?;
            file.write(&daily).map_err(write_error)?;
            file.flush().map_err(write_error)?;
            self.without_footer.push(file);
        }
        Ok(())
    }

    /// Ends the files, with a note of the payload if a later one supersedes it.
    fn finish(&mut self, is_superseded_by_later: bool) -> Result<()> {
        let hours = u32::try_from(self.hours.len()).unwrap_or(u32::MAX);
        let payload = PayloadOfDay { day: self.of.day, hours, manifest: self.of.payload.clone() };
        for mut file in self.without_footer.drain(..) {
            for (name, value) in notes(&payload).into_iter().filter(|_| is_superseded_by_later) {
                file.append_key_value_metadata(KeyValue::new(name.to_owned(), value));
            }
            close(file)?;
        }
        Ok(())
    }
}

impl Chunk {
    fn start(
        staging: &mut Staging,
        of: &DayOfFile,
        number: usize,
        rows: &RecordBatch,
        with_daily: bool,
    ) -> Result<Self> {
        let hourly = writer(staging.create(of, Grain::Hourly, number)?, rows)?;
        let daily = with_daily.then(|| DailyGroups::new(of, number, rows.schema_ref())).transpose()?;
        Ok(Self { number, rows: 0, hourly, daily })
    }

    fn add(&mut self, rows: &RecordBatch) -> Result<()> {
        self.rows += rows.num_rows();
        if let Some(daily) = &mut self.daily {
            daily.add(rows)?;
        }
        self.hourly.write(rows).map_err(write_error)
    }
}

/// When each row's interval starts.
fn starts<'a>(rows: &'a RecordBatch, time_column: &str) -> Result<&'a TimestampMillisecondArray> {
    let starts = rows.column_by_name(time_column);
    let starts = starts.and_then(|column| column.as_primitive_opt::<TimestampMillisecondType>());
    starts.ok_or_else(|| Error::bug("rows that nothing dates"))
}

/// The hour of the day.
fn hour(milliseconds: i64) -> Option<u32> {
    DateTime::from_timestamp_millis(milliseconds).map(|start| start.hour())
}

/// The rows of each day (`usage_start` of spec § 2), in their order.
fn by_day(rows: &RecordBatch, time_column: &str) -> Result<Vec<(NaiveDate, RecordBatch)>> {
    let starts = starts(rows, time_column)?;
    let mut days: BTreeMap<NaiveDate, Vec<u32>> = BTreeMap::new();
    for (row, start) in (0..).zip(starts.values()) {
        let start = DateTime::from_timestamp_millis(*start).ok_or_else(|| Error::bug("a time beyond all calendars"))?;
        days.entry(start.date_naive()).or_default().push(row);
    }
    if let (1, Some((day, _))) = (days.len(), days.first_key_value()) {
        return Ok(vec![(*day, rows.clone())]);
    }
    let taken = |(day, indices): (NaiveDate, Vec<u32>)| {
        let rows = take_record_batch(rows, &UInt32Array::from(indices));
        Ok((day, rows.map_err(|error| Error::bug(error.to_string()))?))
    };
    days.into_iter().map(taken).collect()
}

/// Snappy is what Koku's own files use. The properties are fixed, so that the same rows give the same bytes.
fn writer(file: File, rows: &RecordBatch) -> Result<ArrowWriter<File>> {
    let properties =
        WriterProperties::builder().set_created_by("tokaki".into()).set_compression(Compression::SNAPPY).build();
    ArrowWriter::try_new(file, rows.schema(), Some(properties)).map_err(write_error)
}

fn close(writer: ArrowWriter<File>) -> Result<()> {
    let file = writer.into_inner().map_err(write_error)?;
    file.sync_all().map_err(|error| Error::new(ErrorKind::Store, format!("a file cannot be written: {error}")))
}

fn write_error(error: ParquetError) -> Error {
    Error::new(ErrorKind::Store, format!("a file cannot be written: {error}"))
}
