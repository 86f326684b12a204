//! The command line.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand};

use crate::Result;
use crate::cases::repository;
use crate::command::Tokaki;

/// Makes scenarios.
#[derive(Debug, Args)]
pub struct Options {
    /// What to do.
    #[command(subcommand)]
    pub(super) verb: Verb,
    /// Folder of scenarios
    #[arg(long, global = true, value_name = "DIR", default_value_os_t = repository("scenarios"))]
    pub(super) scenarios: PathBuf,
    /// The command to run [default: tokaki beside this program]
    #[arg(long, global = true, value_name = "FILE")]
    tokaki: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Make a scenario of a nise manifest
    New(NewOptions),
    /// Write a scenario's expected rows anew, after its reference.json was edited
    Expect {
        /// Name of the scenario
        name: String,
    },
}

/// `cargo xtask scenario new`.
#[derive(Debug, Args)]
pub(super) struct NewOptions {
    /// Name of the scenario, for instance two-nodes
    #[arg(value_parser = name)]
    pub(super) name: String,
    /// Static report file of nise for OCP
    #[arg(long, value_name = "FILE")]
    pub(super) manifest: PathBuf,
    /// First day, unless the manifest gives it
    #[arg(long, value_name = "DAY", requires = "end_date")]
    pub(super) start_date: Option<NaiveDate>,
    /// Last day, inclusive, unless the manifest gives it
    #[arg(long, value_name = "DAY", requires = "start_date")]
    pub(super) end_date: Option<NaiveDate>,
}

impl Options {
    /// The command to run.
    pub(super) fn tokaki(&self) -> Result<Tokaki> {
        Tokaki::given_or_beside(self.tokaki.as_deref())
    }
}

/// The name becomes a folder and a cluster id.
fn name(text: &str) -> std::result::Result<String, String> {
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if text.starts_with(|letter: char| letter.is_ascii_lowercase()) && text.len() <= 50 && text.chars().all(is_plain) {
        Ok(text.to_owned())
    } else {
        Err("a name has lower-case letters, digits and `-`, at most 50".to_owned())
    }
}
