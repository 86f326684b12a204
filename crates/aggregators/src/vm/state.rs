//! What is left of the partition's line items: machines at the latest instant, their claims, and which pods carry which
//! machine.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use tokaki_core::rollup::{Interner, NULL_TEXT, Rollup, RollupSpec, TextIds};
use tokaki_core::{Chunk, Error, Result, State};

use crate::line_items::{pod_usage, storage_usage, vm_usage};
use crate::summaries::vm_resources::Row;
use crate::words::label_sets::{LabelSets, SetIds};
use crate::words::tag_keys::TagKeys;
use crate::words::units::{gibibytes, storable};

/// Machines at the latest instant.
static LATEST: RollupSpec<2, 0, 2> = RollupSpec {
    keys: [vm_usage::VM_NAME, vm_usage::NODE],
    sums: [],
    maxima: [vm_usage::REQUEST_CORES, vm_usage::REQUEST_BYTES],
};
/// Claims of machines, at any instant of the partition.
static MACHINE_CLAIMS: RollupSpec<2, 0, 0> =
    RollupSpec { keys: [vm_usage::VM_NAME, vm_usage::CLAIM], sums: [], maxima: [] };
/// Pods by the label set that holds only the machine's name.
static PODS: RollupSpec<2, 0, 0> = RollupSpec { keys: ["set", pod_usage::POD], sums: [], maxima: [] };
/// Claims of pods.
static POD_CLAIMS: RollupSpec<2, 0, 0> =
    RollupSpec { keys: [storage_usage::POD, storage_usage::CLAIM], sums: [], maxima: [] };

const HOURS_PER_DAY: f64 = 24.0;

/// A partial result of machines.
pub(super) struct VmState {
    texts: Interner,
    labels: LabelSets,
    /// The latest instant of any machine.
    instant: Option<i64>,
    latest: Rollup<2, 0, 2>,
    machine_claims: Rollup<2, 0, 0>,
    pods: Rollup<2, 0, 0>,
    pod_claims: Rollup<2, 0, 0>,
    columns: [TextIds; 3],
    set_ids: SetIds,
}

impl Default for VmState {
    fn default() -> Self {
        Self {
            texts: Interner::default(),
            labels: LabelSets::default(),
            instant: None,
            latest: Rollup::new(&LATEST),
            machine_claims: Rollup::new(&MACHINE_CLAIMS),
            pods: Rollup::new(&PODS),
            pod_claims: Rollup::new(&POD_CLAIMS),
            columns: Default::default(),
            set_ids: SetIds::default(),
        }
    }
}

impl VmState {
    pub(super) fn fold_machines(&mut self, chunk: &Chunk) -> Result<()> {
        let instants = chunk.instants()?.values();
        let [names, nodes, claims] = &mut self.columns;
        let names = names.of(&mut self.texts, chunk, vm_usage::VM_NAME)?;
        let nodes = nodes.of(&mut self.texts, chunk, vm_usage::NODE)?;
        let claims = claims.of(&mut self.texts, chunk, vm_usage::CLAIM)?;
        let maxima = [chunk.numbers(LATEST.maxima[0])?, chunk.numbers(LATEST.maxima[1])?];
        for (row, instant) in instants.iter().enumerate() {
            // A row without a name still says which instant is the latest (vm-gpu-summary § 2a).
            if self.instant.is_none_or(|latest| *instant > latest) {
                self.instant = Some(*instant);
                self.latest = Rollup::new(&LATEST);
            }
            if names[row] == NULL_TEXT {
                continue;
            }
            self.machine_claims.group([names[row], claims[row]]);
            if self.instant == Some(*instant) {
                let group = self.latest.group([names[row], nodes[row]]);
                self.latest.raise_each(&[group], |_| maxima.each_ref().map(|column| column.number(row)))?;
            }
        }
        Ok(())
    }

    pub(super) fn fold_pods(&mut self, chunk: &Chunk) -> Result<()> {
        // Without enabled keys only the machine's name is kept (spec § 4).
        let keys = TagKeys::default();
        let [.., pods] = &mut self.columns;
        let pods = pods.of(&mut self.texts, chunk, pod_usage::POD)?;
        let labels = chunk.labels(pod_usage::POD_LABELS)?;
        self.set_ids.begin(&labels);
        for (pod, number) in pods.iter().zip(labels.numbers()) {
            let set = self.set_ids.set_of(*number, &labels, &keys, &mut self.labels)?;
            if *pod != NULL_TEXT {
                self.pods.group([set, *pod]);
            }
        }
        Ok(())
    }

    pub(super) fn fold_claims(&mut self, chunk: &Chunk) -> Result<()> {
        let [pods, claims, ..] = &mut self.columns;
        let pods = pods.of(&mut self.texts, chunk, storage_usage::POD)?;
        let claims = claims.of(&mut self.texts, chunk, storage_usage::CLAIM)?;
        for (pod, claim) in pods.iter().zip(claims) {
            if *pod != NULL_TEXT && *claim != NULL_TEXT {
                self.pod_claims.group([*pod, *claim]);
            }
        }
        Ok(())
    }

    /// Whether the source reports machines by themselves.
    pub(super) fn has_machines(&self) -> bool {
        self.instant.is_some()
    }

    /// Each machine of the latest instant with each of its claims (vm-gpu-summary § 2a).
    pub(super) fn machines(&self) -> Result<Vec<Row<'_>>> {
        let text = |id| self.texts.text(id);
        let mut claims: HashMap<u32, BTreeSet<Option<&str>>> = HashMap::new();
        for [name, claim] in self.machine_claims.keys() {
            claims.entry(*name).or_default().insert(text(*claim));
        }
        let mut machines = BTreeMap::new();
        for group in self.latest.rows() {
            let [name, node] = group.key;
            let core_hours =
                group.maximum(0).map(|cores| storable("cpu_request", cores * HOURS_PER_DAY)).transpose()?;
            let gibibyte_hours =
                group.maximum(1).map(|bytes| storable("mem_request", gibibytes(bytes) * HOURS_PER_DAY)).transpose()?;
            machines.insert((text(name).unwrap_or_default(), text(node)), (name, core_hours, gibibyte_hours));
        }
        let mut rows = Vec::new();
        for ((vm_name, node), (name, core_hours, gibibyte_hours)) in machines {
            for claim in claims.get(&name).into_iter().flatten() {
                rows.push(Row { vm_name: vm_name.to_owned(), node, claim: *claim, core_hours, gibibyte_hours });
            }
        }
        Ok(rows)
    }

    /// The non-empty claims of the pods whose labels name the machine, by canonical label text.
    pub(super) fn claims_of_pods(&self, canonical: &str) -> BTreeSet<&str> {
        let carriers: BTreeSet<u32> = self
            .pods
            .keys()
            .iter()
            .filter(|[set, _]| self.labels.canonical(*set) == canonical)
            .map(|[_, pod]| *pod)
            .collect();
        let of_carriers = self.pod_claims.keys().iter().filter(|[pod, _]| carriers.contains(pod));
        of_carriers.filter_map(|[_, claim]| self.texts.text(*claim)).filter(|claim| !claim.is_empty()).collect()
    }
}

impl State for VmState {
    fn merge(&mut self, other: Self) -> Result<()> {
        let texts = self.texts.absorb(&other.texts);
        let sets = self.labels.absorb(&other.labels);
        let pair = |[left, right]: [u32; 2]| [texts[left as usize], texts[right as usize]];
        if other.instant > self.instant {
            self.instant = other.instant;
            self.latest = Rollup::new(&LATEST);
        }
        if other.instant == self.instant {
            self.latest.absorb(&other.latest, pair)?;
        }
        self.machine_claims.absorb(&other.machine_claims, pair)?;
        self.pods.absorb(&other.pods, |[set, pod]| [sets[set as usize], texts[pod as usize]])?;
        self.pod_claims.absorb(&other.pod_claims, pair)
    }

    fn encode(&self) -> Result<Vec<RecordBatch>> {
        let schema = Schema::new(vec![Field::new("instant", DataType::Int64, true)]);
        let instant = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int64Array::from(vec![self.instant]))])
            .map_err(|error| Error::bug(error.to_string()))?;
        Ok(vec![
            self.texts.encode()?,
            self.labels.encode()?,
            instant,
            self.latest.encode()?,
            self.machine_claims.encode()?,
            self.pods.encode()?,
            self.pod_claims.encode()?,
        ])
    }

    fn decode(batches: &[RecordBatch]) -> Result<Self> {
        let foreign = || Error::bug("an encoded VM state has other tables than its own");
        let [texts, sets, instant, latest, machine_claims, pods, pod_claims] = batches else {
            return Err(foreign());
        };
        let instant = instant.columns().first().and_then(|column| column.as_primitive_opt::<Int64Type>());
        let instant = instant.ok_or_else(foreign)?.iter().next().ok_or_else(foreign)?;
        Ok(Self {
            texts: Interner::decode(texts)?,
            labels: LabelSets::decode(sets)?,
            instant,
            latest: Rollup::decode(&LATEST, latest)?,
            machine_claims: Rollup::decode(&MACHINE_CLAIMS, machine_claims)?,
            pods: Rollup::decode(&PODS, pods)?,
            pod_claims: Rollup::decode(&POD_CLAIMS, pod_claims)?,
            columns: Default::default(),
            set_ids: SetIds::default(),
        })
    }
}
