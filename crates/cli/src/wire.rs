//! Builds the plugins that a configuration names.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokaki_core::pipeline::plan::Aggregators;
use tokaki_core::pipeline::{Memory, Wiring};
use tokaki_core::plugin::{self, AggregatorPart, Plugin, StorePart};
use tokaki_core::{
    AnyAggregator, Build, Cache, Catalog, Error, Member, PluginKind, Reader, ReferenceData, ReferenceSource, Result,
    Scope, Sink, Source, member,
};

use crate::config::Config;
use crate::{fingerprint, memory};

/// The plugins of a run, except that aggregators wait for reference data.
pub(crate) struct Parts {
    catalog: Arc<dyn Catalog>,
    reader: Arc<dyn Reader>,
    /// Where reference data comes from.
    pub(crate) reference: Arc<dyn ReferenceSource>,
    sink: Arc<dyn Sink>,
    cache: Option<Arc<dyn Cache>>,
}

impl Parts {
    /// Builds everything that needs no reference data, and finds the aggregators that the enabled ones need.
    ///
    /// # Errors
    /// `Config` for a plugin's setting; whatever a plugin finds wrong before it is used. Settings are looked at before
    /// any file is.
    pub(crate) fn build(config: &Config, scope: &Scope) -> Result<Self> {
        let sink = sink(config)?;
        let reference = reference(config)?;
        // Only to find a wrong setting before reference data is fetched.
        needed(config, scope, &Arc::default())?;
        let cache = tokaki_readers::cache::open(&config.cache(), &config.store())?;
        let (catalog, reader) = (catalog(config)?, reader(config)?);
        check_formats(config, catalog.format(), reader.format())?;
        Ok(Self { catalog, reader, reference, sink, cache })
    }

    /// The run's wiring, with aggregators that know `reference`.
    ///
    /// # Errors
    /// Whatever an aggregator finds wrong, for instance a malformed cost-category pattern.
    pub(crate) fn wire(self, config: &Config, scope: &Scope, reference: &Arc<ReferenceData>) -> Result<Wiring> {
        let (aggregators, plugins) = needed(config, scope, reference)?;
        let remembered = self.cache.clone().map(|cache| {
            let settings = fingerprint::settings(config, &plugins, reference);
            Memory { cache, settings }
        });
        let mut written = config.settings.aggregators.enabled.clone();
        written.sort();
        written.dedup();
        let Self { catalog, reader, sink, .. } = self;
        let gauge = memory::gauge(config.settings.memory_budget()?);
        Ok(Wiring { catalog, reader, aggregators, written, sink, memory: remembered, gauge })
    }
}

/// The enabled aggregators and, transitively, those whose output they take, with the plugins that they are built from.
/// What the source's own aggregators take of other sources runs as a member of the run.
///
/// Each is built to be asked: only a built aggregator knows its inputs.
fn needed(config: &Config, scope: &Scope, reference: &Arc<ReferenceData>) -> Result<(Aggregators, Plugins)> {
    const KEY: &str = "aggregators.enabled";
    let enabled = &config.settings.aggregators.enabled;
    if enabled.is_empty() {
        return Err(Error::config(KEY, "expected at least one aggregator").help("for instance enabled = [\"pod\"]"));
    }
    let mut open: VecDeque<(String, Option<String>)> = enabled.iter().map(|name| (name.clone(), None)).collect();
    let (mut found, mut plugins) = (Aggregators::new(), Plugins::new());
    while let Some((name, of)) = open.pop_front() {
        let plugin = plugin::find(PluginKind::Aggregator, &name, KEY)?;
        plugins.insert(plugin.name, plugin);
        let key = member::name(plugin.name, of.as_deref());
        if found.contains_key(&key) {
            continue;
        }
        let aggregator = match &of {
            None => aggregator(plugin, config, scope, reference)?,
            Some(uuid) => {
                let known = reference_of(reference, uuid)?;
                Arc::new(Member::new(uuid, aggregator(plugin, config, &scope.of(Some(uuid)), known)?))
            }
        };
        open.extend(aggregator.inputs().into_iter().filter_map(|input| match input.source {
            Source::OutputOf(other) => Some((other.to_owned(), input.of)),
            _ => None,
        }));
        found.insert(key, aggregator);
    }
    Ok((found, plugins))
}

/// Plugins by name.
type Plugins = BTreeMap<&'static str, &'static Plugin>;

/// What is known of another source than the run's own.
fn reference_of<'a>(reference: &'a ReferenceData, uuid: &str) -> Result<&'a Arc<ReferenceData>> {
    let cluster = reference.bill.as_ref().and_then(|bill| bill.cluster(uuid));
    let nothing = || Error::bug(format!("an aggregator takes rows of the source {uuid}, of which nothing is known"));
    cluster.map(|cluster| &cluster.reference).ok_or_else(nothing)
}

fn aggregator(
    plugin: &Plugin,
    config: &Config,
    scope: &Scope,
    reference: &Arc<ReferenceData>,
) -> Result<Arc<dyn AnyAggregator>> {
    let Build::Aggregator(build) = plugin.build else { return Err(misfiled(plugin)) };
    build(&AggregatorPart {
        own: config.section(plugin),
        scope: scope.clone(),
        semantics: config.settings.semantics,
        reference: Arc::clone(reference),
    })
}

fn catalog(config: &Config) -> Result<Arc<dyn Catalog>> {
    let plugin = config.plugin(PluginKind::Catalog)?;
    let Build::Catalog(build) = plugin.build else { return Err(misfiled(plugin)) };
    build(&StorePart { own: config.section(plugin), store: config.store() })
}

fn reader(config: &Config) -> Result<Arc<dyn Reader>> {
    let plugin = config.plugin(PluginKind::Reader)?;
    let Build::Reader(build) = plugin.build else { return Err(misfiled(plugin)) };
    build(&StorePart { own: config.section(plugin), store: config.store() })
}

/// A reader that cannot read what the catalog lists would find out with the first file.
fn check_formats(config: &Config, listed: Option<&str>, read: Option<&str>) -> Result<()> {
    match (listed, read) {
        (Some(listed), Some(read)) if listed != read => {
            let (catalog, reader) = (&config.settings.catalog.plugin, &config.settings.reader.plugin);
            let message =
                format!("the catalog `{catalog}` lists {listed} files, and the reader `{reader}` reads {read}");
            Err(Error::config("reader.type", message).help(format!(
                "choose another of the two: `tokaki plugins list` says which reader reads {listed} files"
            )))
        }
        _ => Ok(()),
    }
}

fn reference(config: &Config) -> Result<Arc<dyn ReferenceSource>> {
    let plugin = config.plugin(PluginKind::Reference)?;
    let Build::Reference(build) = plugin.build else { return Err(misfiled(plugin)) };
    build(&config.section(plugin))
}

fn sink(config: &Config) -> Result<Arc<dyn Sink>> {
    let plugin = config.plugin(PluginKind::Sink)?;
    let Build::Sink(build) = plugin.build else { return Err(misfiled(plugin)) };
    build(&config.section(plugin))
}

fn misfiled(plugin: &Plugin) -> Error {
    Error::bug(format!("the plugin `{}` was found under another kind than its own", plugin.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;

    #[test]
    fn aggregators_that_others_need_run_along_and_are_not_written() {
        let config = fake::config(&[]).expect("a good configuration");
        let scope = config.settings.scope().expect("a scope");
        let parts = Parts::build(&config, &scope).expect("parts");
        let wiring = parts.wire(&config, &scope, &Arc::default()).expect("wiring");
        assert_eq!(wiring.aggregators.keys().collect::<Vec<_>>(), ["fake", "fake-side"]);
        assert_eq!(wiring.written, ["fake"]);
    }

    #[test]
    fn a_wrong_plugin_setting_has_its_full_key_and_origin() {
        let config = fake::config(&[("aggregators.fake.limit", "many")]).expect("keys are known");
        let scope = config.settings.scope().expect("a scope");
        let failure = config.failure(Parts::build(&config, &scope).err().expect("no number"));
        assert_eq!(failure.error.key(), Some("aggregators.fake.limit"));
        assert_eq!(failure.origin.as_deref(), Some("--set aggregators.fake.limit=…"));
    }
}
