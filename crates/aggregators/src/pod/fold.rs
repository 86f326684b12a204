//! From rows to groups.

use std::borrow::Cow;

use tokaki_core::rollup::{NO_GROUP, NULL_TEXT};
use tokaki_core::scope::day_of_instant;
use tokaki_core::{Chunk, Grain, Result, Semantics};

use super::state::{CAPACITY, EFFECTIVE, LIMIT, MEMORY, PodState, REQUESTED, USAGE, USED};
use crate::labels::{Bearer, KeptLabels};
use crate::line_items::pod_usage;
use crate::words::instant_key::halves;
use crate::words::tag_keys::TagKeys;

impl PodState {
    /// Step 1 of capacity: all nodes, null and empty ones included.
    pub(super) fn fold_capacity(&mut self, chunk: &Chunk) -> Result<()> {
        let instants = chunk.instants()?.values();
        let nodes = self.columns.node.of(&mut self.texts, chunk, pod_usage::NODE)?;
        let groups = &mut self.columns.groups;
        groups.clear();
        let mut hour = self.columns.hours.of(0);
        for (instant, node) in instants.iter().zip(nodes) {
            if hour.instant != *instant {
                hour = self.columns.hours.of(*instant);
            }
            let known = hour.groups.get(*node as usize).copied().unwrap_or(NO_GROUP);
            let group = if known == NO_GROUP {
                let [high, low] = halves(*instant);
                let group = self.capacity.group([high, low, *node]);
                hour.remember(*node, group);
                group
            } else {
                known
            };
            groups.push(group);
        }
        let [cores, bytes] = CAPACITY.maxima;
        let (cores, bytes) = (chunk.numbers(cores)?, chunk.numbers(bytes)?);
        self.capacity.raise_each(groups, |row| [cores.number(row), bytes.number(row)])
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
        let instants = chunk.instants()?.values();
        let ids = &mut self.columns;
        let namespaces = ids.namespace.of(&mut self.texts, chunk, pod_usage::NAMESPACE)?;
        let nodes = ids.node.of(&mut self.texts, chunk, pod_usage::NODE)?;
        let resource_ids = ids.resource_id.of(&mut self.texts, chunk, pod_usage::RESOURCE_ID)?;
        let labels = chunk.labels(pod_usage::POD_LABELS)?;
        ids.sets.begin(&labels);
        let no_node = self.texts.known("").unwrap_or(NULL_TEXT);

        let usage = &mut self.usage[grain.index()];
        ids.keys.clear();
        for row in 0..instants.len() {
            let (node, namespace) = (nodes[row], namespaces[row]);
            // A pod without a node makes no row (spec § 5).
            if node == NULL_TEXT || node == no_node {
                ids.keys.push(None);
                continue;
            }
            let day = day_of_instant(instants[row]);
            let set = ids.sets.set_of(labels.numbers()[row], &labels, keys, &mut self.labels);
            let set = set.map_err(|error| error.column(pod_usage::POD_LABELS))?;
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
            ids.keys.push(Some(key));
        }
        usage.groups(&ids.keys, labels.numbers(), &mut ids.groups);

        let rows = instants.len();
        let [cores, bytes] = [chunk.numbers(USAGE.maxima[0])?, chunk.numbers(USAGE.maxima[1])?];
        let [cores, bytes] = [cores.all(rows, false), bytes.all(rows, false)];
        usage.raise_each(&ids.groups, |row| [cores[row], bytes[row]])?;
        let [cpu, memory] = Measured::of(chunk, derive)?;
        usage.add_each(&ids.groups, |row| {
            let ([cpu_used, cpu_requested, cpu_effective, cpu_limit], [used, requested, effective, limit]) =
                (cpu.values(row), memory.values(row));
            [cpu_used, cpu_requested, cpu_effective, cpu_limit, used, requested, effective, limit]
        })?;

        if derive && !(cpu.reports_effective && memory.reports_effective) {
            let pods = ids.pod.of(&mut self.texts, chunk, pod_usage::POD)?;
            let label_texts = ids.undecided_labels.of(&mut self.undecided_labels, chunk, pod_usage::POD_LABELS)?;
            for (row, (group, key)) in ids.groups.iter_mut().zip(&ids.keys).enumerate() {
                let Some([day, namespace, node, set, ..]) = *key else { continue };
                *group = self.undecided.group([day, namespace, node, pods[row], label_texts[row], set]);
            }
            self.undecided.add_each(&ids.groups, |row| {
                let ([cpu_used, cpu_requested], [used, requested]) = (cpu.undecided(row), memory.undecided(row));
                [cpu_used, cpu_requested, used, requested]
            })?;
        }
        Ok(())
    }
}

/// The four columns of CPU, or of memory, as they count in a daily row.
struct Measured<'a> {
    used: Cow<'a, [f64]>,
    requested: Cow<'a, [f64]>,
    effective: Cow<'a, [f64]>,
    limit: Cow<'a, [f64]>,
    /// Whether the file has the column of effective usage at all.
    reports_effective: bool,
}

impl<'a> Measured<'a> {
    /// CPU and memory.
    fn of(chunk: &'a Chunk, derive: bool) -> Result<[Self; 2]> {
        let rows = chunk.batch.num_rows();
        let of = |first: usize| {
            let column = |index: usize| chunk.numbers(USAGE.sums[first + index].0);
            let all = |index: usize| Ok(column(index)?.all(rows, derive));
            let (used, requested): (Cow<'a, [f64]>, Cow<'a, [f64]>) = (all(USED)?, all(REQUESTED)?);
            let mut effective: Cow<'a, [f64]> = all(EFFECTIVE)?;
            // What is reported, else the larger of usage and request, where `max` ignores what is not there (spec § 5,
            // E). Of a derived daily row the latter is not known before the day is complete: see `state::UNDECIDED`.
            if !derive && effective.iter().any(|reported| reported.is_nan()) {
                let reported_or_larger = |row: usize| match effective[row] {
                    reported if reported.is_nan() => used[row].max(requested[row]),
                    reported => reported,
                };
                effective = Cow::Owned((0..rows).map(reported_or_larger).collect());
            }
            let reports_effective = column(EFFECTIVE)?.exists();
            Ok(Self { used, requested, effective, limit: all(LIMIT)?, reports_effective })
        };
        Ok([of(0)?, of(MEMORY)?])
    }

    /// The values of a row in the order of [`USED`], [`REQUESTED`], [`EFFECTIVE`] and [`LIMIT`].
    #[inline]
    fn values(&self, row: usize) -> [f64; 4] {
        [self.used[row], self.requested[row], self.effective[row], self.limit[row]]
    }

    /// Usage and request of a derived row whose file does not report effective usage; none if it does.
    #[inline]
    fn undecided(&self, row: usize) -> [f64; 2] {
        if self.reports_effective { [f64::NAN; 2] } else { [self.used[row], self.requested[row]] }
    }
}
