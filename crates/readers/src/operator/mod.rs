//! Catalog of what the operator uploads. See `README.md` in this folder.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytesize::ByteSize;
use schemars::JsonSchema;
use serde::Deserialize;
use tokaki_core::plugin::StorePart;
use tokaki_core::{Catalog, DataFile, DuplicateFile, Error, Files, Grain, OPENSHIFT, Result, Scope, TableName};
use tokio::sync::OnceCell;

use crate::payload::{self, Limits, Located};
use crate::store::StoreConfig;

tokaki_core::register!(
    Catalog,
    OperatorConfig,
    "operator",
    "What the operator uploads: CSV files, folders of them, or tar.gz; for the reader `csv`.",
    build
);

/// Settings of the catalog `operator`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OperatorConfig {
    /// What an archive may unpack to, for instance 4GiB, which is the default.
    pub max_unpacked: Option<String>,
}

fn build(part: &StorePart) -> Result<Arc<dyn Catalog>> {
    let OperatorConfig { max_unpacked } = part.own.parse()?;
    let store: StoreConfig = part.store.parse()?;
    let key = format!("{}.url", part.store.path());
    if store.url.contains("://") {
        return Err(Error::config(key, "the catalog `operator` looks into folders and archives only")
            .help("convert the payloads to Parquet, or download them"));
    }
    let mut limits = Limits::default();
    if let Some(text) = max_unpacked {
        let key = format!("{}.max_unpacked", part.own.path());
        let size: ByteSize = text
            .parse()
            .map_err(|_| Error::config(key, format!("expected a size, found {text:?}")).help("for instance 4GiB"))?;
        limits.unpacked_bytes = size.as_u64();
    }
    Ok(Arc::new(OperatorCatalog { root: store.url.into(), limits, found: OnceCell::new() }))
}

struct OperatorCatalog {
    root: PathBuf,
    limits: Limits,
    /// To know what a file reports it must be opened, and an archive unpacked; that is done once.
    found: OnceCell<Vec<Located>>,
}

impl OperatorCatalog {
    async fn found(&self) -> Result<&Vec<Located>> {
        let find = || async {
            let (root, limits) = (self.root.clone(), self.limits.clone());
            let found = tokio::task::spawn_blocking(move || payload::find(&root, &limits)).await;
            found.map_err(|error| Error::bug(error.to_string()))?
        };
        self.found.get_or_try_init(find).await
    }
}

#[async_trait]
impl Catalog for OperatorCatalog {
    async fn files(&self, table: &TableName, _scope: &Scope) -> Result<Files> {
        if table.provider != OPENSHIFT || table.grain != Grain::Hourly {
            return Ok(Files::default());
        }
        let of_table = self.found().await?.iter().filter(|located| located.report_type.name() == table.report_type);
        let mut files = Files::default();
        // A manifest numbers the files of its payload, wherever copies of it lie.
        let mut known: BTreeMap<(&str, usize), &str> = BTreeMap::new();
        for Located { file, bytes, .. } in of_table {
            let number = file.position.map(|position| (file.payload.as_str(), position));
            if let Some(of) = number.and_then(|number| known.get(&number)) {
                files.duplicates.push(DuplicateFile { file: file.shown.clone(), of: (*of).to_owned() });
                continue;
            }
            known.extend(number.map(|number| (number, file.shown.as_str())));
            let shown = file.shown.clone();
            files.files.push(DataFile { path: shown.clone(), shown, bytes: *bytes, version: None });
        }
        Ok(files)
    }

    fn format(&self) -> Option<&'static str> {
        Some("csv")
    }
}

#[cfg(test)]
mod tests;
