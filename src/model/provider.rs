//! Who runs a registry, where that opens an interface besides the registry's own.

use serde::{Deserialize, Serialize};

/// Who runs a registry, where that opens an interface besides the registry's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// GitHub: its container registry deletes nothing itself, its packages API does.
    Github,
}

impl Provider {
    /// The provider that everybody knows by the host of its registry.
    pub fn of_host(host: &str) -> Option<Self> {
        (host == "ghcr.io").then_some(Self::Github)
    }
}
