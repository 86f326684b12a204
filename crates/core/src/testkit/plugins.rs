//! What every plugin says of itself.

use serde_json::Value;

use super::job::Job;
use super::random::reference;
use crate::plugin::{self, Plugin, PluginKind};
use crate::section::Section;

/// The plugins of a crate, and what their tests need to know.
#[derive(Debug, Clone, Copy)]
pub struct Plugins {
    /// Name of the crate that registers them.
    pub of_crate: &'static str,
    /// Texts of columns for which not every text will do.
    pub texts: &'static [(&'static str, &'static [&'static str])],
}

impl Plugins {
    /// The plugins that the crate registers.
    ///
    /// # Panics
    /// If there is none.
    pub(super) fn all(&self) -> Vec<&'static Plugin> {
        let own = |plugin: &&Plugin| plugin.module.split("::").next() == Some(self.of_crate);
        let own: Vec<_> = plugin::all().into_iter().filter(own).collect();
        assert!(!own.is_empty(), "the crate `{}` registers no plugin: is there a `register!`?", self.of_crate);
        own
    }

    /// Those of a kind.
    pub(super) fn of(&self, kind: PluginKind) -> impl Iterator<Item = &'static Plugin> {
        self.all().into_iter().filter(move |plugin| plugin.kind() == kind)
    }
}

/// Settings of the plugin as its sample has them.
///
/// # Panics
/// If the sample is no TOML, or has nothing of the plugin.
pub fn own_section(plugin: &Plugin) -> Section {
    let path = match plugin.kind() {
        PluginKind::Aggregator => format!("aggregators.{}", plugin.name),
        kind => kind.to_string(),
    };
    let sample: Value = toml::from_str(plugin.sample).unwrap_or_else(|error| panic!("{}: {error}", plugin.module));
    let own = path.split('.').try_fold(&sample, |table, part| table.get(part)).and_then(Value::as_object);
    let own = own.unwrap_or_else(|| panic!("the sample of {} has no [{path}]", plugin.module));
    Section::new(path, own.clone())
}

/// A job with the settings of the samples and the reference data of the laws.
pub(super) fn job(plugin: &Plugin) -> Job {
    let aggregators = plugin::all().into_iter().filter(|plugin| plugin.kind() == PluginKind::Aggregator);
    Job {
        reference: reference(),
        own: own_section(plugin),
        others: aggregators.map(|plugin| (plugin.name.to_owned(), own_section(plugin))).collect(),
        ..Job::default()
    }
}

/// Every plugin of the crate has a name that can be typed, a sentence as summary, a sample that it takes, and settings
/// each of which is explained.
///
/// # Panics
/// If one has not.
pub fn describe_themselves(plugins: &Plugins) {
    for plugin in plugins.all() {
        let typed = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_-".contains(letter);
        assert!(!plugin.name.is_empty() && plugin.name.chars().all(typed), "{}: `{}`", plugin.module, plugin.name);
        assert!(plugin.summary.ends_with('.'), "{}: the summary is no sentence", plugin.module);
        let schema = (plugin.schema)().to_value();
        for (key, setting) in schema["properties"].as_object().into_iter().flatten() {
            let explained = setting["description"].as_str().is_some_and(|text| !text.is_empty());
            assert!(explained, "{}: the setting `{key}` has no doc comment", plugin.module);
        }
        // Others may open files and connections as soon as they are built.
        if plugin.kind() == PluginKind::Aggregator {
            let built = job(plugin).aggregator(plugin.name);
            assert!(built.is_ok(), "{} refuses its own sample: {:?}", plugin.module, built.err());
        }
    }
}
