//! Builds the plugins that a configuration names.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokaki_core::pipeline::plan::Aggregators;
use tokaki_core::pipeline::{Memory, Wiring};
use tokaki_core::plugin::{self, AggregatorPart, Plugin, StorePart};
use tokaki_core::{
    AnyAggregator, Build, Cache, Catalog, Error, PluginKind, Reader, ReferenceData, ReferenceSource, Result, Scope,
    Sink, Source,
};

use crate::config::Config;
use crate::fingerprint;

/// The plugins of a run, except that aggregators wait for reference data.
pub(crate) struct Parts {
    catalog: Arc<dyn Catalog>,
    reader: Arc<dyn Reader>,
    /// Where reference data comes from.
    pub(crate) reference: Arc<dyn ReferenceSource>,
    sink: Arc<dyn Sink>,
    cache: Option<Arc<dyn Cache>>,
    aggregators: BTreeMap<&'static str, &'static Plugin>,
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
        let aggregators = needed(config, scope)?;
        let cache = tokaki_readers::cache::open(&config.cache(), &config.store())?;
        Ok(Self { catalog: catalog(config)?, reader: reader(config)?, reference, sink, cache, aggregators })
    }

    /// The run's wiring, with aggregators that know `reference`.
    ///
    /// # Errors
    /// Whatever an aggregator finds wrong, for instance a malformed cost-category pattern.
    pub(crate) fn wire(self, config: &Config, scope: &Scope, reference: &Arc<ReferenceData>) -> Result<Wiring> {
        let memory = self.cache.map(|cache| {
            let settings = fingerprint::settings(config, &self.aggregators, reference);
            Memory { cache, settings }
        });
        let mut aggregators = Aggregators::new();
        for (name, plugin) in self.aggregators {
            aggregators.insert(name.to_owned(), aggregator(plugin, config, scope, reference)?);
        }
        let mut written = config.settings.aggregators.enabled.clone();
        written.sort();
        written.dedup();
        Ok(Wiring { catalog: self.catalog, reader: self.reader, aggregators, written, sink: self.sink, memory })
    }
}

/// The enabled aggregators and, transitively, those whose output they take.
///
/// Each is built once with empty reference data: only a built aggregator knows its inputs, and this way a wrong
/// setting is found before reference data is fetched.
fn needed(config: &Config, scope: &Scope) -> Result<BTreeMap<&'static str, &'static Plugin>> {
    const KEY: &str = "aggregators.enabled";
    let enabled = &config.settings.aggregators.enabled;
    if enabled.is_empty() {
        return Err(Error::config(KEY, "expected at least one aggregator").help("for instance enabled = [\"pod\"]"));
    }
    let mut open: VecDeque<String> = enabled.iter().cloned().collect();
    let mut found = BTreeMap::new();
    let nothing_known = Arc::default();
    while let Some(name) = open.pop_front() {
        let plugin = plugin::find(PluginKind::Aggregator, &name, KEY)?;
        if found.insert(plugin.name, plugin).is_none() {
            let inputs = aggregator(plugin, config, scope, &nothing_known)?.inputs();
            open.extend(inputs.into_iter().filter_map(|input| match input.source {
                Source::OutputOf(other) => Some(other.to_owned()),
                _ => None,
            }));
        }
    }
    Ok(found)
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
