//! Who may pull from a repository.

use serde::{Deserialize, Serialize};

/// Who may pull from a repository, as declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Everybody, without credentials.
    Public,
    /// Those whom the registry was told of.
    Private,
    /// The members of the organization or enterprise; not everybody.
    Internal,
}

impl Visibility {
    /// The word of the configuration language.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Internal => "internal",
        }
    }
}
