//! Catalog of a folder or glob per table. See `README.md` in this folder.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use glob::Pattern;
use schemars::JsonSchema;
use serde::Deserialize;
use tokaki_core::plugin::StorePart;
use tokaki_core::{Catalog, Error, Files, Result, Scope, TableName};

use crate::store::Store;

tokaki_core::register!(Catalog, FlatConfig, "flat", "A folder or glob per table, for files kept elsewhere.", build);

/// Settings of the catalog `flat`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FlatConfig {
    /// Folder (read with all that is below it) or glob of each table, below `store.url`. The tables are called as in
    /// Koku, for instance `openshift_pod_usage_line_items_daily`. A table that is not named is empty.
    pub tables: BTreeMap<String, String>,
}

fn build(part: &StorePart) -> Result<Arc<dyn Catalog>> {
    let config: FlatConfig = part.own.parse()?;
    let mut tables = BTreeMap::new();
    for (table, place) in config.tables {
        let key = format!("{}.tables.{table}", part.own.path());
        if !(table.starts_with("openshift_")
            && (table.ends_with("_line_items") || table.ends_with("_line_items_daily")))
        {
            return Err(Error::config(key, format!("`{table}` is not the name of a line item table"))
                .help("tables are called as in Koku, for instance openshift_pod_usage_line_items_daily"));
        }
        tables.insert(table, Location::parse(&place).map_err(|error| Error::config(key, error.to_string()))?);
    }
    Ok(Arc::new(FlatCatalog { store: Store::open(&part.store)?, tables }))
}

/// A folder to list, and what the paths in it must match.
#[derive(Debug)]
struct Location {
    folder: String,
    pattern: Option<Pattern>,
}

impl Location {
    fn parse(place: &str) -> Result<Self, glob::PatternError> {
        let place = place.trim_start_matches("./").trim_matches('/');
        let Some(first_wildcard) = place.find(['*', '?', '[']) else {
            return Ok(Self { folder: format!("{place}/"), pattern: None });
        };
        let folder_end = place[..first_wildcard].rfind('/').map_or(0, |slash| slash + 1);
        Ok(Self { folder: place[..folder_end].to_owned(), pattern: Some(Pattern::new(place)?) })
    }
}

struct FlatCatalog {
    store: Store,
    tables: BTreeMap<String, Location>,
}

#[async_trait]
impl Catalog for FlatCatalog {
    async fn files(&self, table: &TableName, _scope: &Scope) -> Result<Files> {
        let Some(location) = self.tables.get(&table.to_string()) else { return Ok(Files::default()) };
        let mut files = self.store.parquet_files(&location.folder, true).await?;
        if let Some(pattern) = &location.pattern {
            // As in a shell: `*` stays inside a folder, `**` does not.
            let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
            files.retain(|file| pattern.matches_with(&file.path, options));
        }
        Ok(files.into())
    }

    fn format(&self) -> Option<&'static str> {
        Some("parquet")
    }
}

#[cfg(test)]
mod tests;
