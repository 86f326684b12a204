#![doc = include_str!("README.md")]

mod draft;
mod encode;
mod existing;
mod folder;
mod owned;
mod replace;
mod typical;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokaki_core::{Encoder, Error, Output, Replacement, Result, Scope, Section, Sink};

use crate::SinkConfig;
use crate::target::targets;

tokaki_core::register!(
    Sink,
    SinkConfig,
    "parquet",
    "Replaces rows in a folder with one Parquet file per table.",
    build
);

fn build(section: &Section) -> Result<Arc<dyn Sink>> {
    let config: SinkConfig = section.parse()?;
    let (folder, lock_wait) = (config.path("parquet", section)?, config.lock_wait());
    Ok(Arc::new(Parquet { folder, create_missing: config.create_missing, lock_wait }))
}

/// A folder of files.
#[derive(Debug)]
struct Parquet {
    folder: PathBuf,
    create_missing: bool,
    lock_wait: Duration,
}

#[async_trait]
impl Sink for Parquet {
    async fn check(&self, _scope: &Scope, outputs: &[Output]) -> Result<()> {
        let (folder, create_missing, targets) = (self.folder.clone(), self.create_missing, targets(outputs)?);
        blocking(move || {
            folder::check(&folder, create_missing)?;
            targets.iter().try_for_each(|target| existing::open(&folder, target, create_missing).map(drop))
        })
        .await
    }

    async fn begin(&self, scope: &Scope, outputs: &[Output]) -> Result<Box<dyn Replacement>> {
        let (folder, create_missing, targets) = (self.folder.clone(), self.create_missing, targets(outputs)?);
        let (days, lock_wait) = (scope.days, self.lock_wait);
        let begin = move || {
            let folder = folder::Folder::claim(&folder, create_missing, lock_wait)?;
            replace::ParquetReplacement::begin(folder, days, &targets, create_missing)
        };
        Ok(Box::new(blocking(begin).await?))
    }

    fn encoder(&self) -> Option<Arc<dyn Encoder>> {
        Some(Arc::new(encode::DayEncoder))
    }
}

/// Does `work`, which waits for the disk and compresses, where it holds up nobody.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::bug(error.to_string()))?
}
