//! A case folder as a layer of the configuration (spec § 15): `reference.json` beside `input/`.

use std::path::Path;

use serde::Deserialize;
use serde_json::json;
use tokaki_core::{Error, ErrorKind, Place, Result};

/// The scope as `reference.json` states it. The rest of the file is the reference plugin's.
#[derive(Debug, Deserialize)]
struct CaseScope {
    org: Option<String>,
    source_uuid: Option<String>,
    start_date: Option<String>,
    end_date: Option<String>,
    /// The account, in a case about a bill.
    aws: Option<CaseAccount>,
}

#[derive(Debug, Deserialize)]
struct CaseAccount {
    source_uuid: Option<String>,
}

/// The settings that `folder` stands for.
///
/// # Errors
/// `Config` if it is no case folder, `Reference` if its `reference.json` is malformed.
pub(crate) fn settings(folder: &Path) -> Result<serde_json::Value> {
    let reference = folder.join("reference.json");
    let text = std::fs::read_to_string(&reference).map_err(|error| {
        Error::config("--case", format!("cannot read {}: {error}", reference.display()))
            .help("a case folder holds reference.json and input/")
    })?;
    let scope: CaseScope = serde_json::from_str(&text).map_err(|error| {
        let place = Place { file: Some(reference.display().to_string()), ..Place::default() };
        Error::new(ErrorKind::Reference, error.to_string()).at(&place)
    })?;
    let shown = |path: &Path| path.display().to_string();
    let mut settings = json!({
        "store": { "url": shown(&folder.join("input")) },
        "catalog": { "type": "koku" },
        "reference": { "type": "file", "path": shown(&reference) },
        "scope": {},
    });
    let mut source_uuid = scope.source_uuid;
    if let Some(account) = scope.aws {
        source_uuid = account.source_uuid;
        settings["aggregators"] = json!({ "enabled": ["ocp_on_aws"] });
    }
    let days = [
        ("org", scope.org),
        ("source_uuid", source_uuid),
        ("start_date", scope.start_date),
        ("end_date", scope.end_date),
    ];
    for (name, value) in days {
        if let Some(value) = value {
            settings["scope"][name] = value.into();
        }
    }
    Ok(settings)
}
