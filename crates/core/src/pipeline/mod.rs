//! A run, first as data and then carried out: [`Plan`] says what will be read and computed, [`local::run`] does it on
//! this machine, and [`Event`]s tell an [`Observer`] what happens.

mod budget;
mod days;
mod estimate;
pub mod event;
pub mod local;
mod parts;
mod payloads;
pub mod plan;
mod quarantine;
mod recall;
mod shrink;
mod stage;
mod threads;
mod union;
mod window;
mod write;

pub use budget::{Gauge, Taken};
pub use estimate::Estimate;
pub use event::{CacheUse, Event, Observer, OutputRows, Report};
pub use local::{EmptyInput, Forecast, Mode, RunOptions, Wiring};
pub use plan::{DailyTables, Plan, Scan, Stage, TableChoice};
pub use quarantine::QuarantinedFile;
pub use recall::Memory;
