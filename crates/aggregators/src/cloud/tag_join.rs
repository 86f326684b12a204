//! Rows of a cluster that a row of the bill belongs to by its tags (ocp-on-aws § 7.4).

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use tokaki_core::Result;
use tokaki_core::rollup::Interner;

use super::candidates;
use super::label_pairs::{self, LowerPair};
use super::needles::Needles;
use super::semantics::Attribution;
use super::tenant::{ClusterRows, DataSource, OcpRow, larger};

/// Namespaces of what is nobody's: tags do not lead there.
const NOBODYS: [&str; 4] =
    ["Worker unallocated", "Platform unallocated", "Storage unattributed", "Network unattributed"];

/// What labels are looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wanted {
    /// A candidate, found as text (`parity`).
    Candidate(String),
    /// A pair (`corrected`).
    Pair(LowerPair),
}

/// What a row's tags say. Any of it suffices.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Rules {
    /// Namespace.
    pub project: Option<String>,
    /// Node.
    pub node: Option<String>,
    /// Id or alias of the cluster.
    pub cluster: Option<String>,
    /// Labels of a pod or volume.
    pub labels: BTreeSet<Wanted>,
}

/// Joined rows of one namespace and data source. Texts are ids of [`super::tenant::Tenant::texts`].
#[derive(Debug, Clone, Copy)]
pub struct TagGroup {
    /// Namespace.
    pub namespace: u32,
    /// Kind of the rows.
    pub data_source: DataSource,
    /// Largest of each.
    pub pod_labels: u32,
    /// Largest of each.
    pub volume_labels: u32,
    /// Largest of each.
    pub node: u32,
    /// Largest claim, volume and storage class.
    pub volume: [u32; 3],
    /// Largest category.
    pub cost_category: Option<i32>,
}

/// A cluster's rows by what tags may name.
pub struct TagIndex<'a> {
    rows: &'a ClusterRows,
    texts: &'a Interner,
    names: [&'a str; 2],
    /// Label texts by what is looked for in them.
    labels: HashMap<Wanted, Vec<u32>>,
    days: HashMap<i32, DayIndex>,
    known: HashMap<(i32, Rules), Rc<[TagGroup]>>,
}

/// Positions in the day's rows.
#[derive(Default)]
struct DayIndex {
    all: Vec<usize>,
    namespaces: HashMap<u32, Vec<usize>>,
    nodes: HashMap<u32, Vec<usize>>,
    labels: HashMap<u32, Vec<usize>>,
}

impl<'a> TagIndex<'a> {
    /// Rows of the cluster that is called by either of `names`. `candidates` are those of all clusters: whether a row
    /// belongs to several is asked with what any of them found.
    ///
    /// # Errors
    /// `Bug` only.
    pub fn new<'c>(
        rows: &'a ClusterRows,
        texts: &'a Interner,
        names: [&'a str; 2],
        attribution: Attribution,
        candidates: impl Iterator<Item = &'c str>,
    ) -> Result<Self> {
        let labels = match attribution {
            Attribution::Parity => labels_by_candidate(rows, texts, candidates)?,
            Attribution::Corrected => labels_by_pair(rows, texts)?,
        };
        let nobodys: Vec<u32> = NOBODYS.iter().filter_map(|name| texts.known(name)).collect();
        let mut days = HashMap::new();
        for day in rows.days() {
            let mut index = DayIndex::default();
            for (position, row) in rows.of_day(day).iter().enumerate() {
                if texts.text(row.namespace).is_none() || nobodys.contains(&row.namespace) {
                    continue;
                }
                index.all.push(position);
                index.namespaces.entry(row.namespace).or_default().push(position);
                index.nodes.entry(row.node).or_default().push(position);
                for labels in [row.pod_labels, row.volume_labels] {
                    index.labels.entry(labels).or_default().push(position);
                }
            }
            days.insert(day, index);
        }
        Ok(Self { rows, texts, names, labels, days, known: HashMap::new() })
    }

    /// The rows of `day` that one of the rules joins, grouped.
    pub fn groups(&mut self, day: i32, rules: &Rules) -> Rc<[TagGroup]> {
        let key = (day, rules.clone());
        if let Some(known) = self.known.get(&key) {
            return Rc::clone(known);
        }
        let groups: Rc<[TagGroup]> = self.grouped(day, self.joined(day, rules)).into();
        self.known.insert(key, Rc::clone(&groups));
        groups
    }

    fn joined(&self, day: i32, rules: &Rules) -> Vec<usize> {
        let Some(index) = self.days.get(&day) else { return Vec::new() };
        if rules.cluster.as_deref().is_some_and(|cluster| self.names.contains(&cluster)) {
            return index.all.clone();
        }
        let id = |name: &Option<String>| name.as_deref().and_then(|name| self.texts.known(name));
        let mut joined: Vec<usize> = Vec::new();
        joined.extend(id(&rules.project).and_then(|id| index.namespaces.get(&id)).into_iter().flatten());
        joined.extend(id(&rules.node).and_then(|id| index.nodes.get(&id)).into_iter().flatten());
        for labels in rules.labels.iter().filter_map(|wanted| self.labels.get(wanted)).flatten() {
            joined.extend(index.labels.get(labels).into_iter().flatten());
        }
        joined.sort_unstable();
        joined.dedup();
        joined
    }

    fn grouped(&self, day: i32, joined: Vec<usize>) -> Vec<TagGroup> {
        let rows = self.rows.of_day(day);
        let mut groups: Vec<TagGroup> = Vec::new();
        let mut positions: HashMap<(u32, DataSource), usize> = HashMap::new();
        for row in joined.into_iter().map(|position| &rows[position]) {
            let position = *positions.entry((row.namespace, row.data_source)).or_insert_with(|| {
                groups.push(TagGroup::of(row));
                groups.len() - 1
            });
            groups[position].raise(row, self.texts);
        }
        groups
    }
}

impl TagGroup {
    fn of(row: &OcpRow) -> Self {
        Self {
            namespace: row.namespace,
            data_source: row.data_source,
            pod_labels: row.pod_labels,
            volume_labels: row.volume_labels,
            node: row.node,
            volume: row.volume,
            cost_category: row.cost_category,
        }
    }

    fn raise(&mut self, row: &OcpRow, texts: &Interner) {
        let raise = |own: &mut u32, other: u32| *own = larger(texts, *own, other);
        raise(&mut self.pod_labels, row.pod_labels);
        raise(&mut self.volume_labels, row.volume_labels);
        raise(&mut self.node, row.node);
        for (own, other) in self.volume.iter_mut().zip(row.volume) {
            raise(own, other);
        }
        self.cost_category = self.cost_category.max(row.cost_category);
    }
}

/// Each candidate with the label texts that contain a piece of it.
fn labels_by_candidate<'c>(
    rows: &ClusterRows,
    texts: &Interner,
    candidates: impl Iterator<Item = &'c str>,
) -> Result<HashMap<Wanted, Vec<u32>>> {
    let candidates: BTreeSet<&str> = candidates.collect();
    let pieces: BTreeSet<String> = candidates.iter().flat_map(|candidate| candidates::pieces(candidate)).collect();
    let needles = Needles::new(pieces.iter().map(String::as_str))?;
    let label_texts = label_pairs::label_texts(rows, texts);
    let mut by_piece: HashMap<&str, Vec<u32>> = HashMap::new();
    for id in &label_texts {
        for found in needles.contained_in(texts.text(*id).unwrap_or_default()) {
            by_piece.entry(needles.text(found)).or_default().push(*id);
        }
    }
    let mut labels = HashMap::new();
    for candidate in candidates {
        let mut found = Vec::new();
        for piece in candidates::pieces(candidate) {
            // The empty piece is in every text.
            let with_piece = if piece.is_empty() { Some(&label_texts) } else { by_piece.get(piece.as_str()) };
            found.extend(with_piece.into_iter().flatten());
        }
        found.sort_unstable();
        found.dedup();
        if !found.is_empty() {
            labels.insert(Wanted::Candidate(candidate.to_owned()), found);
        }
    }
    Ok(labels)
}

/// Each pair with the label texts that have it.
fn labels_by_pair(rows: &ClusterRows, texts: &Interner) -> Result<HashMap<Wanted, Vec<u32>>> {
    let mut labels: HashMap<Wanted, Vec<u32>> = HashMap::new();
    for id in label_pairs::label_texts(rows, texts) {
        for pair in label_pairs::pairs_of(texts.text(id).unwrap_or_default())? {
            let with_pair = labels.entry(Wanted::Pair(pair)).or_default();
            if with_pair.last() != Some(&id) {
                with_pair.push(id);
            }
        }
    }
    Ok(labels)
}
