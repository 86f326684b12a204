//! Machines from Pod rows, where the source does not report machines by themselves (vm-gpu-summary § 2b).

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Float64Type};
use tokaki_core::{Error, Result};

use super::state::VmState;
use crate::summaries::vm_resources::Row;
use crate::words::label_map::LabelMap;
use crate::words::tag_keys::VM_NAME;

/// One row per machine and claim, with the node and requests of the machine's largest Pod row of one day.
pub(super) fn machines<'a>(pods: &'a RecordBatch, state: &'a VmState) -> Result<Vec<Row<'a>>> {
    let column = |name: &str| {
        pods.column_by_name(name).ok_or_else(|| Error::bug("the pod rows handed over lack a column").column(name))
    };
    let days = column("usage_start")?.as_primitive::<Date32Type>();
    let namespaces = column("namespace")?.as_string::<i32>();
    let nodes = column("node")?.as_string::<i32>();
    let labels = column("pod_labels")?.as_string::<i32>();
    let core_hours = column("pod_request_cpu_core_hours")?.as_primitive::<Float64Type>();
    let gibibyte_hours = column("pod_request_memory_gigabyte_hours")?.as_primitive::<Float64Type>();

    // The second-latest day is the latest that is sure to be complete; the only day if there is one.
    let requested = (0..pods.num_rows()).filter(|row| core_hours.is_valid(*row));
    let requested: BTreeSet<i32> = requested.map(|row| days.value(row)).collect();
    let Some(day) = requested.iter().rev().nth(1).or(requested.last()) else { return Ok(Vec::new()) };

    let mut largest: BTreeMap<String, Candidate<'a>> = BTreeMap::new();
    for row in (0..pods.num_rows()).filter(|row| days.value(*row) == *day) {
        let Some(name) = LabelMap::from_canonical(labels.value(row))?.value(VM_NAME).map(str::to_owned) else {
            continue;
        };
        let candidate = Candidate {
            core_hours: core_hours.is_valid(row).then(|| core_hours.value(row)),
            gibibyte_hours: gibibyte_hours.is_valid(row).then(|| gibibyte_hours.value(row)),
            node: nodes.is_valid(row).then(|| nodes.value(row)),
            namespace: namespaces.is_valid(row).then(|| namespaces.value(row)),
        };
        let known = largest.entry(name).or_insert(candidate);
        if candidate.order(known) == Ordering::Greater {
            *known = candidate;
        }
    }

    let mut rows = Vec::new();
    for (name, candidate) in largest {
        let row = |claim| Row {
            vm_name: name.clone(),
            node: candidate.node,
            claim,
            core_hours: candidate.core_hours,
            gibibyte_hours: candidate.gibibyte_hours,
        };
        let claims = state.claims_of_pods(&LabelMap::of_one(VM_NAME, &name).canonical());
        if claims.is_empty() {
            rows.push(row(None));
        }
        rows.extend(claims.into_iter().map(|claim| row(Some(claim))));
    }
    Ok(rows)
}

/// A Pod row of a machine. Koku takes any; the largest is the same one every time.
#[derive(Debug, Clone, Copy)]
struct Candidate<'a> {
    core_hours: Option<f64>,
    gibibyte_hours: Option<f64>,
    node: Option<&'a str>,
    namespace: Option<&'a str>,
}

impl Candidate<'_> {
    fn order(&self, other: &Self) -> Ordering {
        // Null is less than any value.
        let numbers = |left: Option<f64>, right: Option<f64>| match (left, right) {
            (Some(left), Some(right)) => left.total_cmp(&right),
            (left, right) => left.is_some().cmp(&right.is_some()),
        };
        numbers(self.core_hours, other.core_hours)
            .then(numbers(self.gibibyte_hours, other.gibibyte_hours))
            .then(self.node.cmp(&other.node))
            .then(self.namespace.cmp(&other.namespace))
    }
}
