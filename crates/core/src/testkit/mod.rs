//! What plugins are tested with, in this repository and outside it: tables from text, random line items, the laws that
//! every plugin keeps. A feature of this crate, `testkit`, for `[dev-dependencies]`.
//!
//! [`conformance!`] makes a crate's tests of all plugins that it registers. What a plugin computes is shown by tests of
//! its own:
//!
//! ```
//! use tokaki_core::testkit::lines;
//!
//! let lines = lines("pod_usage", "
//!     hour | namespace | pod_request_cpu_core_seconds
//!     0    | shop      | 3600
//!     25   | shop      | -
//! ");
//! assert_eq!(lines.len(), 2);
//! ```
//!
//! and `Job::default().run("my_aggregator", &lines, 100)` folds them. Everything here panics where a test would fail.

pub mod catalogs;
mod fixtures;
mod job;
mod laws;
mod line;
mod owned;
mod plugins;
mod random;
pub mod readers;
pub mod references;
mod shown;
pub mod sinks;

pub use crate::{conformance, fixture};
pub use fixtures::{Fixture, Open};
pub use job::{Cut, Job, batch};
pub use laws::{days_apart_are_days_together, no_cut_changes_a_bit, rows_are_the_outputs_own};
pub use line::{Cell, Line, line, lines};
pub use plugins::{Plugins, describe_themselves, own_section};
pub use random::{CLUSTER, any_lines, reference};
pub use shown::shown;

/// Tests of all plugins that a crate registers: `tokaki_core::testkit::conformance!(my_plugins);` in a file of its
/// `tests` folder. A crate that registers none fails.
///
/// Aggregators are tested with random line items. Of a plugin of another kind the tests must know how to open it in an
/// empty place: [`fixture!`](crate::testkit::fixture) says so, and a plugin without one fails.
///
/// Where not every text will do for a column, those that line items shall have are named:
/// `conformance!(my_plugins, "tags" = [r#"{"k":"x"}"#, "{}"]);`.
#[macro_export]
macro_rules! conformance {
    ($plugins:ident $(, $column:literal = [$($text:expr),+ $(,)?])* $(,)?) => {
        mod conformance {
            // The linker drops a crate that nobody names, and its plugins with it.
            use $plugins as _;

            const CRATE: $crate::testkit::Plugins =
                $crate::testkit::Plugins { of_crate: stringify!($plugins), texts: &[$(($column, &[$($text),+])),*] };

            #[test]
            fn plugins_describe_themselves_and_their_samples_work() {
                $crate::testkit::describe_themselves(&CRATE);
            }

            #[test]
            fn readers_keep_their_promises() {
                $crate::testkit::readers::keep_their_promises(&CRATE);
            }

            #[test]
            fn catalogs_keep_their_promises() {
                $crate::testkit::catalogs::keep_their_promises(&CRATE);
            }

            #[test]
            fn reference_sources_keep_their_promises() {
                $crate::testkit::references::keep_their_promises(&CRATE);
            }

            #[test]
            fn sinks_keep_their_promises() {
                $crate::testkit::sinks::keep_their_promises(&CRATE);
            }

            #[test]
            fn chunks_order_workers_and_encoding_never_change_a_bit() {
                $crate::testkit::no_cut_changes_a_bit(&CRATE);
            }

            #[test]
            fn days_apart_are_days_together() {
                $crate::testkit::days_apart_are_days_together(&CRATE);
            }

            #[test]
            fn rows_are_the_outputs_own() {
                $crate::testkit::rows_are_the_outputs_own(&CRATE);
            }
        }
    };
}
