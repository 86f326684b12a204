//! What the user points at: a CSV file, packed or not, a folder of them, or an archive.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use tokaki_core::{Error, ErrorKind, Result};

use super::archive;
use super::line_items::LineItems;
use super::manifest::{MANIFEST, MANIFEST_BYTES, Manifest};
use crate::store::AtFile;

/// How much an input may ask for.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes that an archive may unpack to.
    pub unpacked_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { unpacked_bytes: 4 << 30 }
    }
}

/// One CSV file, wherever it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvFile {
    /// As the user would name it; in an archive `archive.tar.gz:member.csv`.
    pub shown: String,
    /// What the payload is known by: the manifest's uuid, or without one the file's own name without `.csv` or `.csv.gz`.
    pub payload: String,
    /// Position in the manifest's list, if there is a manifest.
    pub position: Option<usize>,
    /// Whether the payload has its days from their beginning, so that one that comes later has all of them again.
    pub has_whole_days: bool,
}

/// The CSV files of one input.
#[derive(Debug)]
pub struct Payload {
    path: PathBuf,
    kind: Kind,
    limits: Limits,
    has_manifest: bool,
    files: Vec<(String, CsvFile)>,
    absent: Vec<String>,
}

#[derive(Debug)]
enum Kind {
    File,
    Folder,
    Archive,
}

impl Payload {
    /// Looks at what lies at `path`, and lists its CSV files.
    ///
    /// With a manifest these are the ones that it lists and that are there; without one all in the folder, sorted by
    /// name.
    ///
    /// # Errors
    /// `Store` or `Access` if nothing can be read there, `Empty` if it holds no CSV file, `Type` if an archive is broken
    /// or too large, `Reference` if its manifest is.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self> {
        let opened = if path.is_dir() {
            Self::open_folder(path, limits)
        } else if path.exists() && !path.is_file() {
            // A pipe can be read once; what kind of file comes out of it takes a look beforehand.
            Err(Error::new(ErrorKind::Store, "this is neither a file nor a folder"))
        } else {
            archive::is_gzip(path).and_then(|is_archive| {
                let is_archive = is_archive && !is_packed_csv(&path.to_string_lossy());
                if is_archive { Self::open_archive(path, limits) } else { Ok(Self::open_file(path, limits)) }
            })
        };
        let payload = opened.map_err(|error| error.at_file(&path.to_string_lossy()))?;
        // An archive of a split payload may hold nothing but reports for others.
        if payload.files.is_empty() && !payload.has_manifest {
            return Err(Error::new(ErrorKind::Empty, "there are no CSV files")
                .at_file(&path.to_string_lossy())
                .help("give CSV files, packed or not, a folder that holds them, or a tar.gz of the operator"));
        }
        Ok(payload)
    }

    fn open_file(path: &Path, limits: &Limits) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let file = unlisted(&name, path.to_string_lossy().into_owned());
        Self::unlisted(path, Kind::File, limits, vec![(name, file)])
    }

    fn open_folder(path: &Path, limits: &Limits) -> Result<Self> {
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(path).map_err(|error| io_error(&error))? {
            let entry = entry.map_err(|error| io_error(&error))?;
            // A name that is no text is the name of no report.
            names.extend(entry.file_name().into_string().ok().filter(|_| entry.path().is_file()));
        }
        let shown = |name: &str| path.join(name).to_string_lossy().into_owned();
        if names.contains(MANIFEST) {
            let mut text = Vec::new();
            let file = File::open(path.join(MANIFEST)).map_err(|error| io_error(&error))?;
            file.take(MANIFEST_BYTES).read_to_end(&mut text).map_err(|error| io_error(&error))?;
            return Ok(Self::listed(path, Kind::Folder, limits, &Manifest::parse(&text)?, &names, shown));
        }
        names.retain(|name| (name.ends_with(".csv") || is_packed_csv(name)) && !name.starts_with('.'));
        if let Some(name) = names.iter().find(|name| names.contains(&format!("{name}.gz"))) {
            let message = format!("{name} lies beside {name}.gz, its rows would count twice");
            return Err(Error::new(ErrorKind::Config, message).help("move one of the two away"));
        }
        let files = names.into_iter().map(|name| (name.clone(), unlisted(&name, shown(&name)))).collect();
        Ok(Self::unlisted(path, Kind::Folder, limits, files))
    }

    fn open_archive(path: &Path, limits: &Limits) -> Result<Self> {
        let (manifest, names) = archive::look_through(path, limits)?;
        let shown = |name: &str| format!("{}:{name}", path.display());
        Ok(Self::listed(path, Kind::Archive, limits, &manifest, &names, shown))
    }

    fn unlisted(path: &Path, kind: Kind, limits: &Limits, files: Vec<(String, CsvFile)>) -> Self {
        let limits = limits.clone();
        Self { path: path.to_path_buf(), kind, limits, has_manifest: false, files, absent: Vec::new() }
    }

    fn listed(
        path: &Path,
        kind: Kind,
        limits: &Limits,
        manifest: &Manifest,
        names: &BTreeSet<String>,
        shown: impl Fn(&str) -> String,
    ) -> Self {
        let mut payload = Self { has_manifest: true, ..Self::unlisted(path, kind, limits, Vec::new()) };
        for (position, name) in manifest.files().iter().enumerate() {
            if payload.files.iter().any(|(listed, _)| listed == name) {
                continue;
            }
            if names.contains(name) {
                let file = CsvFile {
                    shown: shown(name),
                    payload: manifest.uuid.to_string(),
                    position: Some(position),
                    has_whole_days: manifest.daily_reports,
                };
                payload.files.push((name.clone(), file));
            } else {
                payload.absent.push(name.clone());
            }
        }
        payload
    }

    /// Names of the CSV files.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(name, _)| name.as_str())
    }

    /// Files that the manifest lists and that are not here. The operator may send a large payload in several archives.
    pub fn absent(&self) -> &[String] {
        &self.absent
    }

    /// Gives the rows of each CSV file to `visit`; `None` for a file that has not even a header.
    ///
    /// # Errors
    /// Those of `visit` and of [`LineItems::open`], with the file.
    pub fn read(
        &self,
        mut visit: impl FnMut(&CsvFile, Option<LineItems<Box<dyn Read + '_>>>) -> Result<()>,
    ) -> Result<()> {
        let mut visit = |file: &CsvFile, bytes: Box<dyn Read + '_>| visit(file, LineItems::open(&file.shown, bytes)?);
        if matches!(self.kind, Kind::Archive) {
            let wanted = |name: &str| self.files.iter().find(|(own, _)| own == name).map(|(_, file)| file);
            return archive::read(&self.path, &self.limits, wanted, visit)
                .map_err(|error| error.at_file(&self.path.to_string_lossy()));
        }
        for (name, file) in &self.files {
            let path = if matches!(self.kind, Kind::Folder) { self.path.join(name) } else { self.path.clone() };
            visit(file, open_csv(&path, &self.limits).map_err(|error| error.at_file(&file.shown))?)?;
        }
        Ok(())
    }
}

/// Whether a file of this name is a packed CSV file, as AWS has them.
fn is_packed_csv(name: &str) -> bool {
    name.ends_with(PACKED)
}

/// The end of the name of a packed CSV file.
const PACKED: &str = ".csv.gz";

/// The text of a CSV file, packed or not.
///
/// # Errors
/// `Store` or `Access` if it cannot be read.
pub(super) fn open_csv(path: &Path, limits: &Limits) -> Result<Box<dyn Read + Send>> {
    if is_packed_csv(&path.to_string_lossy()) && archive::is_gzip(path)? {
        return Ok(Box::new(archive::unpack(path, limits)?));
    }
    let file = File::open(path).map_err(|error| io_error(&error))?;
    Ok(Box::new(BufReader::new(file)))
}

/// A CSV file that no manifest lists.
fn unlisted(name: &str, shown: String) -> CsvFile {
    let payload = name.strip_suffix(PACKED).or(name.strip_suffix(".csv")).unwrap_or(name).to_owned();
    CsvFile { shown, payload, position: None, has_whole_days: false }
}

/// What the system says about a file, in our words.
pub(super) fn io_error(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Error::new(ErrorKind::Access, "the file may not be read"),
        io::ErrorKind::NotFound => Error::new(ErrorKind::Store, "there is no such file or folder"),
        // What gzip and our own limits say is about the content.
        io::ErrorKind::FileTooLarge
        | io::ErrorKind::InvalidData
        | io::ErrorKind::InvalidInput
        | io::ErrorKind::UnexpectedEof => Error::new(ErrorKind::Type, format!("the file cannot be read: {error}")),
        _ => Error::new(ErrorKind::Store, format!("the file cannot be read: {error}")),
    }
}
