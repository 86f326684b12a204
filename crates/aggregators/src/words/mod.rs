//! Words that aggregators share: label maps, cost categories, units.

pub mod cost_category;
pub mod instant_key;
pub mod label_map;
pub mod label_numbers;
pub mod label_sets;
pub mod merged_labels;
mod plain_labels;
pub mod repeats;
pub mod tag_keys;
pub mod units;
