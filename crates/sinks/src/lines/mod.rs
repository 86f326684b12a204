//! What the sinks `csv` and `jsonl` share: rows as lines of text, in a file per table or on standard output.
//!
//! The lines are written to a draft while the run goes on. The commit gives the drafts their names, or copies the only one
//! to standard output: nobody sees part of a result.

mod cell;
mod place;

use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use async_trait::async_trait;
use tempfile::{NamedTempFile, TempPath};
use tokaki_core::{
    Error, ErrorKind, Field, Output, Receipt, Replacement, Result, RowsOfDay, Scope, Section, Sink, Table,
};

pub(crate) use self::cell::Cell;
pub(crate) use self::place::LinesConfig;
use self::place::Place;
use crate::disk::{check_writable, disk_error, draft_of, folder_of, followed, place_of, sync_folder};
use crate::look::shell_word;
use crate::target::{Target, destination, targets};

/// How rows become lines.
pub(crate) trait LineFormat: Send + Sync + Copy + 'static {
    /// The scheme of the sink's url, and the ending of its files.
    const NAME: &'static str;

    /// What stands before the first row of a table.
    fn write_head(self, fields: &[Field], to: &mut dyn Write) -> std::io::Result<()>;

    /// A row, with a cell for each field.
    fn write_row(self, fields: &[Field], cells: &[Cell<'_>], to: &mut dyn Write) -> std::io::Result<()>;
}

/// A sink of lines.
pub(crate) struct Lines<F> {
    place: Place,
    format: F,
}

impl<F: LineFormat> Lines<F> {
    /// The sink of a `[sink]` section.
    ///
    /// # Errors
    /// `Config` for a url that names nothing.
    pub(crate) fn new(section: &Section, format: F) -> Result<Self> {
        let config: LinesConfig = section.parse()?;
        Ok(Self { place: Place::parse(&config.url, F::NAME, section)?, format })
    }
}

#[async_trait]
impl<F: LineFormat> Sink for Lines<F> {
    async fn check(&self, _scope: &Scope, outputs: &[Output]) -> Result<()> {
        let targets = targets(outputs)?;
        if let ([first, second, ..], Place::Stdout | Place::File(_)) = (&targets[..], &self.place) {
            let message =
                format!("{} and {} are two tables, and this is one file", first.table.name, second.table.name);
            return Err(Error::config("sink.url", message)
                .help(format!("name a folder, for instance {}:out, or enable aggregators of one table", F::NAME)));
        }
        match &self.place {
            Place::Stdout => Ok(()),
            Place::File(file) => check_writable(folder_of(&followed(file))),
            Place::Folder(folder) if folder.exists() && !folder.is_dir() => {
                let message = format!("expected a folder, found a file; one file is {}:NAME.{}", F::NAME, F::NAME);
                Err(Error::new(ErrorKind::Destination, message).at(&place_of(folder)))
            }
            Place::Folder(folder) => {
                check_writable(folder.ancestors().find(|it| it.is_dir()).unwrap_or(Path::new(".")))
            }
        }
    }

    async fn begin(&self, _scope: &Scope, outputs: &[Output]) -> Result<Box<dyn Replacement>> {
        if let Place::Folder(folder) = &self.place {
            std::fs::create_dir_all(folder).map_err(|error| disk_error(folder, &error))?;
        }
        let drafts: Result<Vec<_>> = targets(outputs)?.iter().map(|target| self.draft(target)).collect();
        Ok(Box::new(LinesReplacement {
            drafts: Some(drafts?),
            format: self.format,
            place: self.place.clone(),
            rows: 0,
        }))
    }
}

impl<F: LineFormat> Lines<F> {
    fn draft(&self, target: &Target) -> Result<Draft> {
        let path = match &self.place {
            Place::Stdout => None,
            Place::File(file) => Some(followed(file)),
            Place::Folder(folder) => Some(followed(&folder.join(format!("{}.{}", target.table.name, F::NAME)))),
        };
        let draft = match &path {
            Some(path) => draft_of(path)?,
            None => NamedTempFile::new().map_err(|error| disk_error(&std::env::temp_dir(), &error))?,
        };
        let (file, temporary) = draft.into_parts();
        let mut draft =
            Draft { table: target.table, fields: target.fields.clone(), path, temporary, file: BufWriter::new(file) };
        let written = self.format.write_head(&draft.fields, &mut draft.file);
        written.map_err(|error| draft.failed(&error))?;
        Ok(draft)
    }
}

/// The lines of a table, before they have a name.
struct Draft {
    table: &'static Table,
    /// Columns that some output of the run writes.
    fields: Vec<Field>,
    /// The name that it will have; `None` for standard output.
    path: Option<PathBuf>,
    temporary: TempPath,
    file: BufWriter<std::fs::File>,
}

impl Draft {
    fn failed(&self, error: &std::io::Error) -> Error {
        disk_error(self.path.as_deref().unwrap_or(&self.temporary), error)
    }

    fn append(&mut self, format: impl LineFormat, output: &Output, rows: &RecordBatch) -> Result<()> {
        let cells = self.fields.iter().map(|field| Cell::column(field, output, rows)).collect::<Result<Vec<_>>>()?;
        for row in 0..rows.num_rows() {
            let cells: Vec<_> = cells.iter().map(|column| column.cell(row)).collect();
            format.write_row(&self.fields, &cells, &mut self.file).map_err(|error| self.failed(&error))?;
        }
        Ok(())
    }

    /// All lines are on disk.
    fn finish(mut self) -> Result<Finished> {
        self.file.flush().map_err(|error| self.failed(&error))?;
        let Self { path, temporary, file, .. } = self;
        let file = file.into_inner().map_err(|error| disk_error(&temporary, error.error()))?;
        if path.is_some() {
            file.sync_all().map_err(|error| disk_error(&temporary, &error))?;
        }
        Ok(Finished { path, temporary, file })
    }
}

struct Finished {
    path: Option<PathBuf>,
    temporary: TempPath,
    file: std::fs::File,
}

impl Finished {
    /// Puts the lines where they belong.
    fn show(mut self) -> Result<()> {
        let Some(path) = self.path else {
            let copied = self.file.seek(SeekFrom::Start(0)).and_then(|_| {
                let mut out = std::io::stdout().lock();
                std::io::copy(&mut self.file, &mut out).and_then(|_| out.flush())
            });
            return match copied {
                // Whoever reads has seen enough.
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
                copied => copied.map_err(|error| disk_error(Path::new("standard output"), &error)),
            };
        };
        self.temporary.persist(&path).map_err(|error| disk_error(&path, &error.error))?;
        sync_folder(folder_of(&path))
    }
}

struct LinesReplacement<F> {
    /// Taken out when they are shown; gone for good if a row could not be written.
    drafts: Option<Vec<Draft>>,
    format: F,
    place: Place,
    rows: u64,
}

#[async_trait]
impl<F: LineFormat> Replacement for LinesReplacement<F> {
    async fn append(&mut self, output: &Output, rows: &RecordBatch) -> Result<()> {
        let mut drafts = self.drafts.take().ok_or_else(|| Error::bug("a failed replacement was used again"))?;
        output.check_rows(rows)?;
        let table = destination(output)?.table.name;
        let draft = drafts.iter_mut().find(|draft| draft.table.name == table);
        let draft = draft.ok_or_else(|| Error::bug("rows for a table that was not begun"))?;
        draft.append(self.format, output, rows)?;
        self.rows += rows.num_rows() as u64;
        self.drafts = Some(drafts);
        Ok(())
    }

    /// A file is written anew as a whole, and nobody looks into the old one.
    fn removed(&self) -> &[RowsOfDay] {
        &[]
    }

    async fn commit(self: Box<Self>) -> Result<Receipt> {
        let drafts = self.drafts.ok_or_else(|| Error::bug("a failed replacement was used again"))?;
        let look = drafts.iter().find_map(|draft| draft.path.clone());
        let look = look.map_or_else(String::new, |path| format!("head {}", shell_word(&path.to_string_lossy())));
        // All files are whole before the first gets its name.
        let finished: Result<Vec<_>> = drafts.into_iter().map(Draft::finish).collect();
        finished?.into_iter().try_for_each(Finished::show)?;
        let location = format!("{}:{}", F::NAME, self.place);
        Ok(Receipt { rows_deleted: 0, rows_inserted: self.rows, location, look })
    }
}

/// An error that says which kind of value does not belong into a column.
fn misfit(field: &Field) -> Error {
    Error::new(ErrorKind::Bug, format!("the column {} has another type than its output says", field.name))
}
