//! Text files, one for each table. See `README.md`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use async_trait::async_trait;
use tokaki_core::{Error, ErrorKind, Output, Receipt, Replacement, Result, RowsOfDay, Scope, Section, Sink};

tokaki_core::register!(Sink, NewPluginConfig, "new_plugin", "Text files, one for each table, written anew.", build);

/// Settings of the sink `new_plugin`.
#[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewPluginConfig {
    /// Folder of the files, as `new_plugin:FOLDER`; made if it is not there.
    url: String,
}

struct NewPlugin {
    folder: PathBuf,
}

fn build(section: &Section) -> Result<Arc<dyn Sink>> {
    let config: NewPluginConfig = section.parse()?;
    match config.url.split_once(':') {
        Some((_, folder)) if !folder.is_empty() => Ok(Arc::new(NewPlugin { folder: folder.into() })),
        _ => Err(Error::config("sink.url", "expected new_plugin:FOLDER")),
    }
}

impl NewPlugin {
    fn file(&self, output: &Output) -> Option<PathBuf> {
        output.destination.as_ref().map(|destination| self.folder.join(format!("{}.txt", destination.table.name)))
    }
}

#[async_trait]
impl Sink for NewPlugin {
    async fn check(&self, _scope: &Scope, _outputs: &[Output]) -> Result<()> {
        if self.folder.is_file() {
            return Err(Error::new(ErrorKind::Destination, format!("{} is no folder", self.folder.display())));
        }
        Ok(())
    }

    async fn begin(&self, _scope: &Scope, outputs: &[Output]) -> Result<Box<dyn Replacement>> {
        let texts = outputs.iter().filter_map(|output| Some((self.file(output)?, String::new()))).collect();
        Ok(Box::new(Draft { folder: self.folder.clone(), texts: Some(texts), rows: 0 }))
    }
}

/// What is to be written. It is in memory until the commit, so dropping it leaves nothing behind.
struct Draft {
    folder: PathBuf,
    /// By file; gone for good if a row could not be taken, so that no part is committed.
    texts: Option<BTreeMap<PathBuf, String>>,
    rows: u64,
}

#[async_trait]
impl Replacement for Draft {
    async fn append(&mut self, output: &Output, rows: &RecordBatch) -> Result<()> {
        let mut texts = self.texts.take().ok_or_else(|| Error::bug("a failed replacement was used again"))?;
        output.check_rows(rows)?;
        let table = output.destination.as_ref().map(|destination| destination.table);
        let table = table.ok_or_else(|| Error::bug("rows without a table were given to a sink"))?;
        let text = texts.entry(self.folder.join(format!("{}.txt", table.name))).or_default();
        let bug = |error: ArrowError| Error::bug(error.to_string());
        let options = FormatOptions::default().with_null("-");
        // Several outputs may go to one table, and not each writes every column.
        let columns = table.fields.iter().map(|field| rows.column_by_name(field.name));
        let columns = columns.map(|column| column.map(|column| ArrayFormatter::try_new(column, &options)).transpose());
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(bug)?;
        for row in 0..rows.num_rows() {
            let cell = |column: &Option<ArrayFormatter<'_>>| {
                column.as_ref().map_or_else(|| "-".to_owned(), |column| column.value(row).to_string())
            };
            *text += &columns.iter().map(cell).collect::<Vec<_>>().join("\t");
            *text += "\n";
        }
        self.rows += rows.num_rows() as u64;
        self.texts = Some(texts);
        Ok(())
    }

    /// A file is written anew as a whole, and nobody looks into the old one.
    fn removed(&self) -> &[RowsOfDay] {
        &[]
    }

    async fn commit(self: Box<Self>) -> Result<Receipt> {
        let texts = self.texts.ok_or_else(|| Error::bug("a failed replacement was used again"))?;
        let store = |error: std::io::Error| Error::new(ErrorKind::Store, error.to_string());
        tokio::fs::create_dir_all(&self.folder).await.map_err(store)?;
        for (file, text) in &texts {
            // Whoever looks sees the old file or the new one, whole.
            let draft = file.with_extension("draft");
            tokio::fs::write(&draft, text).await.map_err(store)?;
            tokio::fs::rename(&draft, file).await.map_err(store)?;
        }
        let location = self.folder.display().to_string();
        let look = format!("head {location}/*.txt");
        Ok(Receipt { rows_deleted: 0, rows_inserted: self.rows, location, look })
    }
}

#[cfg(test)]
mod tests;
