//! An AWS bill attributed to the namespaces of the clusters that run on it. See `README.md` in this folder.

mod by_id;
mod by_tag;
mod compute;
mod costs;
mod daily_table;
mod disks;
mod engine;
mod fold;
mod network;
mod nobodys;
mod report;
mod sides;
mod state;
mod storage;
mod traps;

use std::sync::Arc;

use arrow::array::RecordBatch;
use schemars::JsonSchema;
use serde::Deserialize;
use tokaki_core::plugin::AggregatorPart;
use tokaki_core::{
    Aggregator, AnyAggregator, Bill, Chunk, Cluster, DateRange, Error, ErrorKind, Finished, Input, InputId, Output,
    ReferenceData, Result, Scope,
};

use self::engine::Engine;
use self::sides::Sides;
use self::state::AwsState;
use crate::cloud::semantics::Attribution;
use crate::cloud::{chunks, markup, tenant};
use crate::line_items::aws;
use crate::summaries::{ocp_all, ocp_infrastructure, ocp_on_aws_keys, ocp_on_aws_project, ocp_on_aws_ui};
use crate::{aws_pairs, aws_tags};

/// Settings of the aggregator `ocp_on_aws`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OcpOnAwsConfig {
    /// Whether the tables that are derived from the project table are written too: those of the user interface, those of
    /// all clouds, the summaries of tags and categories, and the infrastructure rows of the clusters' daily summary.
    pub derived: bool,
    /// Number for number as Koku does it (`parity`), or without the traps that lose or double cost (`corrected`).
    pub semantics: Attribution,
}

impl Default for OcpOnAwsConfig {
    fn default() -> Self {
        Self { derived: true, semantics: Attribution::default() }
    }
}

tokaki_core::register!(
    Aggregator,
    OcpOnAwsConfig,
    "ocp_on_aws",
    "Cost of an AWS bill by cluster, namespace and node.",
    build
);

fn build(part: &AggregatorPart) -> Result<Arc<dyn AnyAggregator>> {
    let config: OcpOnAwsConfig = part.own.parse()?;
    let percent = part.reference.bill.as_ref().map_or("0", |bill| bill.markup_percent.as_str());
    Ok(Arc::new(OcpOnAws {
        attribution: config.semantics,
        derived: config.derived,
        markup: markup::factor(percent)?,
        scope: part.scope.clone(),
        reference: Arc::clone(&part.reference),
    }))
}

struct OcpOnAws {
    attribution: Attribution,
    derived: bool,
    /// What is added to each cost, as a factor.
    markup: f64,
    scope: Scope,
    reference: Arc<ReferenceData>,
}

/// Position of the bill's daily rows.
const DAILY: InputId = 0;

impl OcpOnAws {
    /// What is known of the bill.
    ///
    /// # Errors
    /// `Reference` if nothing is.
    fn bill(&self) -> Result<&Bill> {
        self.reference.bill.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Reference, "the reference data is about a cluster and not about a bill")
                .help("the aggregator ocp_on_aws needs an AWS source with its clusters")
        })
    }
}

impl OcpOnAws {
    /// Positions of the infrastructure rows of clusters that run elsewhere: they may be those of another account.
    fn infrastructure_elsewhere(&self, bill: &Bill, sides: &Sides) -> Vec<usize> {
        if !self.derived {
            return Vec::new();
        }
        let of_clusters = bill.clusters.iter().zip(&sides.paired).filter(|(_, paired)| !**paired);
        let own: Vec<Output> = of_clusters.map(|(cluster, _)| ocp_infrastructure::output(cluster)).collect();
        let positions = Aggregator::outputs(self).into_iter().enumerate().filter(|(_, output)| own.contains(output));
        positions.map(|(position, _)| position).collect()
    }
}

impl Aggregator for OcpOnAws {
    type Sides = Sides;
    type State = AwsState;

    fn inputs(&self) -> Vec<Input> {
        let mut inputs = vec![aws::daily(&aws::COLUMNS), aws::hourly(&aws::DISK_COLUMNS)];
        let clusters = self.reference.bill.iter().flat_map(|bill| &bill.clusters);
        for cluster in clusters {
            inputs.push(tenant::names(cluster));
            inputs.extend(tenant::inputs(cluster));
        }
        if self.attribution == Attribution::Parity {
            inputs.push(Input::output_of(aws_tags::NAME));
        }
        if self.reference.bill.iter().flat_map(|bill| &bill.clusters).any(|cluster| !cluster.mapped) {
            inputs.push(Input::output_of(aws_pairs::NAME));
        }
        inputs
    }

    fn outputs(&self) -> Vec<Output> {
        let clusters = self.reference.bill.iter().flat_map(|bill| &bill.clusters);
        let of_cluster = |cluster: &Cluster| {
            let mut outputs = vec![ocp_on_aws_project::output(&self.scope, cluster).also_of(&cluster.source_uuid)];
            if self.derived {
                let tables = ocp_on_aws_ui::TABLES.iter().chain(&ocp_all::TABLES);
                outputs.extend(tables.map(|table| table.output(&self.scope, cluster)));
                outputs.push(ocp_infrastructure::output(cluster));
            }
            outputs
        };
        let keys = self.reference.bill.iter().filter(|_| self.derived).flat_map(ocp_on_aws_keys::outputs);
        clusters.flat_map(of_cluster).chain(keys).collect()
    }

    fn windows(&self, days: DateRange) -> Option<Vec<DateRange>> {
        match self.attribution {
            Attribution::Parity => Some(chunks::of(days)),
            // Days know nothing of each other.
            Attribution::Corrected => None,
        }
    }

    fn prepare(&self, handovers: Vec<RecordBatch>, days: DateRange) -> Result<Sides> {
        Sides::new(self.bill()?, &self.reference.enabled_tag_keys, self.attribution, &handovers, days)
    }

    fn start(&self) -> AwsState {
        AwsState::default()
    }

    fn fold(&self, sides: &Sides, state: &mut AwsState, input: InputId, chunk: &Chunk) -> Result<()> {
        if input == DAILY { state.fold_rows(chunk, sides) } else { state.fold_disks(chunk, sides) }
    }

    fn finish(&self, sides: &Sides, state: AwsState) -> Result<Finished> {
        let bill = self.bill()?;
        let mut engine = Engine::new(sides, &state, bill, self.attribution, self.markup)?;
        engine.attribute()?;
        Ok(Finished {
            outputs: engine.outputs(&self.scope, bill, self.derived)?,
            findings: engine.findings(&self.scope, bill, self.derived),
            left_alone: self.infrastructure_elsewhere(bill, sides),
        })
    }
}

#[cfg(test)]
mod tests;
