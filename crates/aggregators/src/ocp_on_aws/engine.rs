//! Each kept row with its parts in each cluster (ocp-on-aws § 7, § 8).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use arrow::array::RecordBatch;
use tokaki_core::rollup::{ExactSum, Resolution};
use tokaki_core::{Bill, Finding, Result, Scope};

use super::by_id::IdJoin;
use super::by_tag;
use super::costs::COSTS;
use super::daily_table::DailyTable;
use super::disks::{Disk, Pool};
use super::nobodys;
use super::report::{self, Amounts};
use super::sides::Sides;
use super::state::AwsState;
use super::traps::{self, Effect, Trap, Traps};
use crate::cloud::id_index::IdIndex;
use crate::cloud::part::Part;
use crate::cloud::semantics::Attribution;
use crate::cloud::tag_join::{Rules, TagIndex, Wanted};
use crate::cloud::tags;
use crate::words::label_map::LabelMap;

/// What the parts of a row depend on: day, resource id, tags, and whether it is about data sent or received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Case {
    day: i32,
    id: u32,
    tags: u32,
    has_direction: bool,
}

/// The work of one window.
pub(super) struct Engine<'a> {
    sides: &'a Sides,
    state: &'a AwsState,
    hours_of_month: f64,
    ids: Vec<IdIndex<'a>>,
    tags: Vec<TagIndex<'a>>,
    /// What each cluster finds in a tag text.
    matched: HashMap<u32, Rc<[Option<BTreeSet<Wanted>>]>>,
    disks: HashMap<(i32, u32), Disk>,
    /// Days on which there are rows of an id.
    days_of_id: HashMap<u32, BTreeSet<i32>>,
    nobodys: [u32; 2],
    table: DailyTable<'a>,
    amounts: Amounts,
    traps: Traps,
}

impl<'a> Engine<'a> {
    /// # Errors
    /// `Bug` only.
    pub(super) fn new(
        sides: &'a Sides,
        state: &'a AwsState,
        bill: &'a Bill,
        attribution: Attribution,
        markup: f64,
    ) -> Result<Self> {
        let tenant = &sides.tenant;
        let (mut ids, mut tags) = (Vec::new(), Vec::new());
        for (cluster, rows) in bill.clusters.iter().zip(&tenant.clusters) {
            ids.push(IdIndex::new(tenant, rows, attribution)?);
            let names = [cluster.reference.cluster_id.as_str(), cluster.reference.cluster_alias.as_str()];
            let candidates = sides.clusters.iter().flat_map(|cluster| cluster.tags.candidates());
            tags.push(TagIndex::new(rows, &tenant.texts, names, attribution, candidates)?);
        }
        let mut disks: HashMap<(i32, u32), Disk> = HashMap::new();
        for row in state.disks.rows() {
            let [day, id, unit] = row.key;
            let disk = disks.entry((day as i32, id)).or_default();
            disk.raise(row.maximum(0), row.maximum(1), state.texts.text(unit), attribution);
        }
        let mut days_of_id: HashMap<u32, BTreeSet<i32>> = HashMap::new();
        for [day, id, ..] in state.kept.keys() {
            days_of_id.entry(*id).or_default().insert(*day as i32);
        }
        // Ids of the tenant's texts hold in the output too.
        let mut texts = tenant.texts.clone();
        let nobodys = nobodys::TEXTS.map(|name| texts.id(name));
        Ok(Self {
            sides,
            state,
            hours_of_month: f64::from(sides.days.days_in_month() * 24),
            ids,
            tags,
            matched: HashMap::new(),
            disks,
            days_of_id,
            nobodys,
            table: DailyTable::new(texts, state, &sides.keys, markup),
            amounts: Amounts::of_totals(state),
            traps: Traps::default(),
        })
    }

    /// Gives each kept row its parts.
    ///
    /// # Errors
    /// `Label` for tags that are no flat JSON object, `Type` for a sum that is too large.
    pub(super) fn attribute(&mut self) -> Result<()> {
        let mut cases: BTreeMap<Case, Vec<usize>> = BTreeMap::new();
        for (position, [day, id, tags, direction, ..]) in self.state.kept.keys().iter().enumerate() {
            let case = Case { day: *day as i32, id: *id, tags: *tags, has_direction: *direction != 0 };
            cases.entry(case).or_default().push(position);
        }
        for (case, rows) in cases {
            let mut effects = Vec::new();
            let parts = self.parts(case, &mut effects)?;
            for row in rows {
                let row = self.state.kept.row(row);
                let costs: [Option<f64>; COSTS] = std::array::from_fn(|cost| value(row.sum(cost + 1)));
                for effect in &effects {
                    self.traps.add(*effect, value(row.sum(0)), costs)?;
                }
                self.amounts.add_row(&parts, std::array::from_fn(|cost| row.sum(cost + 1)))?;
                for part in &parts {
                    if self.table.drops_virtual_machine(row.key[2], part.tags)? {
                        let (of_costs, of_usage) = (part.of_costs.unwrap_or(0.0), part.of_usage.unwrap_or(0.0));
                        let effect = Effect { trap: Trap::VirtualMachine, of_costs, of_usage };
                        self.traps.add(effect, value(row.sum(0)), costs)?;
                    }
                    self.amounts.add_part(part, costs)?;
                    self.table.add(&row.key, part, value(row.sum(0)), costs)?;
                }
            }
        }
        Ok(())
    }

    fn parts(&mut self, case: Case, effects: &mut Vec<Effect>) -> Result<Vec<Part>> {
        let id = self.state.texts.text(case.id).unwrap_or_default();
        let clusters = self.sides.clusters.len();
        let by_id: Vec<bool> = self.sides.clusters.iter().map(|cluster| cluster.id_ends.any_ends(id)).collect();
        let (mut parts, mut nameless) = (Vec::new(), 0.0);
        for cluster in (0..clusters).filter(|cluster| by_id[*cluster]) {
            let (of_cluster, claimed) = self.parts_by_id(cluster, id, case, effects)?;
            parts.extend(of_cluster);
            nameless += claimed;
        }
        let by_tag: Vec<bool> = match self.sides.attribution {
            // Whoever is matched by id is barred from tags, whatever comes of it (trap 1), and in its cluster only
            // (trap 20).
            Attribution::Parity => by_id.iter().map(|by_id| !by_id).collect(),
            Attribution::Corrected => vec![parts.is_empty(); clusters],
        };
        parts.extend(self.parts_by_tag(case, &by_tag, effects)?);
        if parts.is_empty() {
            let trap = if by_id.contains(&true) { Trap::LostById } else { Trap::LostByTags };
            effects.push(Effect::on_costs(trap, 1.0));
        }
        effects.extend(traps::of_parts(&parts, nameless));
        Ok(parts)
    }

    /// The parts in a cluster, and the share of the disk that its volumes without a name claim (trap 6).
    fn parts_by_id(
        &mut self,
        cluster: usize,
        id: &str,
        case: Case,
        effects: &mut Vec<Effect>,
    ) -> Result<(Vec<Part>, f64)> {
        let (volumes, index) = (&self.sides.volumes, &self.ids[cluster]);
        let volume = volumes.ends_of(id).first().map(|longest| volumes.text(*longest));
        let volume_rows = index.volume_rows(case.day, id, volume);
        let disk = self.disks.get(&(case.day, case.id)).filter(|_| !volume_rows.is_empty());
        let capacity = disk.and_then(|disk| disk.capacity(self.hours_of_month));
        let seen = disk.filter(|_| !case.has_direction);
        let without_size = seen.filter(|disk| disk.is_without_rate()).map(|_| Trap::NoSize);
        let mixed = seen.filter(|disk| disk.units > 1 && capacity.is_some()).map(|_| Trap::MixedUnits);
        for trap in without_size.into_iter().chain(mixed) {
            // Once for the row, however many clusters have such volumes.
            if !effects.iter().any(|effect| effect.trap == trap) {
                effects.push(Effect::on_costs(trap, 1.0));
            }
        }
        let pool = if capacity.is_some() { self.pool(id, volume, case) } else { Pool::default() };
        let join = IdJoin {
            cluster,
            attribution: self.sides.attribution,
            tenant: &self.sides.tenant,
            nobodys: self.nobodys,
            machine_rows: index.machine_rows(case.day, id),
            volume_rows,
            capacity,
            pool,
        };
        let claimed = join.claimed_without_name();
        let table = &mut self.table;
        Ok((join.parts(case.has_direction, &mut |labels| table.merged_labels(labels))?, claimed))
    }

    /// What all clusters claim of the disk: on all days of the chunk that have rows of it (trap 5), or on the day.
    fn pool(&self, id: &str, volume: Option<&str>, case: Case) -> Pool {
        let days = match self.sides.attribution {
            Attribution::Parity => self.days_of_id.get(&case.id).cloned().unwrap_or_default(),
            Attribution::Corrected => BTreeSet::from([case.day]),
        };
        let rows = self.ids.iter().enumerate().flat_map(|(cluster, index)| {
            let of_day = |day: &i32| index.volume_rows(*day, id, volume);
            days.iter().flat_map(of_day).map(move |row| (cluster, row)).collect::<Vec<_>>()
        });
        Pool::of(rows, &self.sides.tenant)
    }

    /// The parts in those clusters whose `by_tag` is set.
    fn parts_by_tag(&mut self, case: Case, by_tag: &[bool], effects: &mut Vec<Effect>) -> Result<Vec<Part>> {
        let matched = self.matched(case.tags)?;
        let wanted: Vec<Option<&BTreeSet<Wanted>>> =
            matched.iter().zip(by_tag).map(|(matched, by_tag)| matched.as_ref().filter(|_| *by_tag)).collect();
        if wanted.iter().all(Option::is_none) {
            return Ok(Vec::new());
        }
        let seen = self.sides.keys.seen(self.state.texts.text(case.tags))?.unwrap_or_default();
        let mut groups = Vec::new();
        for (cluster, wanted) in wanted.iter().enumerate() {
            if let Some(wanted) = wanted {
                let of_cluster = self.tags[cluster].groups(case.day, &rules(&seen, (*wanted).clone()));
                groups.extend((!of_cluster.is_empty()).then_some((cluster, of_cluster)));
            }
        }
        if groups.is_empty() {
            // Tied to a cluster that has no rows on the day: there is nobody to share with.
            return Ok(Vec::new());
        }
        let sharing = match self.sides.attribution {
            // Clusters count that have such rows, though the row may have no part there (trap 22).
            Attribution::Parity => {
                let rules = rules(&seen, wanted.iter().copied().flatten().flatten().cloned().collect());
                let on_account = self.tags.iter_mut().zip(&self.sides.paired).filter(|(_, paired)| **paired);
                on_account.filter_map(|(index, _)| (!index.groups(case.day, &rules).is_empty()).then_some(())).count()
            }
            Attribution::Corrected => groups.len(),
        };
        let share = 1.0 / sharing as f64;
        let attributed = share * groups.len() as f64;
        if sharing > groups.len() {
            effects.push(Effect::on_costs(Trap::ShareOfNobody, 1.0 - attributed));
        }
        let by_other_keys = groups.iter().filter(|(cluster, _)| {
            let others = &self.sides.clusters[*cluster].of_other_keys;
            let is_other = |wanted: &Wanted| matches!(wanted, Wanted::Candidate(text) if others.contains(text));
            wanted[*cluster].is_some_and(|wanted| !wanted.is_empty() && wanted.iter().all(is_other))
        });
        let by_other_keys = by_other_keys.count();
        if by_other_keys > 0 {
            effects.push(Effect::on_costs(Trap::OtherKeys, share * by_other_keys as f64));
        }
        if tags::special(&seen, tags::CLUSTER).is_some() && tags::special(&seen, tags::PROJECT).is_some() {
            effects.push(Effect::on_costs(Trap::ClusterBesideProject, attributed));
        }
        let tenant = &self.sides.tenant;
        Ok(groups.iter().flat_map(|(cluster, groups)| by_tag::parts(*cluster, groups, share, tenant)).collect())
    }

    fn matched(&mut self, tags: u32) -> Result<Rc<[Option<BTreeSet<Wanted>>]>> {
        if let Some(known) = self.matched.get(&tags) {
            return Ok(Rc::clone(known));
        }
        let text = self.state.texts.text(tags);
        let matched: Rc<[_]> =
            self.sides.clusters.iter().map(|cluster| cluster.tags.matched(text)).collect::<Result<Vec<_>>>()?.into();
        self.matched.insert(tags, Rc::clone(&matched));
        Ok(matched)
    }

    /// The rows of each output.
    ///
    /// # Errors
    /// `Type` for values that do not fit.
    pub(super) fn outputs(&self, scope: &Scope, bill: &Bill, derived: bool) -> Result<Vec<RecordBatch>> {
        self.table.batches(scope, bill, derived)
    }

    /// What is to be told.
    pub(super) fn findings(&self, scope: &Scope, bill: &Bill, derived: bool) -> Vec<Finding> {
        let mut findings = report::findings(&self.amounts, scope);
        findings.extend(self.traps.findings(scope));
        findings.extend(report::without_required(bill, &self.table));
        if derived {
            findings.extend(report::cut_product_codes(&self.table));
        }
        findings.extend(report::without_data(bill, self.sides));
        findings.extend(report::elsewhere(bill, self.sides));
        findings
    }
}

fn rules(seen: &LabelMap, labels: BTreeSet<Wanted>) -> Rules {
    let special = |key| tags::special(seen, key).map(str::to_owned);
    Rules { project: special(tags::PROJECT), node: special(tags::NODE), cluster: special(tags::CLUSTER), labels }
}

/// An amount as a number.
fn value(sum: Option<ExactSum>) -> Option<f64> {
    sum.map(|sum| Resolution::AMOUNTS.value(sum.0))
}
