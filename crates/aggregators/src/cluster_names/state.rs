//! Distinct names by day.

use arrow::array::RecordBatch;
use tokaki_core::rollup::{Interner, NULL_TEXT, Rollup, RollupSpec, TextIds};
use tokaki_core::scope::day_of_instant;
use tokaki_core::{Chunk, Error, Result, State};

use super::Named;
use crate::line_items::{pod_usage, storage_usage};

static NAMES: RollupSpec<4, 0, 0> = RollupSpec { keys: ["day", "named", "name", "second_name"], sums: [], maxima: [] };

/// A partial result of names.
pub(super) struct NameState {
    texts: Interner,
    names: Rollup<4, 0, 0>,
    columns: [TextIds; 3],
}

/// One name on one day. Sorted by day, kind and texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name<'a> {
    pub(super) day: i32,
    pub(super) named: Named,
    pub(super) name: Option<&'a str>,
    pub(super) second_name: Option<&'a str>,
}

impl Default for NameState {
    fn default() -> Self {
        Self { texts: Interner::default(), names: Rollup::new(&NAMES), columns: Default::default() }
    }
}

impl NameState {
    pub(super) fn fold_pods(&mut self, chunk: &Chunk) -> Result<()> {
        let columns = [
            (Named::Machine, pod_usage::RESOURCE_ID),
            (Named::Node, pod_usage::NODE),
            (Named::Namespace, pod_usage::NAMESPACE),
        ];
        let instants = chunk.instants()?.values();
        for ((named, column), ids) in columns.into_iter().zip(&mut self.columns) {
            let mut last = None;
            for (instant, name) in instants.iter().zip(ids.of(&mut self.texts, chunk, column)?) {
                // Rows of one node lie together, mostly.
                let key = [day_of_instant(*instant) as u32, named as u32, *name, NULL_TEXT];
                if last != Some(key) {
                    self.names.group(key);
                    last = Some(key);
                }
            }
        }
        Ok(())
    }

    pub(super) fn fold_volumes(&mut self, chunk: &Chunk) -> Result<()> {
        let [volumes, handles, _] = &mut self.columns;
        let volumes = volumes.of(&mut self.texts, chunk, storage_usage::VOLUME)?;
        let handles = handles.of(&mut self.texts, chunk, storage_usage::VOLUME_HANDLE)?;
        for ((instant, volume), handle) in chunk.instants()?.values().iter().zip(volumes).zip(handles) {
            self.names.group([day_of_instant(*instant) as u32, Named::Volume as u32, *volume, *handle]);
        }
        Ok(())
    }

    /// All names, sorted.
    pub(super) fn names(&self) -> Vec<Name<'_>> {
        let text = |id| self.texts.text(id);
        let name = |[day, named, name, second_name]: &[u32; 4]| Name {
            day: *day as i32,
            named: Named::ALL[*named as usize],
            name: text(*name),
            second_name: text(*second_name),
        };
        let mut names: Vec<_> = self.names.keys().iter().map(name).collect();
        names.sort_unstable();
        names
    }
}

impl State for NameState {
    fn merge(&mut self, other: Self) -> Result<()> {
        let texts = self.texts.absorb(&other.texts);
        self.names.absorb(&other.names, |[day, named, name, second_name]| {
            [day, named, texts[name as usize], texts[second_name as usize]]
        })
    }

    fn encode(&self) -> Result<Vec<RecordBatch>> {
        Ok(vec![self.texts.encode()?, self.names.encode()?])
    }

    fn decode(batches: &[RecordBatch]) -> Result<Self> {
        let [texts, names] = batches else {
            return Err(Error::bug("encoded names have other tables than two"));
        };
        Ok(Self { texts: Interner::decode(texts)?, names: Rollup::decode(&NAMES, names)?, ..Self::default() })
    }
}
