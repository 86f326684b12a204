//! What Koku's traps do to a bill, with amounts (ocp-on-aws § 12).

use std::collections::BTreeMap;

use tokaki_core::rollup::{ExactSum, Resolution};
use tokaki_core::{Amount, Finding, Result, Scope};

use super::costs::{COST_COLUMNS, COSTS};
use crate::cloud::part::{Class, Part};

/// A trap that can be seen on a row and its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trap {
    LostById,
    ClusterBesideProject,
    EmptyParts,
    Disks,
    Nameless,
    MixedUnits,
    NoSize,
    LostByTags,
    VirtualMachine,
    SeveralMachines,
    NullNamespace,
    MachineRest,
    TwoWays,
    OtherKeys,
    ShareOfNobody,
}

impl Trap {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::LostById => "trap 1: tied by id to a cluster in which no rule finds a part",
            Self::ClusterBesideProject => "trap 2: tagged with cluster and project, spread over the cluster",
            Self::EmptyParts => "trap 3: volumes made parts without cost, which lower the usage of the others",
            Self::Disks => "traps 4 and 5: parts of disks come to more (or less) than the disk",
            Self::Nameless => "trap 6: volumes without a name, whose handle finds no row or whose claim gets no part",
            Self::MixedUnits => "trap 7: disks whose size is taken from line items in several units",
            Self::NoSize => "trap 8: disks whose size cannot be computed from cost and rate",
            Self::LostByTags => "traps 10, 11 and 13: tied by tags to a cluster in which no rule finds a part",
            Self::VirtualMachine => "trap 12: parts that lost the name of a virtual machine, since no key is enabled",
            Self::SeveralMachines => "trap 14: counted once for each machine whose id it contains",
            Self::NullNamespace => "trap 18: parts without namespace, of nodes whose role is unknown",
            Self::MachineRest => "trap 19: parts of machines come to less than the machine",
            Self::TwoWays => "trap 20: in one cluster by id, in another by tags as well",
            Self::OtherKeys => "trap 21: tied to a cluster only by tags whose keys are not enabled",
            Self::ShareOfNobody => "trap 22: shares for clusters in which there is no part",
        }
    }
}

/// What a trap does to a row: a multiple of its costs and of its usage.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effect {
    pub(super) trap: Trap,
    pub(super) of_costs: f64,
    pub(super) of_usage: f64,
}

impl Effect {
    /// An effect on the costs.
    pub(super) fn on_costs(trap: Trap, of_costs: f64) -> Self {
        Self { trap, of_costs, of_usage: 0.0 }
    }
}

/// Shares that differ by less are equal.
const ROUNDING: f64 = 1e-9;

/// What can be seen on the parts of a row, of which `nameless` is what volumes without a name claim.
pub(super) fn of_parts(parts: &[Part], nameless: f64) -> Vec<Effect> {
    let of = |class: Class| parts.iter().filter(move |part| part.class == class);
    let sum = |class: Class| of(class).filter_map(|part| part.of_costs).sum::<f64>();
    let mut effects = Vec::new();
    if of(Class::Storage).next().is_some() {
        effects.push(Effect::on_costs(Trap::Disks, sum(Class::Storage) + nameless - 1.0));
        effects.push(Effect::on_costs(Trap::Nameless, nameless));
    }
    let (compute, network) = (of(Class::Compute).count(), of(Class::Network).count());
    if compute > 0 {
        let beyond = sum(Class::Compute) - 1.0;
        let trap = if beyond > 0.0 { Trap::SeveralMachines } else { Trap::MachineRest };
        effects.push(Effect::on_costs(trap, beyond));
        // Of a row in several clusters each divides the usage by its own number of parts.
        let empty = of(Class::Compute).filter(|part| part.of_costs.is_none());
        let of_usage = empty.filter_map(|part| part.of_usage).sum();
        effects.push(Effect { trap: Trap::EmptyParts, of_costs: 0.0, of_usage });
        let nameless = of(Class::Compute).filter(|part| part.namespace == 0).filter_map(|part| part.of_costs);
        effects.push(Effect::on_costs(Trap::NullNamespace, nameless.sum()));
    }
    if network > 1 {
        effects.push(Effect::on_costs(Trap::SeveralMachines, (network - 1) as f64));
    }
    if of(Class::Tag).count() < parts.len() {
        effects.push(Effect::on_costs(Trap::TwoWays, sum(Class::Tag)));
    }
    effects.retain(|effect| effect.of_costs.abs() > ROUNDING || effect.of_usage.abs() > ROUNDING);
    effects
}

/// Amounts of a window: usage, and then the costs.
#[derive(Debug, Clone, Default)]
pub(super) struct Traps(BTreeMap<Trap, [ExactSum; COSTS + 1]>);

impl Traps {
    /// Counts what a trap does to a row of these amounts.
    ///
    /// # Errors
    /// `Type` for a sum that is too large.
    pub(super) fn add(&mut self, effect: Effect, usage: Option<f64>, costs: [Option<f64>; COSTS]) -> Result<()> {
        let [own_usage, own_costs @ ..] = self.0.entry(effect.trap).or_default();
        own_usage.add(Resolution::AMOUNTS.units(effect.of_usage * usage.unwrap_or_default())?)?;
        for (own, cost) in own_costs.iter_mut().zip(costs) {
            own.add(Resolution::AMOUNTS.units(effect.of_costs * cost.unwrap_or_default())?)?;
        }
        Ok(())
    }

    /// The amounts as findings about the bill.
    pub(super) fn findings(&self, scope: &Scope) -> Vec<Finding> {
        let finding = |(trap, sums): (&Trap, &[ExactSum; COSTS + 1])| {
            let measures = ["usage_amount"].into_iter().chain(COST_COLUMNS).zip(sums);
            let amount = |(measure, sum): (&'static str, &ExactSum)| Amount {
                measure: measure.into(),
                value: Resolution::AMOUNTS.value(sum.0),
            };
            Finding {
                what: trap.words().into(),
                subject: scope.source_uuid.clone(),
                amounts: measures.filter(|(_, sum)| sum.0 != 0).map(amount).collect(),
            }
        };
        self.0.iter().map(finding).filter(|finding| !finding.amounts.is_empty()).collect()
    }
}
