//! `cargo xtask scenario`: makes a scenario of a nise manifest (`docs/iqe.md`).

mod describe;
mod expect;
mod generate;
mod options;
mod reference;

use std::fs;

pub use options::Options;
use options::{NewOptions, Verb};

use crate::Result;
use crate::cases::Case;

/// Does what `options` ask for, and says what is left to do by hand.
///
/// # Errors
/// The manifest, nise or tokaki keeps the scenario from being made; then there is none.
pub fn run(options: &Options) -> Result<String> {
    match &options.verb {
        Verb::New(new) => make(new, options),
        Verb::Expect { name } => {
            let case = Case { folder: options.scenarios.join(name) };
            expect::write(&options.tokaki()?, &case)?;
            Ok(format!("{} holds what tokaki writes now: check it by hand", case.path("expected").display()))
        }
    }
}

fn make(new: &NewOptions, options: &Options) -> Result<String> {
    let folder = options.scenarios.join(&new.name);
    if folder.exists() {
        return Err(format!("{} is there already", folder.display()).into());
    }
    let tokaki = options.tokaki()?;
    fs::create_dir_all(&options.scenarios)?;
    // Made beside its place, so that nothing half made is ever taken for a scenario.
    let draft = tempfile::Builder::new().prefix(".draft-").tempdir_in(&options.scenarios)?;
    let case = Case { folder: draft.path().join(&new.name) };
    fs::create_dir(&case.folder)?;
    fs::copy(&new.manifest, case.path("nise.yml"))
        .map_err(|error| format!("cannot read {}: {error}", new.manifest.display()))?;
    generate::input(&tokaki, &case, new)?;
    reference::write(&case)?;
    let totals = expect::write(&tokaki, &case)?;
    fs::write(case.path("scenario.md"), describe::template(&case, &totals))?;
    fs::rename(&case.folder, &folder)?;
    Ok(format!("{} is made: check reference.json and the numbers in scenario.md by hand", folder.display()))
}
