//! Whose rules an attribution follows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a bill is attributed (ocp-on-aws § 12).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Attribution {
    /// As Koku does it, number for number, traps included.
    #[default]
    Parity,
    /// Without the traps that lose or double cost.
    Corrected,
}
