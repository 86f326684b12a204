//! Lists of texts, which batches hold as JSON.

use tokaki_core::{Error, Result};

/// The texts of a JSON array.
///
/// # Errors
/// `Bug` if it is none.
pub(crate) fn of_json(json: &str) -> Result<Vec<Option<String>>> {
    serde_json::from_str(json).map_err(|error| Error::bug(format!("a list of texts is none: {error}")))
}
