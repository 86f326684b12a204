//! What a row of a bill comes to in a cluster (ocp-on-aws § 7).

use super::tenant::DataSource;

/// By which rule a row came to its parts (ocp-on-aws § 14.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(usize)]
pub enum Class {
    /// A disk with its volumes (§ 7.1, § 7.2).
    Storage,
    /// A machine with its pods (§ 7.3).
    Compute,
    /// By tags (§ 7.4).
    Tag,
    /// Data that a machine sent or received (§ 7.5).
    Network,
}

impl Class {
    /// All classes.
    pub const ALL: [Self; 4] = [Self::Storage, Self::Compute, Self::Tag, Self::Network];

    /// Name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Storage => "storage",
            Self::Compute => "compute",
            Self::Tag => "tag",
            Self::Network => "network",
        }
    }
}

/// Which tags a part has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartTags {
    /// None.
    Null,
    /// Those of the bill alone.
    OfBill,
    /// Those of the bill laid over these labels; none where the labels are null.
    OverLabels(u32),
}

/// A share of a row. Texts are ids of the texts of the output.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Position of the cluster.
    pub cluster: usize,
    /// The rule.
    pub class: Class,
    /// Kind of the part.
    pub data_source: DataSource,
    /// Namespace, or a name for what is nobody's.
    pub namespace: u32,
    /// Node.
    pub node: u32,
    /// Claim, volume and storage class.
    pub volume: [u32; 3],
    /// Tags.
    pub tags: PartTags,
    /// Cost category of the namespace.
    pub cost_category: Option<i32>,
    /// Whether the row's own category is the part's too.
    pub has_category: bool,
    /// Whether the row's direction of data is the part's too.
    pub has_direction: bool,
    /// Which part of each cost it is.
    pub of_costs: Option<f64>,
    /// Which part of the usage amount it is.
    pub of_usage: Option<f64>,
}
