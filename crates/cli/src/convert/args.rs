//! The command line of `tokaki convert`.

use std::path::PathBuf;

use bytesize::ByteSize;
use clap::Args;
use tokaki_readers::payload::{Limits, ReportType};
use uuid::Uuid;

/// `tokaki convert`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConvertArgs {
    /// CSV files, packed as .csv.gz or not, folders that hold them, or tar.gz archives of the operator
    #[arg(long, required = true, num_args = 1.., value_name = "PATH")]
    pub(super) input: Vec<PathBuf>,
    /// Folder that gets data/parquet/…, for store.url of a run; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub(super) output: PathBuf,
    /// Customer schema, for instance org1234567
    #[arg(long, value_parser = org)]
    pub(super) org: String,
    /// Provider uuid of the source
    #[arg(long, value_name = "UUID")]
    pub(super) source: Uuid,
    /// Write the hourly files only
    #[arg(long)]
    pub(super) no_daily: bool,
    /// Convert these reports only, for instance pod_usage,storage_usage
    #[arg(long, value_delimiter = ',', value_parser = report_type, value_name = "NAME,…")]
    pub(super) report_type: Vec<ReportType>,
    /// What an archive may unpack to
    #[arg(long, default_value_t = ByteSize(Limits::default().unpacked_bytes), value_name = "SIZE")]
    pub(super) max_unpacked: ByteSize,
}

/// The name becomes a folder.
fn org(text: &str) -> Result<String, String> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if !text.is_empty() && text.chars().all(is_name) {
        Ok(text.to_owned())
    } else {
        Err("a schema's name has letters, digits and `_` only".to_owned())
    }
}

fn report_type(text: &str) -> Result<ReportType, String> {
    let known = ReportType::ALL.into_iter().find(|known| known.name() == text);
    known.ok_or_else(|| format!("there are {}", ReportType::ALL.map(ReportType::name).join(", ")))
}
