//! A payload packed as `tar.gz`, or a CSV file as `gz`. What is in it is streamed, never written to disk.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Component, Path};

use flate2::bufread::MultiGzDecoder;
use tar::{Archive, Entry};
use tokaki_core::{Error, ErrorKind, Result};

use super::input::{Limits, io_error};
use super::manifest::{MANIFEST, MANIFEST_BYTES, Manifest};
use super::metered::Metered;

/// What a packed file unpacks to, up to a limit.
pub(super) type Unpacked = Metered<MultiGzDecoder<BufReader<File>>>;

/// Whether the file begins like one that gzip made.
///
/// # Errors
/// `Store` or `Access` if it cannot be read.
pub(super) fn is_gzip(path: &Path) -> Result<bool> {
    let mut magic = Vec::new();
    File::open(path).and_then(|file| file.take(2).read_to_end(&mut magic)).map_err(|error| io_error(&error))?;
    Ok(magic == [0x1f, 0x8b])
}

/// The manifest of an archive, and the names of the members that are files.
///
/// The archive is unpacked to its end, so that a damaged or far too large one is refused before anything is made of it.
///
/// # Errors
/// `Type` if it cannot be unpacked or gets too large, `Reference` if it has no manifest that can be understood.
pub(super) fn look_through(path: &Path, limits: &Limits) -> Result<(Manifest, BTreeSet<String>)> {
    let mut archive = open(path, limits)?;
    let mut manifest = None;
    let mut names = BTreeSet::new();
    for entry in files(&mut archive)? {
        let (name, entry) = entry?;
        if !names.insert(name.clone()) {
            return Err(broken(&format!("two files in it are called {name}")));
        }
        if name == MANIFEST {
            let mut text = Vec::new();
            entry.take(MANIFEST_BYTES).read_to_end(&mut text).map_err(|error| broken(&error))?;
            manifest = Some(Manifest::parse(&text)?);
        }
    }
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(|error| broken(&error))?;
    let without = || {
        Error::new(ErrorKind::Reference, format!("there is no {MANIFEST} in the archive"))
            .help("give the CSV files themselves, if this is not an upload of the operator")
    };
    Ok((manifest.ok_or_else(without)?, names))
}

/// Gives the content of each file whose name `wanted` knows to `visit`, in the order of the archive.
///
/// # Errors
/// `Type` if it cannot be unpacked, or those of `visit`.
pub(super) fn read<T>(
    path: &Path,
    limits: &Limits,
    wanted: impl Fn(&str) -> Option<T>,
    mut visit: impl FnMut(T, Box<dyn Read + '_>) -> Result<()>,
) -> Result<()> {
    for entry in files(&mut open(path, limits)?)? {
        let (name, entry) = entry?;
        if let Some(file) = wanted(&name) {
            visit(file, Box::new(entry))?;
        }
    }
    Ok(())
}

fn open(path: &Path, limits: &Limits) -> Result<Archive<Unpacked>> {
    unpack(path, limits).map(Archive::new)
}

/// The bytes of a packed file as they were before.
///
/// # Errors
/// `Store` or `Access` if it cannot be read.
pub(super) fn unpack(path: &Path, limits: &Limits) -> Result<Unpacked> {
    let file = File::open(path).map_err(|error| io_error(&error))?;
    let complaint = format!("it unpacks to more than {} bytes", limits.unpacked_bytes);
    let unpacked = MultiGzDecoder::new(BufReader::new(file));
    Ok(Metered::new(unpacked, limits.unpacked_bytes, complaint))
}

/// The plain files of the archive and their names.
///
/// Raw headers are enough: a report's name is short. So extensions of the format, which may be of any size, are passed
/// over, and sparse files are no plain ones.
fn files<R: Read>(archive: &mut Archive<R>) -> Result<impl Iterator<Item = Result<(String, Entry<'_, R>)>>> {
    let entries = archive.entries().map_err(|error| broken(&error))?.raw(true);
    Ok(entries.filter_map(|entry| {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return Some(Err(broken(&error))),
        };
        let name = if entry.header().entry_type().is_file() { top_level_name(&entry) } else { None };
        name.map(|name| Ok((name, entry)))
    }))
}

/// The name of a member that lies in no folder; others are none of ours.
fn top_level_name<R: Read>(entry: &Entry<'_, R>) -> Option<String> {
    let path = entry.path().ok()?;
    let mut components = path.components().filter(|part| !matches!(part, Component::CurDir | Component::RootDir));
    match (components.next(), components.next()) {
        (Some(Component::Normal(name)), None) => name.to_str().map(str::to_owned),
        _ => None,
    }
}

fn broken(error: &dyn std::fmt::Display) -> Error {
    Error::new(ErrorKind::Type, format!("the archive cannot be unpacked: {error}"))
        .help("a payload is a tar.gz with manifest.json and CSV files; upload or download it again")
}
