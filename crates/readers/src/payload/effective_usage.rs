//! The effective usage of a pod: per hour the larger of what it used and what it requested (spec § 2).

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::datatypes::Float64Type;

use super::line_items::Table;

/// Usage, request, and the larger of the two.
const COLUMNS: [(&str, &str, &str); 2] = [
    ("pod_usage_cpu_core_seconds", "pod_request_cpu_core_seconds", "pod_effective_usage_cpu_core_seconds"),
    ("pod_usage_memory_byte_seconds", "pod_request_memory_byte_seconds", "pod_effective_usage_memory_byte_seconds"),
];

/// The columns that [`add`] adds to a file that `has` these.
pub(super) fn added(has: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let columns = COLUMNS.into_iter().filter(|(usage, request, _)| has(usage) && has(request));
    columns.map(|(_, _, effective)| effective).collect()
}

/// Adds the two effective columns, or computes them anew.
pub(super) fn add(table: &mut Table) {
    for (usage, request, effective) in COLUMNS {
        if let (Some(usage), Some(request)) = (table.get(usage), table.get(request)) {
            let larger = larger(usage, request);
            table.set(effective, larger);
        }
    }
}

/// Null only where both are.
fn larger(usage: &ArrayRef, request: &ArrayRef) -> ArrayRef {
    let (usage, request) = (usage.as_primitive::<Float64Type>(), request.as_primitive::<Float64Type>());
    let larger = usage.iter().zip(request).map(|(usage, request)| match (usage, request) {
        (Some(usage), Some(request)) => Some(usage.max(request)),
        (usage, request) => usage.or(request),
    });
    Arc::new(larger.collect::<Float64Array>())
}
