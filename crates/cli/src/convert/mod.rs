//! `tokaki convert`: an operator's payload as Parquet in Koku's layout, for sites that have no Koku to do it.
//!
//! Rows come from [`tokaki_readers::payload`]. Here each goes to the hourly file of its day, and into the groups of the
//! day's daily file. Nothing has its name before everything is written.

mod args;
mod daily;
mod daily_columns;
mod days;
mod layout;
mod staging;
mod summary;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokaki_core::{Error, ErrorKind, Place, Result};
use tokaki_readers::payload::{CsvFile, Limits, LineItems, Payload, ReportType};

pub(crate) use self::args::ConvertArgs;
use self::days::Days;
use self::layout::Layout;
use self::staging::Staging;
use self::summary::{FileAnomalies, Summary};
use crate::config::settings::LogFormat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::signals;

const PARTLY_NAMED: &str = "some of the files may be in place already; run again to complete them";

/// Converts, and tells about it.
///
/// # Errors
/// Whatever went wrong, with what that means for the output folder.
pub(crate) async fn run(args: &ConvertArgs, format: LogFormat) -> Result<(), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut work = tokio::task::spawn_blocking({
        let (args, stop) = (args.clone(), Arc::clone(&stop));
        move || convert(&args, &stop)
    });
    let mut exit = None;
    let done = tokio::select! {
        done = &mut work => done,
        stopped = signals::requested() => {
            exit = stopped.ok();
            stop.store(true, Ordering::Relaxed);
            work.await
        }
    };
    let summary = done.map_err(|error| Error::bug(error.to_string()))?.map_err(|failure| stopped_by(failure, exit))?;
    summary.print(format);
    Ok(())
}

fn stopped_by(mut failure: Failure, signal: Option<Exit>) -> Failure {
    if failure.error.kind() == ErrorKind::Cancelled {
        failure.exit = signal.unwrap_or(failure.exit);
    }
    failure
}

fn convert(args: &ConvertArgs, stop: &AtomicBool) -> Result<Summary, Failure> {
    let (staging, mut summary) = write(args, stop).map_err(|error| Failure::from(error).before_the_run())?;
    staging.commit().map_err(|error| Failure { aftermath: Some(PARTLY_NAMED), ..Failure::from(error) })?;
    summary.conclude(args);
    Ok(summary)
}

/// Writes all files, still without their names.
fn write(args: &ConvertArgs, stop: &AtomicBool) -> Result<(Staging, Summary)> {
    let limits = Limits { unpacked_bytes: args.max_unpacked.as_u64() };
    let payloads: Vec<_> = args.input.iter().map(|path| Payload::open(path, &limits)).collect::<Result<_>>()?;
    let staging = Staging::start(&args.output, Layout::new(&args.org, args.source))?;
    let mut conversion = Conversion {
        args,
        stop,
        staging,
        summary: Summary::default(),
        seen: BTreeSet::new(),
        numbers: BTreeMap::new(),
    };
    for payload in &payloads {
        payload.read(|file, rows| conversion.add(file, rows))?;
    }
    let Conversion { staging, mut summary, .. } = conversion;
    if summary.files_read == 0 && summary.files_passed_over == 0 {
        return Err(Error::new(ErrorKind::Empty, "no file that the manifest lists is there")
            .help("the operator may have sent them in another archive"));
    }
    let present: BTreeSet<_> = payloads.iter().flat_map(Payload::files).collect();
    let absent = payloads.iter().flat_map(Payload::absent).filter(|name| !present.contains(name.as_str()));
    summary.files_absent = absent.cloned().collect();
    let is_daily = |path: &&PathBuf| path.starts_with("data/parquet/daily");
    summary.files_daily = staging.files().filter(is_daily).count() as u64;
    summary.files_hourly = staging.files().count() as u64 - summary.files_daily;
    Ok((staging, summary))
}

/// A conversion under way.
struct Conversion<'a> {
    args: &'a ConvertArgs,
    stop: &'a AtomicBool,
    staging: Staging,
    summary: Summary,
    /// CSV files read so far.
    seen: BTreeSet<PathBuf>,
    /// How many files of one name there were so far.
    numbers: BTreeMap<(ReportType, String), usize>,
}

impl Conversion<'_> {
    fn add(&mut self, file: &CsvFile, rows: Option<LineItems<impl Read>>) -> Result<()> {
        let place = Place { file: Some(file.shown.clone()), ..Place::default() };
        // A member of an archive is no file of its own; what it becomes tells whether it was there before.
        let path = fs::canonicalize(&file.shown).unwrap_or_else(|_| Path::new(&file.shown).to_path_buf());
        if !self.seen.insert(path) {
            return Err(
                Error::new(ErrorKind::Config, "the file was given twice, its rows would count twice").at(&place)
            );
        }
        if rows.as_ref().is_some_and(|rows| !self.is_wanted(rows.report_type())) {
            self.summary.files_passed_over += 1;
            return Ok(());
        }
        self.summary.files_read += 1;
        rows.map_or(Ok(()), |rows| self.add_rows(file, rows))
    }

    fn is_wanted(&self, report_type: ReportType) -> bool {
        self.args.report_type.is_empty() || self.args.report_type.contains(&report_type)
    }

    fn add_rows(&mut self, file: &CsvFile, mut rows: LineItems<impl Read>) -> Result<()> {
        let place = rows.place().clone();
        let number = file.position.unwrap_or_else(|| self.next_number(rows.report_type(), &file.payload));
        let mut days = Days::new(&mut self.staging, rows.report_type(), file, number, !self.args.no_daily);
        while let Some(batch) = rows.next_batch()? {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::Cancelled, "stopped from outside"));
            }
            self.summary.rows += batch.num_rows() as u64;
            days.add(&batch).map_err(|error| error.at(&place))?;
        }
        self.summary.days.extend(days.finish().map_err(|error| error.at(&place))?);
        self.summary.labels_left_out += rows.labels_left_out();
        if let Some(example) = &rows.anomalies().example {
            self.summary.anomalies.push(FileAnomalies {
                file: file.shown.clone(),
                rows: rows.anomalies().rows,
                example: format!("line {}, {} = {}", example.line, example.column, example.value),
            });
        }
        Ok(())
    }

    /// Files of one name may lie in several folders.
    fn next_number(&mut self, report_type: ReportType, payload: &str) -> usize {
        let next = self.numbers.entry((report_type, payload.to_owned())).or_default();
        let number = *next;
        *next += 1;
        number
    }
}
