//! Text files, one for each table. See `README.md`.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use async_trait::async_trait;
use tokaki_core::{Error, ErrorKind, Output, Receipt, Replacement, Result, RowsOfDay, Scope, Section, Sink};

tokaki_core::register!(Sink, NewPluginConfig, "new_plugin", "Text files, one for each table, written once.", build);

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
    async fn check(&self, _scope: &Scope, outputs: &[Output]) -> Result<()> {
        match outputs.iter().filter_map(|output| self.file(output)).find(|file| file.exists()) {
            None => Ok(()),
            Some(file) => Err(Error::new(ErrorKind::Destination, format!("{} is there already", file.display()))
                .help("this sink replaces nothing: name another folder")),
        }
    }

    async fn begin(&self, scope: &Scope, outputs: &[Output]) -> Result<Box<dyn Replacement>> {
        self.check(scope, outputs).await?;
        let texts = outputs.iter().filter_map(|output| Some((self.file(output)?, String::new()))).collect();
        Ok(Box::new(Draft { folder: self.folder.clone(), texts, rows: 0 }))
    }
}

/// What is to be written. It is in memory until the commit, so dropping it leaves nothing behind.
struct Draft {
    folder: PathBuf,
    texts: Vec<(PathBuf, String)>,
    rows: u64,
}

#[async_trait]
impl Replacement for Draft {
    async fn append(&mut self, output: &Output, rows: &RecordBatch) -> Result<()> {
        let name = output.destination.as_ref().map(|destination| format!("{}.txt", destination.table.name));
        let is_own = |file: &PathBuf| file.file_name().and_then(|own| own.to_str()) == name.as_deref();
        let of_output = self.texts.iter_mut().find(|(file, _)| is_own(file));
        let (_, text) = of_output.ok_or_else(|| Error::bug("rows came of an output that was not begun"))?;
        let bug = |error: ArrowError| Error::bug(error.to_string());
        let options = FormatOptions::default().with_null("-");
        let columns = rows.columns().iter().map(|column| ArrayFormatter::try_new(column, &options));
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(bug)?;
        for row in 0..rows.num_rows() {
            let cells: Vec<String> = columns.iter().map(|column| column.value(row).to_string()).collect();
            writeln!(text, "{}", cells.join("\t")).map_err(|error| Error::bug(error.to_string()))?;
        }
        self.rows += rows.num_rows() as u64;
        Ok(())
    }

    fn removed(&self) -> &[RowsOfDay] {
        &[]
    }

    async fn commit(self: Box<Self>) -> Result<Receipt> {
        let store = |error: std::io::Error| Error::new(ErrorKind::Store, error.to_string());
        tokio::fs::create_dir_all(&self.folder).await.map_err(store)?;
        for (file, text) in &self.texts {
            // Whoever looks sees no file or a whole one.
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
