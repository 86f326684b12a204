//! Small keyed tables: what is left of millions of line items before any join.
//!
//! "Roll up first, join last": a sum commutes with a join on the rollup's own key, so a rollup's key holds every column
//! that will be joined on, and the join happens once per group instead of once per row.

mod by_day;
mod encode;
mod exact_sum;
mod interner;
mod keyed;
mod label_texts;

pub use by_day::{ByDay, DayRollup, DayRow};
pub use exact_sum::{ExactSum, Resolution};
pub use interner::{Interner, NULL_TEXT, TextIds};
pub use keyed::{GroupId, GroupRow, NO_GROUP, Rollup, RollupSpec};
pub use label_texts::{LabelColumn, LabelTexts};
