//! What the attribution of a cloud provider's bill to clusters is made of, whichever provider it is (ocp-on-aws, and
//! ocp-on-azure-gcp for how the others differ).

pub mod candidates;
pub mod chunks;
pub mod id_index;
pub mod label_pairs;
pub mod markup;
pub mod names;
pub mod needles;
pub mod part;
pub mod semantics;
pub mod tag_join;
pub mod tag_mapping;
pub mod tag_match;
pub mod tags;
pub mod tenant;
pub mod verdicts;
