//! How far two numbers may be apart.

use crate::rows::{Row, Value};

/// Measures that are differences in an unallocated row, by unit: the column that the tolerance looks at, and theirs.
const DIFFERENCES: [(&str, [&str; 3]); 2] = [
    (
        "node_capacity_cpu_core_hours",
        ["pod_usage_cpu_core_hours", "pod_request_cpu_core_hours", "pod_effective_usage_cpu_core_hours"],
    ),
    (
        "node_capacity_memory_gigabyte_hours",
        [
            "pod_usage_memory_gigabyte_hours",
            "pod_request_memory_gigabyte_hours",
            "pod_effective_usage_memory_gigabyte_hours",
        ],
    ),
];

/// How far a measure of `row` may be from the `expected` one.
pub fn tolerance(row: &Row, column: &str, expected: f64) -> f64 {
    let is_unallocated =
        row.get("data_source") == Some(&Value::Text("Pod".into())) && row.get("pod_labels") == Some(&Value::Null);
    let capacity = DIFFERENCES
        .iter()
        .find(|(_, measures)| is_unallocated && measures.contains(&column))
        .and_then(|(capacity, _)| row.get(*capacity));
    let scale = match capacity {
        Some(Value::Number(capacity)) => expected.abs().max(capacity.abs()),
        _ => expected.abs(),
    };
    // Shares of a bill that cancel each other out leave what their rounding left (ocp-on-aws § 16).
    let least = if row.contains_key("calculated_amortized_cost") { 1e-12 } else { 1e-15 };
    (1e-9 * scale).max(least)
}
