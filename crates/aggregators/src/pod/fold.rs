//! From rows to groups.

use tokaki_core::chunk::Numbers;
use tokaki_core::rollup::{GroupRow, NULL_TEXT, Rollup};
use tokaki_core::scope::day_of_instant;
use tokaki_core::{Chunk, Grain, Result, Semantics};

use super::state::{CAPACITY, EFFECTIVE, LIMIT, MEMORY, PodState, REQUESTED, UNDECIDED, USAGE, USED};
use crate::labels::{Bearer, KeptLabels};
use crate::line_items::pod_usage;
use crate::words::instant_key::halves;
use crate::words::tag_keys::TagKeys;

impl PodState {
    /// Step 1 of capacity: all nodes, null and empty ones included.
    pub(super) fn fold_capacity(&mut self, chunk: &Chunk) -> Result<()> {
        let instants = chunk.instants()?.values();
        let nodes = self.columns.node.of(&mut self.texts, chunk.column(pod_usage::NODE)?)?;
        let maxima = [chunk.numbers(CAPACITY.maxima[0])?, chunk.numbers(CAPACITY.maxima[1])?];
        for (row, (instant, node)) in instants.iter().zip(nodes).enumerate() {
            let [high, low] = halves(*instant);
            let group = self.capacity.group([high, low, *node]);
            raise(group, &maxima, row)?;
        }
        Ok(())
    }

    /// Usage of scheduled pods. Under `koku`, hourly rows are derived into daily ones (spec § 12).
    pub(super) fn fold_usage(
        &mut self,
        chunk: &Chunk,
        semantics: Semantics,
        keys: &TagKeys,
        kept: &KeptLabels,
    ) -> Result<()> {
        let grain = chunk.table.grain;
        let derive = semantics == Semantics::Koku && grain == Grain::Hourly;
        let columns = UsageColumns::of(chunk)?;
        let instants = chunk.instants()?.values();
        let ids = &mut self.columns;
        let namespaces = ids.namespace.of(&mut self.texts, chunk.column(pod_usage::NAMESPACE)?)?;
        let nodes = ids.node.of(&mut self.texts, chunk.column(pod_usage::NODE)?)?;
        let resource_ids = ids.resource_id.of(&mut self.texts, chunk.column(pod_usage::RESOURCE_ID)?)?;
        let label_texts = self.labels.text_ids(&mut ids.pod_labels, chunk.column(pod_usage::POD_LABELS)?)?;
        let undecided = derive && !(columns.cpu.effective.exists() && columns.memory.effective.exists());
        let pods =
            if undecided { ids.pod.of(&mut self.texts, chunk.column(pod_usage::POD)?)? } else { Default::default() };
        let no_node = self.texts.known("").unwrap_or(NULL_TEXT);

        for row in 0..instants.len() {
            let (node, namespace) = (nodes[row], namespaces[row]);
            // A pod without a node makes no row (spec § 5).
            if node == NULL_TEXT || node == no_node {
                continue;
            }
            let day = day_of_instant(instants[row]);
            let set =
                self.labels.set_of(label_texts[row], keys).map_err(|error| error.column(pod_usage::POD_LABELS))?;
            let [node_labels, namespace_labels] = match semantics {
                Semantics::Koku => [0, 0],
                Semantics::Conserving => {
                    let instant = (grain == Grain::Hourly).then_some(instants[row]);
                    [(Bearer::Node, node), (Bearer::Namespace, namespace)].map(|(bearer, name)| {
                        let name = ids.kept_names.of(name, &self.texts, kept);
                        kept.at(bearer, name, day, instant)
                    })
                }
            };
            let key = [day as u32, namespace, node, set, resource_ids[row], node_labels, namespace_labels];
            let group = self.usage[grain.index()].group(key);
            raise(group, &columns.capacity, row)?;
            columns.cpu.add_to(group, 0, row, derive)?;
            columns.memory.add_to(group, MEMORY, row, derive)?;
            if undecided {
                let key = [day as u32, namespace, node, pods[row], label_texts[row]];
                let group = self.undecided.group(key);
                columns.cpu.leave_undecided(group, 0, row)?;
                columns.memory.leave_undecided(group, 2, row)?;
            }
        }
        Ok(())
    }
}

fn raise<const K: usize, const S: usize>(
    group: &mut GroupRow<K, S, 2>,
    columns: &[Numbers<'_>; 2],
    row: usize,
) -> Result<()> {
    for (index, column) in columns.iter().enumerate() {
        if let Some(value) = column.value(row)? {
            group.raise(index, value);
        }
    }
    Ok(())
}

struct UsageColumns<'a> {
    cpu: Measured<'a>,
    memory: Measured<'a>,
    capacity: [Numbers<'a>; 2],
}

impl<'a> UsageColumns<'a> {
    fn of(chunk: &'a Chunk) -> Result<Self> {
        let measured = |used, requested, effective, limit| {
            Ok(Measured {
                used: chunk.numbers(used)?,
                requested: chunk.numbers(requested)?,
                effective: chunk.numbers(effective)?,
                limit: chunk.numbers(limit)?,
            })
        };
        use pod_usage::{
            EFFECTIVE_CPU, EFFECTIVE_MEMORY, LIMIT_CPU, LIMIT_MEMORY, REQUEST_CPU, REQUEST_MEMORY, USAGE_CPU,
            USAGE_MEMORY,
        };
        Ok(Self {
            cpu: measured(USAGE_CPU, REQUEST_CPU, EFFECTIVE_CPU, LIMIT_CPU)?,
            memory: measured(USAGE_MEMORY, REQUEST_MEMORY, EFFECTIVE_MEMORY, LIMIT_MEMORY)?,
            capacity: [chunk.numbers(USAGE.maxima[0])?, chunk.numbers(USAGE.maxima[1])?],
        })
    }
}

/// The four columns of CPU, or of memory.
struct Measured<'a> {
    used: Numbers<'a>,
    requested: Numbers<'a>,
    effective: Numbers<'a>,
    limit: Numbers<'a>,
}

/// The value in `row`, NaN where there is none. In a derived daily row a null counts as 0 if the column exists at all
/// (spec § 12).
#[inline]
fn number(column: &Numbers<'_>, row: usize, derive: bool) -> f64 {
    let number = column.number(row);
    if derive && number.is_nan() && column.exists() { 0.0 } else { number }
}

impl Measured<'_> {
    #[inline]
    fn add_to(&self, group: &mut GroupRow<7, 8, 2>, first: usize, row: usize, derive: bool) -> Result<()> {
        let used = number(&self.used, row, derive);
        let requested = number(&self.requested, row, derive);
        let reported = number(&self.effective, row, derive);
        // Else the larger of the two, where `max` ignores what is not there (spec § 5, E). Of a derived daily row that
        // is not known before the day is complete: see `leave_undecided`.
        let effective = if reported.is_nan() && !derive { used.max(requested) } else { reported };
        let limit = number(&self.limit, row, derive);
        for (index, value) in [(USED, used), (REQUESTED, requested), (EFFECTIVE, effective), (LIMIT, limit)] {
            if !value.is_nan() {
                Rollup::add(&USAGE, group, first + index, value)?;
            }
        }
        Ok(())
    }

    /// Keeps usage and request of a file without effective column until the day's sums are known.
    fn leave_undecided(&self, group: &mut GroupRow<5, 4, 0>, first: usize, row: usize) -> Result<()> {
        if self.effective.exists() {
            return Ok(());
        }
        for (index, column) in [&self.used, &self.requested].into_iter().enumerate() {
            let value = number(column, row, true);
            if !value.is_nan() {
                Rollup::add(&UNDECIDED, group, first + index, value)?;
            }
        }
        Ok(())
    }
}
