//! The handover made ready for those who join it: which label maps a node or namespace has on a day or at an instant.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, TimestampNanosecondType};
use hashbrown::HashMap;
use tokaki_core::rollup::{Interner, NULL_TEXT};
use tokaki_core::{Error, Result};

use super::Bearer;
use crate::words::label_map::NO_LABELS;

/// Kept labels by bearer and day. Label maps are ids of canonical texts.
#[derive(Debug, Default)]
pub struct KeptLabels {
    canonical: Interner,
    names: Interner,
    days: HashMap<(Bearer, u32, i32), Day>,
    none: u32,
}

/// The label maps of one bearer on one day, by instant.
#[derive(Debug, Default)]
struct Day {
    hourly: Vec<(i64, u32)>,
    daily: Vec<(i64, u32)>,
}

impl Day {
    /// The daily table counts only for a bearer without any hourly row on the day (spec § 9, rule 2).
    fn rows(&self) -> &[(i64, u32)] {
        if self.hourly.is_empty() { &self.daily } else { &self.hourly }
    }
}

impl KeptLabels {
    /// Reads what the `labels` aggregator handed over.
    ///
    /// # Errors
    /// `Bug` if the batch is not its output.
    pub fn new(handover: &RecordBatch) -> Result<Self> {
        let texts = |name| handover.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        let (Some(bearers), Some(names), Some(grains), Some(labels), Some(days), Some(instants)) = (
            texts("bearer"),
            texts("name"),
            texts("grain"),
            texts("labels"),
            handover.column_by_name("day").and_then(|column| column.as_primitive_opt::<Date32Type>()),
            handover.column_by_name("instant").and_then(|column| column.as_primitive_opt::<TimestampNanosecondType>()),
        ) else {
            return Err(Error::bug("the labels handed over have other columns than agreed"));
        };
        let mut kept = Self::default();
        kept.none = kept.canonical.id(NO_LABELS);
        for row in 0..handover.num_rows() {
            let bearer = if bearers.value(row) == Bearer::Node.name() { Bearer::Node } else { Bearer::Namespace };
            let name = kept.names.id(names.value(row));
            let set = kept.canonical.id(labels.value(row));
            let day = kept.days.entry((bearer, name, days.value(row))).or_default();
            let rows = if grains.value(row) == "hourly" { &mut day.hourly } else { &mut day.daily };
            rows.push((instants.value(row), set));
        }
        Ok(kept)
    }

    /// The id of a node's or namespace's name, [`NULL_TEXT`] if it has no labels on any day.
    pub fn name_id(&self, name: &str) -> u32 {
        self.names.known(name).unwrap_or(NULL_TEXT)
    }

    /// The distinct maps of the day, one empty map if there are none (spec § 4, Label sets).
    pub fn of_day(&self, bearer: Bearer, name: u32, day: i32) -> impl Iterator<Item = u32> {
        let rows = self.days.get(&(bearer, name, day)).map_or(&[][..], Day::rows);
        rows.iter().map(|(_, set)| *set).chain(rows.is_empty().then_some(self.none))
    }

    /// The one map that counts at `instant` (spec § 9, rule 2): the map of that instant, else the day's latest, else
    /// none. A daily item has no instant.
    pub fn at(&self, bearer: Bearer, name: u32, day: i32, instant: Option<i64>) -> u32 {
        let Some(rows) = self.days.get(&(bearer, name, day)).map(Day::rows) else { return self.none };
        let exact = instant.and_then(|instant| rows.binary_search_by_key(&instant, |(at, _)| *at).ok());
        let counted = exact.map_or_else(|| rows.last(), |index| rows.get(index));
        counted.map_or(self.none, |(_, set)| *set)
    }

    /// Canonical text of a map.
    pub fn canonical(&self, set: u32) -> &str {
        self.canonical.text(set).unwrap_or(NO_LABELS)
    }
}
