//! `cargo xtask iqe`: runs tokaki on scenarios and says in what the results are not as expected (`docs/iqe.md`).

mod against;
mod bill;
mod checks;
mod options;
mod outputs;
mod report;
pub(crate) mod totals;
mod validate;

pub use options::{Options, SinkName};
pub use report::Report;

use crate::Result;

/// The code that the command ends with if something is not as expected.
pub const DIFFERENCES: u8 = 4;

/// Runs what `options` ask for and writes the reports into its folder.
///
/// # Errors
/// Something keeps the validation from being carried out. That tokaki fails or gives other rows is no error but a
/// finding of the report.
pub fn run(options: &Options) -> Result<Report> {
    let report = match &options.against.url {
        Some(url) => against::validate(options, url)?,
        None => validate::all(options)?,
    };
    report.write(&options.out)?;
    Ok(report)
}
