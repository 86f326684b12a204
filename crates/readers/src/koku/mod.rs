//! Catalog of Koku's own layout (spec § 1). See `README.md` in this folder.

use std::sync::Arc;

use async_trait::async_trait;
use tokaki_core::plugin::StorePart;
use tokaki_core::section::NoSettings;
use tokaki_core::{Catalog, DataFile, DuplicateFile, Files, Grain, OPENSHIFT, Result, Scope, TableName};

use crate::store::Store;

tokaki_core::register!(Catalog, NoSettings, "koku", "Koku's layout: one folder per source, year and month.", build);

fn build(part: &StorePart) -> Result<Arc<dyn Catalog>> {
    part.own.parse::<NoSettings>()?;
    Ok(Arc::new(KokuCatalog { store: Store::open(&part.store)? }))
}

struct KokuCatalog {
    store: Store,
}

#[async_trait]
impl Catalog for KokuCatalog {
    async fn files(&self, table: &TableName, scope: &Scope) -> Result<Files> {
        let mut found = Files::default();
        for folder in folders(table, scope) {
            for file in self.store.parquet_files(&folder, false).await? {
                match self.twin(&found.files, &file).await? {
                    Some(of) => found.duplicates.push(DuplicateFile { file: file.shown, of }),
                    None => found.files.push(file),
                }
            }
        }
        found.files.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(found)
    }

    fn format(&self) -> Option<&'static str> {
        Some("parquet")
    }
}

impl KokuCatalog {
    /// The one among `known` that is `file` under the month's other spelling. A name may come again with other rows.
    async fn twin(&self, known: &[DataFile], file: &DataFile) -> Result<Option<String>> {
        let is_named = |other: &DataFile| other.path.rsplit('/').next() == file.path.rsplit('/').next();
        let alike = |other: &&DataFile| other.bytes == file.bytes && is_named(other);
        match known.iter().find(alike) {
            Some(other) if self.store.have_same_bytes(other, file).await? => Ok(Some(other.shown.clone())),
            _ => Ok(None),
        }
    }
}

/// The folders that may hold the scope's month: `month=01`, as Koku writes it, and `month=1`.
fn folders(table: &TableName, scope: &Scope) -> Vec<String> {
    let (year, month) = (scope.days.year(), scope.days.month());
    let mut spellings = vec![format!("{month:02}")];
    if month < 10 {
        spellings.push(month.to_string());
    }
    let prefix = format!("{}/year={year}", root(table, account(&scope.org), &scope.source_uuid));
    spellings.into_iter().map(|month| format!("{prefix}/month={month}/")).collect()
}

/// The folder of a source's table. The organisation is named as [`account`] says.
pub fn root(table: &TableName, account: &str, source_uuid: &str) -> String {
    let daily = if table.grain == Grain::Daily { "daily/" } else { "" };
    // A bill has one report type. Its daily rows lie in a folder beside those that Koku has matched already.
    let place = match (table.provider, table.grain) {
        (OPENSHIFT, _) => format!("{OPENSHIFT}/{}", table.report_type),
        (provider, Grain::Daily) => format!("{provider}/raw"),
        (provider, Grain::Hourly) => provider.to_owned(),
    };
    format!("data/parquet/{daily}{account}/{place}/source={source_uuid}")
}

/// The path names an old schema `acct12345` by its number alone.
pub fn account(org: &str) -> &str {
    match org.strip_prefix("acct") {
        Some(number) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => number,
        _ => org,
    }
}

#[cfg(test)]
mod tests;
