//! Data that machines send and receive (ocp-on-aws § 5, § 7.5).

use super::by_id::IdJoin;
use super::nobodys;
use crate::cloud::part::{Class, Part, PartTags};
use crate::cloud::tenant::DataSource;

/// Where data went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Direction {
    /// To the machine.
    In = 1,
    /// From the machine.
    Out = 2,
}

/// Where the data of a row went, if it is about that.
pub(super) fn direction(
    product_code: Option<&str>,
    product_family: Option<&str>,
    usage_type: Option<&str>,
    operation: Option<&str>,
) -> Option<Direction> {
    if product_code != Some("AmazonEC2") || product_family != Some("Data Transfer") {
        return None;
    }
    let usage_type = usage_type.unwrap_or_default().to_lowercase();
    let operation = operation.unwrap_or_default().to_lowercase();
    let regional = usage_type.contains("regional-bytes");
    if usage_type.contains("in-bytes") {
        Some(Direction::In)
    } else if usage_type.contains("out-bytes") {
        Some(Direction::Out)
    } else if regional && operation.contains("-in") {
        Some(Direction::In)
    } else if regional && operation.contains("-out") {
        Some(Direction::Out)
    } else {
        None
    }
}

/// One undivided part for each node.
pub(super) fn parts(join: &IdJoin<'_>) -> Vec<Part> {
    let mut nodes: Vec<u32> =
        join.machine_rows.iter().filter(|row| row.data_source == DataSource::Pod).map(|row| row.node).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let part = |node| Part {
        cluster: join.cluster,
        class: Class::Network,
        data_source: DataSource::Pod,
        namespace: join.nobodys[nobodys::NETWORK],
        node,
        volume: [0; 3],
        tags: PartTags::OfBill,
        cost_category: None,
        has_category: false,
        has_direction: true,
        of_costs: Some(1.0),
        of_usage: Some(1.0),
    };
    nodes.into_iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_hit_decides() {
        let of = |usage_type, operation| {
            direction(Some("AmazonEC2"), Some("Data Transfer"), Some(usage_type), Some(operation))
        };
        assert_eq!(of("USE1-DataTransfer-In-Bytes", ""), Some(Direction::In));
        assert_eq!(of("DataTransfer-Out-Bytes", "x-In"), Some(Direction::Out));
        assert_eq!(of("DataTransfer-Regional-Bytes", "PublicIP-In"), Some(Direction::In));
        assert_eq!(of("DataTransfer-Regional-Bytes", "PublicIP-Out"), Some(Direction::Out));
        assert_eq!(of("DataTransfer-Regional-Bytes", "InterZone"), None);
        assert_eq!(direction(Some("AmazonS3"), Some("Data Transfer"), Some("in-bytes"), None), None);
        assert_eq!(direction(Some("AmazonEC2"), None, Some("in-bytes"), None), None);
    }
}
