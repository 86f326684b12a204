//! The crates whose plugins this command carries.
//!
//! Plugins register themselves, so nothing here names one of them. The linker drops a crate that nobody names, and its
//! plugins with it; each line below keeps one crate.

use tokaki_aggregators as _;
use tokaki_readers as _;
use tokaki_sinks as _;
