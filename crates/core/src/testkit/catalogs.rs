//! What every catalog promises.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, Files};
use crate::error::Result;
use crate::input::TableName;
use crate::scope::Scope;

/// Lists a table, and checks that each file is there once, by path and by the name that people see, that left-out files
/// are none of them and stand for one of them, and that a second listing is the same.
///
/// # Errors
/// What the catalog finds wrong.
///
/// # Panics
/// If the catalog breaks a promise.
pub async fn check(catalog: &dyn Catalog, table: &TableName, scope: &Scope) -> Result<Files> {
    let found = catalog.files(table, scope).await?;
    let paths: BTreeSet<&str> = found.files.iter().map(|file| file.path.as_str()).collect();
    let shown: BTreeSet<&str> = found.files.iter().map(|file| file.shown.as_str()).collect();
    assert_eq!((paths.len(), shown.len()), (found.files.len(), found.files.len()), "a file is listed twice: {found:?}");
    for duplicate in &found.duplicates {
        assert!(!shown.contains(duplicate.file.as_str()), "{} is left out and listed", duplicate.file);
        assert!(shown.contains(duplicate.of.as_str()), "{} stands for a file that is not listed", duplicate.file);
    }
    let again = catalog.files(table, scope).await?;
    assert_eq!(found, again, "a second listing is another");
    Ok(found)
}
