//! What every plugin promises.

tokaki_core::testkit::conformance!(new_plugin);
