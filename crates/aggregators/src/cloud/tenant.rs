//! The daily summary of each cluster of the tenant, as an attribution joins it (O of ocp-on-aws § 2.2).

use std::collections::BTreeMap;
use std::ops::Range;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{Date32Type, Float64Type, Int32Type};
use tokaki_core::rollup::{Interner, NULL_TEXT};
use tokaki_core::{Cluster, Distribution, Error, Input, Result};

use crate::cluster_names;
use crate::line_items::storage_usage;
use crate::summaries::ocp_daily_summary::STORAGE;

/// What is taken of each cluster, in the order in which [`Tenant::add`] takes it.
pub fn inputs(cluster: &Cluster) -> [Input; INPUTS] {
    let of = |input: Input| input.of_source(&cluster.source_uuid);
    [
        of(Input::output_of("pod")),
        of(Input::output_of("unallocated")),
        of(Input::output_of("storage")),
        of(Input::output_of("storage").at_position(1)),
    ]
}

/// Number of [`inputs`].
pub const INPUTS: usize = 4;

/// The names of a cluster's parts, as [`super::names::Names`] takes them.
pub fn names(cluster: &Cluster) -> Input {
    Input::output_of(cluster_names::NAME).of_source(&cluster.source_uuid)
}

/// The kind of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum DataSource {
    /// Usage of pods, or what no pod used.
    Pod,
    /// A volume.
    Storage,
}

/// A row of the summary. Texts are ids of [`Tenant::texts`].
#[derive(Debug, Clone, Copy)]
pub struct OcpRow {
    /// Day, counted from 1970-01-01.
    pub day: i32,
    /// Kind.
    pub data_source: DataSource,
    /// Namespace; one of two names of nobody's for what no pod used.
    pub namespace: u32,
    /// Node.
    pub node: u32,
    /// Machine id of the node.
    pub resource_id: u32,
    /// Labels of a pod row; null where no pod used it.
    pub pod_labels: u32,
    /// Labels of a storage row.
    pub volume_labels: u32,
    /// Claim, volume and storage class.
    pub volume: [u32; 3],
    /// Id of the volume at its provider.
    pub handle: u32,
    /// Size of the claim, GiB.
    pub claim_size: Option<f64>,
    /// Effective usage in the cluster's distribution: core-hours or GiB-hours.
    pub usage: Option<f64>,
    /// What the node has, in the same unit.
    pub node_capacity: Option<f64>,
    /// Cost category.
    pub cost_category: Option<i32>,
}

impl OcpRow {
    /// The volume's name.
    pub fn volume_name(&self) -> u32 {
        self.volume[1]
    }
}

/// A cluster's rows, sorted by day.
#[derive(Debug, Clone, Default)]
pub struct ClusterRows {
    rows: Vec<OcpRow>,
    days: BTreeMap<i32, Range<usize>>,
}

impl ClusterRows {
    /// The rows of a day.
    pub fn of_day(&self, day: i32) -> &[OcpRow] {
        self.days.get(&day).map_or(&[], |range| &self.rows[range.clone()])
    }

    /// All rows.
    pub fn rows(&self) -> &[OcpRow] {
        &self.rows
    }

    /// The days that have rows.
    pub fn days(&self) -> impl Iterator<Item = i32> {
        self.days.keys().copied()
    }
}

/// The rows of all clusters.
#[derive(Debug, Clone, Default)]
pub struct Tenant {
    /// All texts of the rows.
    pub texts: Interner,
    /// In the order of the bill's clusters.
    pub clusters: Vec<ClusterRows>,
}

impl Tenant {
    /// Takes in the rows of the next cluster: what its `pod`, `unallocated` and `storage` finished, and the handles
    /// beside the latter.
    ///
    /// # Errors
    /// `Bug` if they are not what these aggregators hand over.
    pub fn add(&mut self, batches: &[RecordBatch], distribution: Distribution) -> Result<()> {
        let [pods, unallocated, storage, handles] = batches else {
            return Err(Error::bug("a cluster handed over other rows than asked"));
        };
        let mut rows = Vec::with_capacity(pods.num_rows() + unallocated.num_rows() + storage.num_rows());
        for batch in [pods, unallocated] {
            self.read(batch, None, distribution, &mut rows)?;
        }
        self.read(storage, Some(handles), distribution, &mut rows)?;
        rows.sort_by_key(|row| row.day);
        let mut days = BTreeMap::new();
        let mut start = 0;
        for of_day in rows.chunk_by(|left, right| left.day == right.day) {
            days.insert(of_day[0].day, start..start + of_day.len());
            start += of_day.len();
        }
        self.clusters.push(ClusterRows { rows, days });
        Ok(())
    }

    fn read(
        &mut self,
        batch: &RecordBatch,
        handles: Option<&RecordBatch>,
        distribution: Distribution,
        rows: &mut Vec<OcpRow>,
    ) -> Result<()> {
        let [usage, capacity] = match distribution {
            Distribution::Cpu => ["pod_effective_usage_cpu_core_hours", "node_capacity_cpu_core_hours"],
            Distribution::Memory => {
                ["pod_effective_usage_memory_gigabyte_hours", "node_capacity_memory_gigabyte_hours"]
            }
        };
        let mut text = |batch: &RecordBatch, name: &str| -> Result<Vec<u32>> {
            let texts: &StringArray = cast(batch, name, |column| column.as_string_opt())?;
            Ok(texts.iter().map(|text| self.texts.optional_id(text)).collect())
        };
        let data_sources = text(batch, "data_source")?;
        let [namespaces, nodes, resource_ids] =
            [text(batch, "namespace")?, text(batch, "node")?, text(batch, "resource_id")?];
        let [pod_labels, volume_labels] = [text(batch, "pod_labels")?, text(batch, "volume_labels")?];
        let volumes =
            [text(batch, "persistentvolumeclaim")?, text(batch, "persistentvolume")?, text(batch, "storageclass")?];
        let handles = handles.map(|handles| text(handles, storage_usage::VOLUME_HANDLE)).transpose()?;
        let storage = self.texts.id(STORAGE);
        let number = |name: &str| {
            let numbers = cast(batch, name, |column| column.as_primitive_opt::<Float64Type>())?;
            Ok::<Vec<Option<f64>>, Error>(numbers.iter().collect())
        };
        let sizes = number("persistentvolumeclaim_capacity_gigabyte")?;
        let (usage, capacity) = (number(usage)?, number(capacity)?);
        let categories = cast(batch, "cost_category_id", |column| column.as_primitive_opt::<Int32Type>())?;
        let days = cast(batch, "usage_start", |column| column.as_primitive_opt::<Date32Type>())?;
        for row in 0..batch.num_rows() {
            rows.push(OcpRow {
                day: days.value(row),
                data_source: if data_sources[row] == storage { DataSource::Storage } else { DataSource::Pod },
                namespace: namespaces[row],
                node: nodes[row],
                resource_id: resource_ids[row],
                pod_labels: pod_labels[row],
                volume_labels: volume_labels[row],
                volume: std::array::from_fn(|part| volumes[part][row]),
                handle: handles.as_ref().map_or(NULL_TEXT, |handles| handles[row]),
                claim_size: sizes[row],
                usage: usage[row],
                node_capacity: capacity[row],
                cost_category: categories.is_valid(row).then(|| categories.value(row)),
            });
        }
        Ok(())
    }

    /// The text of `id`, unless it is null or empty.
    pub fn name(&self, id: u32) -> Option<&str> {
        self.texts.text(id).filter(|text| !text.is_empty())
    }
}

/// The column `name` as what it was declared to be.
pub(crate) fn cast<'a, T>(
    batch: &'a RecordBatch,
    name: &str,
    as_declared: impl Fn(&'a dyn Array) -> Option<&'a T>,
) -> Result<&'a T> {
    let column = batch.column_by_name(name).and_then(|column| as_declared(column.as_ref()));
    column.ok_or_else(|| Error::bug("rows were handed over in other columns than declared").column(name))
}

/// The larger of two texts in byte order; null is less than any.
pub fn larger(texts: &Interner, left: u32, right: u32) -> u32 {
    if texts.text(right) > texts.text(left) { right } else { left }
}

/// The larger of two numbers, where null is none.
pub fn larger_number(left: Option<f64>, right: Option<f64>) -> Option<f64> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.max(right)),
        (left, right) => left.or(right),
    }
}
