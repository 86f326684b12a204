//! The four costs of a row (ocp-on-aws § 5).

/// Number of costs.
pub(super) const COSTS: usize = 4;

/// Columns of the costs, in their order.
pub(super) const COST_COLUMNS: [&str; COSTS] =
    ["unblended_cost", "blended_cost", "savingsplan_effective_cost", "calculated_amortized_cost"];

/// A row's costs as they are billed; NaN is null.
#[derive(Debug, Clone, Copy)]
pub(super) struct Billed {
    pub(super) unblended: f64,
    pub(super) blended: f64,
    pub(super) savings_plan: f64,
}

/// The costs in the order of [`COST_COLUMNS`]; NaN is null. What a savings plan covers is billed twice, once as usage and
/// once as the plan's fee. The amortized cost knows nothing of reserved instances (trap 9).
pub(super) fn costs(line_item_type: Option<&str>, billed: Billed) -> [f64; COSTS] {
    let covered = line_item_type == Some("SavingsPlanCoveredUsage");
    let billed_or_covered = |cost: f64| if covered { 0.0 } else { cost };
    let amortized = match line_item_type {
        Some("Tax" | "Usage") => billed.unblended,
        _ => billed.savings_plan,
    };
    [billed_or_covered(billed.unblended), billed_or_covered(billed.blended), billed.savings_plan, amortized]
}

/// Whether rows of this type cost something that their amortized cost does not show (trap 9).
pub(super) fn is_without_amortized(line_item_type: Option<&str>) -> bool {
    matches!(line_item_type, Some("DiscountedUsage" | "RIFee" | "Fee" | "Credit" | "Refund"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_decides_which_costs_count() {
        let billed = Billed { unblended: 3.0, blended: 2.0, savings_plan: 1.0 };
        let costs = |kind| costs(kind, billed);
        assert_eq!(costs(Some("Usage")), [3.0, 2.0, 1.0, 3.0]);
        assert_eq!(costs(Some("Tax")), [3.0, 2.0, 1.0, 3.0]);
        assert_eq!(costs(Some("SavingsPlanCoveredUsage")), [0.0, 0.0, 1.0, 1.0]);
        assert_eq!(costs(Some("DiscountedUsage")), [3.0, 2.0, 1.0, 1.0]);
        assert_eq!(costs(None), [3.0, 2.0, 1.0, 1.0]);
    }
}
