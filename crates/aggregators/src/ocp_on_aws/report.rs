//! Where the bill went: amounts by class, for each cost (ocp-on-aws § 14.5).

use tokaki_core::rollup::{ExactSum, Resolution};
use tokaki_core::{Amount, Bill, Cluster, Finding, Result, Scope};

use super::costs::{COST_COLUMNS, COSTS};
use super::daily_table::DailyTable;
use super::sides::Sides;
use super::state::{self, AwsState};
use super::traps::Trap;
use crate::cloud::part::{Class, Part};
use crate::summaries::ocp_all::PRODUCT_CODE;
use crate::summaries::row_id::day_text;

/// One sum for each cost.
type Costs = [ExactSum; COSTS];

/// Amounts of a window.
#[derive(Debug, Clone, Default)]
pub(super) struct Amounts {
    bill: Costs,
    out_of_scope: Costs,
    /// Of kept rows that have no amortized cost because of their type (trap 9).
    without_amortized: Costs,
    /// Of rows whose volume has no name (trap 6).
    nameless: Costs,
    lost: Costs,
    with_parts: Costs,
    classes: [Costs; Class::ALL.len()],
}

impl Amounts {
    /// What the fold counted.
    pub(super) fn of_totals(state: &AwsState) -> Self {
        let mut amounts = Self::default();
        for row in state.totals.rows() {
            let costs = std::array::from_fn(|cost| row.sum(cost).unwrap_or_default());
            match row.key {
                [state::EVERYTHING] => amounts.bill = costs,
                [state::OUT_OF_SCOPE] => amounts.out_of_scope = costs,
                [state::NAMELESS] => amounts.nameless = costs,
                _ => amounts.without_amortized = costs,
            }
        }
        amounts
    }

    /// Counts a kept row, which has these parts.
    ///
    /// # Errors
    /// `Type` for a sum that is too large.
    pub(super) fn add_row(&mut self, parts: &[Part], costs: [Option<ExactSum>; COSTS]) -> Result<()> {
        let class = if parts.is_empty() { &mut self.lost } else { &mut self.with_parts };
        add(class, costs)
    }

    /// Counts a part of a row of these costs.
    ///
    /// # Errors
    /// `Type` for a sum that is too large.
    pub(super) fn add_part(&mut self, part: &Part, costs: [Option<f64>; COSTS]) -> Result<()> {
        let mut units = [None; COSTS];
        for (units, cost) in units.iter_mut().zip(costs) {
            if let (Some(cost), Some(share)) = (cost, part.of_costs) {
                *units = Some(ExactSum(Resolution::AMOUNTS.units(share * cost)?));
            }
        }
        add(&mut self.classes[part.class as usize], units)
    }
}

fn add(sums: &mut Costs, costs: [Option<ExactSum>; COSTS]) -> Result<()> {
    sums.iter_mut().zip(costs).try_for_each(|(sum, cost)| cost.map_or(Ok(()), |cost| sum.add(cost.0)))
}

/// Rows that Koku's own table does not take.
pub(super) fn without_required(bill: &Bill, table: &DailyTable<'_>) -> Vec<Finding> {
    let finding = |((day, cluster, id), rows): ((i32, usize, Option<&str>), usize)| Finding {
        what: "bill: rows without product code or account, which Koku's own table does not take".into(),
        subject: format!(
            "{}, cluster {}, resource {}",
            day_text(day),
            bill.clusters.get(cluster).map_or("", |cluster| &cluster.reference.cluster_id),
            id.unwrap_or("without id")
        ),
        amounts: vec![Amount { measure: "rows".into(), value: rows as f64 }],
    };
    table.without_required().into_iter().map(finding).collect()
}

/// Product codes of which Koku's tables of all clouds get the beginning only.
pub(super) fn cut_product_codes(table: &DailyTable<'_>) -> Vec<Finding> {
    let finding = |(code, rows): (&str, usize)| Finding {
        what: format!("bill: product code of more than {PRODUCT_CODE} characters, cut in the tables of all clouds")
            .into(),
        subject: code.to_owned(),
        amounts: vec![Amount { measure: "rows".into(), value: rows as f64 }],
    };
    table.long_product_codes().into_iter().map(finding).collect()
}

/// Clusters that have no row in the window. Shares of others may change when their data comes (trap 17).
pub(super) fn without_data(bill: &Bill, sides: &Sides) -> Vec<Finding> {
    let all: Vec<&str> = bill.clusters.iter().map(|cluster| cluster.reference.cluster_id.as_str()).collect();
    let without = bill.clusters.iter().zip(&sides.tenant.clusters).zip(&sides.paired);
    let without = without.filter(|((_, rows), paired)| **paired && rows.rows().is_empty());
    let finding = |((cluster, _), _): ((&Cluster, _), _)| Finding {
        what: "bill: cluster without data".into(),
        subject: format!(
            "{}; to be run again when its data is there: {}",
            cluster.reference.cluster_id,
            all.join(", ")
        ),
        amounts: vec![days_of(sides)],
    };
    without.map(finding).collect()
}

/// Clusters that were looked for on the bill in vain (§ 2.4).
pub(super) fn elsewhere(bill: &Bill, sides: &Sides) -> Vec<Finding> {
    let finding = |(cluster, _): (&Cluster, _)| Finding {
        what: "bill: cluster of which no machine is on it".into(),
        subject: cluster.reference.cluster_id.clone(),
        amounts: vec![days_of(sides)],
    };
    bill.clusters.iter().zip(&sides.paired).filter(|(_, paired)| !**paired).map(finding).collect()
}

fn days_of(sides: &Sides) -> Amount {
    let days = (sides.days.end() - sides.days.start()).num_days() + 1;
    Amount { measure: "days".into(), value: days as f64 }
}

/// The amounts as findings about the bill.
pub(super) fn findings(amounts: &Amounts, scope: &Scope) -> Vec<Finding> {
    let mut classes = vec![
        ("bill".to_owned(), amounts.bill),
        ("bill: out of scope".to_owned(), amounts.out_of_scope),
        ("bill: lost".to_owned(), amounts.lost),
        ("bill: of rows with parts".to_owned(), amounts.with_parts),
        (Trap::Nameless.words().to_owned(), amounts.nameless),
        ("trap 9: reservations, fees and credits have no amortized cost".to_owned(), amounts.without_amortized),
    ];
    let by_class = Class::ALL.into_iter().zip(amounts.classes);
    classes.extend(by_class.map(|(class, costs)| (format!("bill: parts by {}", class.name()), costs)));
    let finding = |(what, costs): (String, Costs)| Finding {
        what: what.into(),
        subject: scope.source_uuid.clone(),
        amounts: COST_COLUMNS
            .into_iter()
            .zip(costs)
            .map(|(column, cost)| Amount { measure: column.into(), value: Resolution::AMOUNTS.value(cost.0) })
            .collect(),
    };
    let any = |(_, costs): &(String, Costs)| costs.iter().any(|cost| cost.0 != 0);
    classes.into_iter().filter(any).map(finding).collect()
}
