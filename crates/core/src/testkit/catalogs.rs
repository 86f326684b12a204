//! What every catalog promises.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::fixtures::{self, Open};
use super::plugins::Plugins;
use super::sinks::scope;
use crate::catalog::{Catalog, Files};
use crate::error::{Error, Result};
use crate::input::{Grain, OPENSHIFT, TableName};
use crate::plugin::{Build, Plugin, PluginKind, StorePart};
use crate::scope::Scope;

/// An empty store that a catalog looks into, and that files can be put into.
pub trait Place: Send + Sync {
    /// The settings that make a catalog look into it.
    fn part(&self) -> StorePart;

    /// Puts a file there in which the catalog sees rows of `table`, of the source and month of `scope`. Two that differ in
    /// `name` differ in what is in them, too. Asked only for hourly tables of pods and node labels.
    fn put(&self, table: &TableName, scope: &Scope, name: &str);

    /// Whether the layout tells sources and months apart. Where it does not, all that is there is the scope's.
    fn knows_scopes(&self) -> bool;
}

/// Every catalog of the crate lists what is there, and nothing else.
///
/// # Panics
/// If one breaks a promise, or has no fixture.
pub fn keep_their_promises(plugins: &Plugins) {
    fixtures::for_each(plugins, PluginKind::Catalog, async |plugin, open| {
        let Open::Catalog(open) = open else { unreachable!("a fixture of the plugin's kind") };
        lists_what_is_there(plugin, open().as_ref()).await;
    });
}

async fn lists_what_is_there(plugin: &Plugin, place: &dyn Place) {
    let own = scope("2025-10-01", "2025-10-02");
    let [pods, nodes] = ["pod_usage", "node_labels"].map(|report_type| TableName {
        provider: OPENSHIFT,
        report_type,
        grain: Grain::Hourly,
    });
    // Some remember what they saw, as a run wants it.
    let listed = async |table: &TableName, scope: &Scope| {
        let catalog = built(plugin, place).expect("a catalog");
        check(catalog.as_ref(), table, scope).await.expect("a listing").files
    };
    assert!(listed(&pods, &own).await.is_empty(), "an empty store has no files");

    place.put(&pods, &own, "b");
    place.put(&pods, &own, "a");
    let files = listed(&pods, &own).await;
    assert_eq!(files.len(), 2, "two files were put there");
    assert!(files.is_sorted_by(|one, other| one.path < other.path), "not sorted by path");
    assert!(files.iter().all(|file| file.bytes > 0), "the files have bytes");
    assert!(listed(&nodes, &own).await.is_empty(), "another table's files");

    place.put(&nodes, &own, "a");
    assert_eq!(
        (listed(&pods, &own).await.len(), listed(&nodes, &own).await.len()),
        (2, 1),
        "a file of each table more"
    );
    if place.knows_scopes() {
        let of_another = Scope { source_uuid: "5d6f8e9a-0000-4000-8000-000000000002".into(), ..own.clone() };
        for other in [of_another, scope("2025-09-01", "2025-09-02")] {
            assert!(listed(&pods, &other).await.is_empty(), "another's files");
            place.put(&pods, &other, "c");
            assert_eq!(listed(&pods, &other).await.len(), 1, "its own file");
            assert_eq!(listed(&pods, &own).await.len(), 2, "another's files");
        }
    }
}

fn built(plugin: &Plugin, place: &dyn Place) -> Result<Arc<dyn Catalog>> {
    let Build::Catalog(build) = plugin.build else { return Err(Error::bug("the plugin is no catalog")) };
    build(&place.part())
}

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
