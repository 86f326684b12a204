//! Payloads in folders: everything that an operator, or a site's own jobs, put somewhere.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use tokaki_core::{Error, ErrorKind, Result};

use super::archive;
use super::input::{CsvFile, Limits, Payload, io_error, open_csv};
use super::line_items::LineItems;
use super::manifest::MANIFEST;
use super::report_type::ReportType;
use crate::store::AtFile;

/// A CSV file and what it reports.
#[derive(Debug, Clone)]
pub(crate) struct Located {
    /// The file; its `shown` is what [`open`] takes.
    pub(crate) file: CsvFile,
    /// What it reports.
    pub(crate) report_type: ReportType,
    /// Bytes of the file, or of the archive that it lies in.
    pub(crate) bytes: u64,
}

/// The CSV files of all payloads at or below `root`: a CSV file, an archive, or a folder with such files and folders.
/// Files without a header are left out.
///
/// # Errors
/// As for [`Payload::open`] and [`Payload::read`].
pub(crate) fn find(root: &Path, limits: &Limits) -> Result<Vec<Located>> {
    let mut found = Vec::new();
    for path in payloads(root)? {
        let payload = Payload::open(&path, limits)?;
        // A folder has as many bytes as its files; of an archive nothing more is known than of the whole.
        let archive = fs::metadata(&path).ok().filter(fs::Metadata::is_file);
        payload.read(|file, rows| {
            let bytes = archive.clone().or_else(|| fs::metadata(&file.shown).ok()).map_or(0, |metadata| metadata.len());
            let located = |report_type| Located { file: file.clone(), report_type, bytes };
            found.extend(rows.map(|rows| located(rows.report_type())));
            Ok(())
        })?;
    }
    Ok(found)
}

/// Paths that are payloads, in an order of their own.
fn payloads(root: &Path) -> Result<Vec<PathBuf>> {
    fn descend(path: PathBuf, seen: &mut BTreeSet<PathBuf>, found: &mut Vec<PathBuf>) -> Result<()> {
        let at_path = |error: std::io::Error| io_error(&error).at_file(&path.to_string_lossy());
        if !path.is_dir() {
            found.push(path);
            return Ok(());
        }
        // By links a folder may contain itself, or be in two places.
        if !seen.insert(path.canonicalize().map_err(at_path)?) {
            return Ok(());
        }
        let entries = fs::read_dir(&path).map_err(at_path)?;
        let entries: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
        let mut entries = entries.map_err(at_path)?;
        entries.sort();
        let has_name = |path: &PathBuf, end: &str| {
            path.file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.ends_with(end) && !name.starts_with('.'))
        };
        let is_csv = |entry: &PathBuf| [".csv", ".csv.gz", MANIFEST].iter().any(|end| has_name(entry, end));
        if entries.iter().any(|entry| entry.is_file() && is_csv(entry)) {
            found.push(path);
        }
        for entry in entries {
            let is_archive = has_name(&entry, ".tar.gz") || has_name(&entry, ".tgz");
            if is_archive || entry.is_dir() {
                descend(entry, seen, found)?;
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    descend(root.to_path_buf(), &mut BTreeSet::new(), &mut found)?;
    Ok(found)
}

/// Bytes of a CSV file, as they are read.
pub(crate) enum CsvBytes {
    /// Of a file, piece by piece.
    OfFile(Box<dyn Read + Send>),
    /// Of a member of an archive, all of them.
    OfMember(Cursor<Vec<u8>>),
}

impl Read for CsvBytes {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::OfFile(file) => file.read(buffer),
            Self::OfMember(bytes) => bytes.read(buffer),
        }
    }
}

/// The rows of the file that [`find`] calls `shown`; `None` if it has not even a header.
///
/// # Errors
/// As for [`LineItems::open`]; `Changed` if an archive has no such member any more.
pub(crate) fn open(shown: &str, limits: &Limits) -> Result<Option<LineItems<CsvBytes>>> {
    let bytes = match member(shown)? {
        None => CsvBytes::OfFile(open_csv(Path::new(shown), limits).map_err(|error| error.at_file(shown))?),
        Some((archive, member)) => CsvBytes::OfMember(Cursor::new(unpacked(&archive, member, limits)?)),
    };
    LineItems::open(shown, bytes)
}

/// The archive and the name in it, if `shown` is a member of one.
fn member(shown: &str) -> Result<Option<(PathBuf, &str)>> {
    let Some((archive, name)) = shown.rsplit_once(':') else { return Ok(None) };
    let archive = PathBuf::from(archive);
    let is_member = !Path::new(shown).exists() && archive.is_file() && archive::is_gzip(&archive)?;
    Ok(is_member.then_some((archive, name)))
}

fn unpacked(archive: &Path, name: &str, limits: &Limits) -> Result<Vec<u8>> {
    let mut unpacked = None;
    archive::read(
        archive,
        limits,
        |found| (found == name).then_some(()),
        |(), mut bytes| {
            let mut member = Vec::new();
            bytes.read_to_end(&mut member).map_err(|error| io_error(&error))?;
            unpacked = Some(member);
            Ok(())
        },
    )
    .map_err(|error| error.at_file(&archive.to_string_lossy()))?;
    let gone = || Error::new(ErrorKind::Changed, format!("{name} is not in the archive any more"));
    unpacked.ok_or_else(|| gone().at_file(&archive.to_string_lossy()))
}
