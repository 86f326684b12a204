//! How plugins are found: each registers itself in its own file, and nobody keeps a list.
//!
//! A crate that the program links but never names is dropped by the linker, and its plugins with it. The crates that
//! carry plugins are therefore named once, in the command line's `plugins.rs`.

use std::fmt;
use std::sync::Arc;

use schemars::Schema;

use crate::aggregator::AnyAggregator;
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::reader::Reader;
use crate::reference::{ReferenceData, ReferenceSource};
use crate::scope::{Scope, Semantics};
use crate::section::Section;
use crate::sink::Sink;

/// The five things a plugin can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PluginKind {
    /// Knows where a table's files are.
    Catalog,
    /// Turns files into chunks.
    Reader,
    /// Brings what the database knows.
    Reference,
    /// Folds chunks into rows.
    Aggregator,
    /// Takes rows.
    Sink,
}

impl fmt::Display for PluginKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Catalog => "catalog",
            Self::Reader => "reader",
            Self::Reference => "reference",
            Self::Aggregator => "aggregator",
            Self::Sink => "sink",
        })
    }
}

/// What catalogs and readers are built from: their own settings and those of the store they look into.
#[derive(Debug, Clone, Default)]
pub struct StorePart {
    /// The plugin's own section.
    pub own: Section,
    /// The `[store]` section.
    pub store: Section,
}

/// What aggregators are built from.
#[derive(Debug, Clone)]
pub struct AggregatorPart {
    /// The plugin's own section.
    pub own: Section,
    /// What the run covers.
    pub scope: Scope,
    /// How joins are counted.
    pub semantics: Semantics,
    /// What the database knows.
    pub reference: Arc<ReferenceData>,
}

/// A plugin's constructor.
#[derive(Clone, Copy)]
pub enum Build {
    /// Builds a catalog.
    Catalog(fn(&StorePart) -> Result<Arc<dyn Catalog>>),
    /// Builds a reader.
    Reader(fn(&StorePart) -> Result<Arc<dyn Reader>>),
    /// Builds a reference source.
    Reference(fn(&Section) -> Result<Arc<dyn ReferenceSource>>),
    /// Builds an aggregator.
    Aggregator(fn(&AggregatorPart) -> Result<Arc<dyn AnyAggregator>>),
    /// Builds a sink.
    Sink(fn(&Section) -> Result<Arc<dyn Sink>>),
}

/// What a plugin says of itself.
pub struct Plugin {
    /// Name in the configuration.
    pub name: &'static str,
    /// One sentence for `plugins list`.
    pub summary: &'static str,
    /// Module that registers it, for instance `tokaki_readers::parquet`.
    pub module: &'static str,
    /// JSON schema of its config type.
    pub schema: fn() -> Schema,
    /// A configuration that works, as TOML.
    pub sample: &'static str,
    /// Its constructor.
    pub build: Build,
}

impl Plugin {
    /// What it is.
    pub fn kind(&self) -> PluginKind {
        match self.build {
            Build::Catalog(_) => PluginKind::Catalog,
            Build::Reader(_) => PluginKind::Reader,
            Build::Reference(_) => PluginKind::Reference,
            Build::Aggregator(_) => PluginKind::Aggregator,
            Build::Sink(_) => PluginKind::Sink,
        }
    }
}

inventory::collect!(Plugin);

/// Registers a plugin: `register!(Sink, SqliteConfig, "sqlite", "One sentence.", build)`.
///
/// The first word is a variant of [`Build`], the second the config type, `build` the constructor. The folder of the
/// calling file holds the `sample.toml`.
#[macro_export]
macro_rules! register {
    ($kind:ident, $config:ty, $name:literal, $summary:literal, $build:expr) => {
        $crate::__private::inventory::submit! {
            $crate::plugin::Plugin {
                name: $name,
                summary: $summary,
                module: module_path!(),
                schema: $crate::section::schema_of::<$config>,
                sample: include_str!("sample.toml"),
                build: $crate::plugin::Build::$kind($build),
            }
        }
    };
}

/// All registered plugins, sorted by kind and name.
pub fn all() -> Vec<&'static Plugin> {
    let mut plugins: Vec<_> = inventory::iter::<Plugin>.into_iter().collect();
    plugins.sort_by_key(|plugin| (plugin.kind(), plugin.name));
    plugins
}

/// The plugin of this kind and name; `key` is the setting that named it.
///
/// # Errors
/// `Config` with the registered names, or `Bug` if two plugins share a name.
pub fn find(kind: PluginKind, name: &str, key: &str) -> Result<&'static Plugin> {
    let of_kind: Vec<_> = all().into_iter().filter(|plugin| plugin.kind() == kind).collect();
    let mut found = of_kind.iter().filter(|plugin| plugin.name == name);
    match (found.next(), found.next()) {
        (Some(plugin), None) => Ok(plugin),
        (Some(first), Some(second)) => {
            Err(Error::bug(format!("two {kind} plugins are called `{name}`: {} and {}", first.module, second.module)))
        }
        (None, _) => {
            let names: Vec<_> = of_kind.iter().map(|plugin| plugin.name).collect();
            Err(Error::config(key, format!("there is no {kind} plugin `{name}`"))
                .help(format!("registered {kind} plugins: {}", names.join(", "))))
        }
    }
}
