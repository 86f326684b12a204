//! From Pod rows to one row per node and day (spec § 8).

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::{Date32Type, Float64Type};
use tokaki_core::rollup::{ExactSum, Resolution};
use tokaki_core::{Error, Finished, Result, Semantics};

use super::Unallocated;
use crate::summaries::ocp_daily_summary::{self, MEASURE_COUNT, MEASURES, Measures, Owner, POD, Row};
use crate::words::label_map::NO_LABELS;
use crate::words::repeats::{Cause, Repeats, Sums, subject};

/// Namespaces that stand for what nobody used; their rows are not usage.
const NOT_USAGE: [&str; 4] =
    ["Platform unallocated", "Worker unallocated", "Network unattributed", "Storage unattributed"];

/// Usage measures and the capacity that they are subtracted from, as positions in [`MEASURES`].
const DIFFERENCES: [(usize, usize); 6] = [(0, 9), (1, 9), (2, 9), (4, 11), (5, 11), (6, 11)];
/// Capacity measures.
const CAPACITIES: std::ops::Range<usize> = 8..14;

/// The rows of one node and day.
#[derive(Default)]
struct NodeOfDay<'a> {
    resource_ids: BTreeSet<&'a str>,
    capacities: Measures,
    used: [Option<ExactSum>; MEASURE_COUNT],
}

impl Unallocated {
    pub(super) fn rows(&self, pods: &RecordBatch) -> Result<Finished> {
        let nodes = self.nodes(pods)?;
        let mut rows = Vec::new();
        let mut repeats = Repeats::default();
        for ((day, node), of_node) in &nodes {
            let namespace = namespace_of_role(self.role(node, &of_node.resource_ids));
            let row = Row {
                day: *day,
                data_source: POD,
                namespace,
                node: Some(node),
                resource_id: of_node.resource_ids.last().copied(),
                pod_labels: None,
                volume_labels: None,
                all_labels: NO_LABELS,
                volume: [None; 3],
                measures: of_node.measures()?,
                infrastructure_usage_cost: None,
                cost_category_id: None,
                hidden: None,
            }
            .storable()?;
            let matching = self.categories.ids(namespace);
            match self.semantics {
                // A row per matching pattern, each with the pattern's id (spec § 9).
                Semantics::Koku if !matching.is_empty() => {
                    let again = matching.len() as u32 - 1;
                    repeats.add(
                        Cause::Patterns,
                        || subject(*day, "namespace", namespace),
                        &left(&row.measures)?,
                        again,
                    )?;
                    for id in matching {
                        rows.push(Row { cost_category_id: Some(id), ..row });
                    }
                }
                _ => rows.push(Row { cost_category_id: matching.last().copied(), ..row }),
            }
        }
        let output = ocp_daily_summary::output(Owner::Unallocated, &self.reference);
        let names = DIFFERENCES.map(|(measure, _)| MEASURES[measure]);
        Ok(Finished {
            outputs: vec![ocp_daily_summary::batch(&rows, &output, &self.scope, &self.reference)?],
            findings: repeats.findings(names, |_, hours| Resolution::CORE_SECONDS.value(hours.0)),
            ..Finished::default()
        })
    }

    /// The usage rows by day and node.
    fn nodes<'a>(&self, pods: &'a RecordBatch) -> Result<BTreeMap<(i32, &'a str), NodeOfDay<'a>>> {
        let columns = PodColumns::of(pods)?;
        let mut nodes: BTreeMap<_, NodeOfDay<'a>> = BTreeMap::new();
        for row in 0..pods.num_rows() {
            let namespace = columns.namespace.is_valid(row).then(|| columns.namespace.value(row));
            let is_usage = match namespace {
                Some(namespace) => !NOT_USAGE.contains(&namespace),
                None => self.semantics == Semantics::Conserving,
            };
            if !is_usage {
                continue;
            }
            let node = nodes.entry((columns.day[row], columns.node.value(row))).or_default();
            if columns.resource_id.is_valid(row) {
                node.resource_ids.insert(columns.resource_id.value(row));
            }
            for measure in CAPACITIES {
                let capacity = columns.measure(measure, row);
                // `None` is less than any value.
                if capacity > node.capacities[measure] {
                    node.capacities[measure] = capacity;
                }
            }
            for (measure, _) in DIFFERENCES {
                if let Some(used) = columns.measure(measure, row) {
                    let units =
                        Resolution::CORE_SECONDS.units(used).map_err(|error| error.column(MEASURES[measure]))?;
                    node.used[measure].get_or_insert_default().add(units)?;
                }
            }
        }
        Ok(nodes)
    }

    /// Largest known role of the node under one of its machine ids.
    fn role(&self, node: &str, resource_ids: &BTreeSet<&str>) -> Option<&str> {
        let matches = self.reference.nodes.iter().filter(|known| {
            known.node.as_deref() == Some(node)
                && known.resource_id.as_deref().is_some_and(|resource_id| resource_ids.contains(resource_id))
        });
        matches.filter_map(|known| known.node_role.as_deref()).max()
    }
}

impl NodeOfDay<'_> {
    fn measures(&self) -> Result<Measures> {
        let mut measures = self.capacities;
        for (measure, capacity) in DIFFERENCES {
            measures[measure] = match (self.capacities[capacity], self.used[measure]) {
                (Some(capacity), Some(used)) => Some(difference(capacity, used)?),
                _ => None,
            };
        }
        Ok(measures)
    }
}

/// The differences of a row as sums of hours.
fn left(measures: &Measures) -> Result<Sums<{ DIFFERENCES.len() }>> {
    let mut sums = Sums::default();
    for (sum, (measure, _)) in sums.iter_mut().zip(DIFFERENCES) {
        sum.add(Resolution::CORE_SECONDS.units(measures[measure].unwrap_or_default())?)?;
    }
    Ok(sums)
}

/// The difference is exact and rounded once, so that a node that is used up has nothing left, not almost nothing.
fn difference(capacity: f64, used: ExactSum) -> Result<f64> {
    let mut left = ExactSum(Resolution::CORE_SECONDS.units(capacity)?);
    left.add(-used.0)?;
    Ok(Resolution::CORE_SECONDS.value(left.0))
}

/// Exact role texts only; any other role, and none, have no namespace.
fn namespace_of_role(role: Option<&str>) -> Option<&'static str> {
    match role {
        Some("master" | "infra") => Some("Platform unallocated"),
        Some("worker") => Some("Worker unallocated"),
        _ => None,
    }
}

struct PodColumns<'a> {
    day: &'a [i32],
    namespace: &'a StringArray,
    node: &'a StringArray,
    resource_id: &'a StringArray,
    measures: Vec<&'a Float64Array>,
}

impl<'a> PodColumns<'a> {
    fn of(pods: &'a RecordBatch) -> Result<Self> {
        let missing = |name: &str| Error::bug("the pod rows handed over lack a column").column(name);
        let text = |name: &str| {
            pods.column_by_name(name).and_then(|column| column.as_string_opt::<i32>()).ok_or_else(|| missing(name))
        };
        let number = |name: &&str| {
            pods.column_by_name(name)
                .and_then(|column| column.as_primitive_opt::<Float64Type>())
                .ok_or_else(|| missing(name))
        };
        let day = pods
            .column_by_name("usage_start")
            .and_then(|column| column.as_primitive_opt::<Date32Type>())
            .ok_or_else(|| missing("usage_start"))?;
        Ok(Self {
            day: day.values(),
            namespace: text("namespace")?,
            node: text("node")?,
            resource_id: text("resource_id")?,
            measures: MEASURES.iter().map(number).collect::<Result<_>>()?,
        })
    }

    fn measure(&self, measure: usize, row: usize) -> Option<f64> {
        let column = self.measures[measure];
        column.is_valid(row).then(|| column.value(row))
    }
}
