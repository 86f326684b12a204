//! How the suites open a plugin in an empty place of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::plugins::Plugins;
use super::{catalogs, readers, references, sinks};
use crate::plugin::{Plugin, PluginKind};

/// What the suite of a plugin needs and only its author knows; [`fixture!`](crate::testkit::fixture) registers it.
pub struct Fixture {
    /// Name of the plugin.
    pub plugin: &'static str,
    /// Makes the empty place. Called once a test.
    pub open: Open,
}

/// An empty place for a plugin of each kind. Aggregators need none: their line items are random.
#[derive(Clone, Copy)]
pub enum Open {
    /// For a reader.
    Reader(fn() -> Box<dyn readers::Place>),
    /// For a catalog.
    Catalog(fn() -> Box<dyn catalogs::Place>),
    /// For a reference source.
    Reference(fn() -> Box<dyn references::Place>),
    /// For a sink that replaces rows among others: see [`crate::Sink`].
    Replacing(fn() -> Box<dyn sinks::Replacing>),
    /// For a sink that writes anew: see [`crate::Sink`].
    Anew(fn() -> Box<dyn sinks::Bench>),
}

impl Open {
    fn kind(self) -> PluginKind {
        match self {
            Self::Reader(_) => PluginKind::Reader,
            Self::Catalog(_) => PluginKind::Catalog,
            Self::Reference(_) => PluginKind::Reference,
            Self::Replacing(_) | Self::Anew(_) => PluginKind::Sink,
        }
    }
}

inventory::collect!(Fixture);

/// Registers how the suites open a plugin: `fixture!(Reader, "parquet", || Box::new(Folder::new()));` in a module of the
/// tests that call [`conformance!`](crate::testkit::conformance). The first word is a variant of [`Open`].
#[macro_export]
macro_rules! fixture {
    ($open:ident, $plugin:literal, $make:expr) => {
        $crate::__private::inventory::submit! {
            $crate::testkit::Fixture { plugin: $plugin, open: $crate::testkit::Open::$open($make) }
        }
    };
}

/// How to open the plugin.
///
/// # Panics
/// If nobody has said so, or two have.
fn of(plugin: &Plugin) -> Open {
    let (kind, name) = (plugin.kind(), plugin.name);
    let own = |fixture: &&Fixture| fixture.open.kind() == kind && fixture.plugin == name;
    let found: Vec<_> = inventory::iter::<Fixture>.into_iter().filter(own).collect();
    match found[..] {
        [fixture] => fixture.open,
        [] => panic!(
            "{} registers the {kind} `{name}`, and no test knows how to open it in an empty place: add a `fixture!` \
             for it beside `conformance!`, see tokaki_core::testkit::Open",
            plugin.module
        ),
        _ => panic!("the {kind} `{name}` has {} fixtures", found.len()),
    }
}

/// Tests every plugin of this kind, each in an empty place of its own.
///
/// # Panics
/// If some plugin breaks a promise, naming all that do: which promise was told as it broke.
pub(super) fn for_each<T: Future<Output = ()>>(
    plugins: &Plugins,
    kind: PluginKind,
    test: impl Fn(&'static Plugin, Open) -> T,
) {
    let breaks_a_promise = |plugin: &&'static Plugin| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let test = || runtime.expect("a runtime").block_on(test(plugin, of(plugin)));
        catch_unwind(AssertUnwindSafe(test)).is_err()
    };
    let broken: Vec<_> = plugins.of(kind).filter(breaks_a_promise).map(|plugin| plugin.module).collect();
    assert!(broken.is_empty(), "each {kind} keeps its promises, except {}: see above", broken.join(", "));
}
