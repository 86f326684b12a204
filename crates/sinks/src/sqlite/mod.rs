#![doc = include_str!("README.md")]

mod define;
mod errors;
mod insert;
mod open;
mod replace;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokaki_core::{Error, ErrorKind, Output, Replacement, Result, Scope, Section, Sink};

use crate::SinkConfig;
use crate::disk::{check_writable, disk_error, folder_of, place_of};
use crate::target::targets;

tokaki_core::register!(Sink, SinkConfig, "sqlite", "Replaces rows in one SQLite file, without a server.", build);

fn build(section: &Section) -> Result<Arc<dyn Sink>> {
    let config: SinkConfig = section.parse()?;
    let (file, lock_wait) = (config.path("sqlite", section)?, config.lock_wait());
    Ok(Arc::new(Sqlite { file, create_missing: config.create_missing, lock_wait }))
}

/// A database file.
#[derive(Debug)]
struct Sqlite {
    file: PathBuf,
    create_missing: bool,
    lock_wait: Duration,
}

impl Sqlite {
    fn exists(&self) -> Result<bool> {
        let exists = self.file.try_exists().map_err(|error| disk_error(&self.file, &error))?;
        if exists || self.create_missing {
            Ok(exists)
        } else {
            Err(Error::new(ErrorKind::Destination, "the database file does not exist")
                .at(&place_of(&self.file))
                .help("set sink.create_missing = true to have it created"))
        }
    }
}

#[async_trait]
impl Sink for Sqlite {
    async fn check(&self, _scope: &Scope, outputs: &[Output]) -> Result<()> {
        let targets = targets(outputs)?;
        // SQLite writes its journal into the folder, so that must be writable even if the file exists.
        check_writable(folder_of(&self.file))?;
        if !self.exists()? {
            return Ok(());
        }
        std::fs::OpenOptions::new()
            .append(true)
            .open(&self.file)
            .map_err(|error| disk_error(&self.file, &error).help("the database file must be writable"))?;
        let database = open::existing(&self.file, self.lock_wait).await?;
        for target in &targets {
            define::check_table(&database, &self.file, target, self.create_missing).await?;
        }
        database.close().await.map_err(|error| errors::sqlite_error(&self.file, &error))
    }

    async fn begin(&self, scope: &Scope, outputs: &[Output]) -> Result<Box<dyn Replacement>> {
        let draft = if self.exists()? { None } else { Some(crate::disk::draft_of(&self.file)?.into_temp_path()) };
        let targets = targets(outputs)?;
        let database = match &draft {
            Some(draft) => open::draft(draft).await?,
            None => open::existing(&self.file, self.lock_wait).await?,
        };
        let destination = replace::Place { file: &self.file, create_missing: self.create_missing };
        let replacement = replace::SqliteReplacement::begin(destination, database, draft, scope, &targets);
        Ok(Box::new(replacement.await?))
    }
}
