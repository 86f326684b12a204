//! The words of tokaki, the OCP Parquet Aggregator.
//!
//! Five traits make a run: a [`Catalog`] says which files hold a table, a [`Reader`] turns files into chunks, an
//! [`Aggregator`] folds chunks into a state and finishes it into rows, a [`Sink`] replaces rows in a database, and a
//! [`ReferenceSource`] brings what the database knows and the files do not. [`pipeline`] plans such a run as data and
//! carries it out. Plugins of all five kinds announce themselves through [`register!`].
//!
//! This crate opens no file and no socket, reads no clock and no environment, prints and logs nothing, and knows no
//! plugin. What happens is told to an [`pipeline::Observer`].

pub mod aggregator;
pub mod cache;
pub mod catalog;
pub mod chunk;
pub mod error;
pub mod finding;
pub mod input;
mod limits;
pub mod member;
pub mod output;
pub mod payload;
pub mod pipeline;
pub mod plugin;
pub mod reader;
pub mod reference;
pub mod rollup;
pub mod scope;
pub mod section;
pub mod sink;
#[cfg(feature = "testkit")]
pub mod testkit;

pub use aggregator::{Aggregator, AnyAggregator, State};
pub use cache::Cache;
pub use catalog::{Catalog, DataFile, DuplicateFile, Files};
pub use chunk::Chunk;
pub use error::{Error, ErrorKind, Place, Result};
pub use finding::{Amount, Finding, Finished};
pub use input::{ColumnKind, Grain, Input, InputId, OPENSHIFT, Selection, Source, TableName, TableOf, WantedColumn};
pub use member::Member;
pub use output::{Condition, Destination, Field, FieldKind, Index, Output, Table, Union};
pub use payload::PayloadOfDay;
pub use plugin::{Build, Plugin, PluginKind};
pub use reader::{ChunkDecoder, DecodeChunks, Reader, Split};
pub use reference::{
    AccountAlias, Bill, Cluster, CostCategory, Distribution, NodeRole, ReferenceData, ReferenceSource, TagMapping,
};
pub use scope::{DateRange, Scope, Semantics};
pub use section::Section;
pub use sink::{Encoder, Receipt, Replacement, RowsOfDay, Sink};

/// The Arrow that chunks and rows are made of. Plugins outside this repository take it from here: batches of two
/// versions do not fit each other.
pub use arrow;

/// Version of this crate: what plugins are built against.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What [`register!`] expands to needs; not part of the public surface.
#[doc(hidden)]
pub mod __private {
    pub use inventory;
    pub use schemars;
}
