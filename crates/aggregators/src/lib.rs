//! What is computed from line items. An aggregator is a folder with a README that names the rules it implements;
//! [`line_items`] and [`summaries`] describe source and destination tables, [`words`] what aggregators share, and
//! [`cloud`] what those share that attribute a cloud provider's bill.

pub mod aws_pairs;
pub mod aws_tags;
pub mod cloud;
pub mod cluster_names;
pub mod gpu;
pub mod labels;
pub mod line_items;
pub mod ocp_on_aws;
pub mod pod;
pub mod storage;
pub mod summaries;
pub mod unallocated;
pub mod vm;
pub mod words;

#[cfg(test)]
mod damaged_states;
#[cfg(test)]
use tokaki_core::testkit as testing;
