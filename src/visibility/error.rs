//! What can go wrong with who may pull, typed by kind.

use crate::diagnostic::{Code, Diagnostic};
use crate::registry::RegistryError;

/// What can go wrong with who may pull.
#[derive(Debug, Clone, thiserror::Error)]
pub enum VisibilityError {
    /// The API wants credentials that are not there.
    #[error("{reason}")]
    NoCredentials {
        /// What is missing, and for what.
        reason: String,
        /// What to do about it.
        help: String,
    },
    /// The API answered with an error, with something that it should not, or not at all.
    #[error("{0}")]
    Api(RegistryError),
    /// The API does not set that.
    #[error("{reason}")]
    CannotSet {
        /// Why not.
        reason: String,
        /// What to do instead.
        help: String,
    },
}

impl From<RegistryError> for VisibilityError {
    fn from(error: RegistryError) -> Self {
        Self::Api(error)
    }
}

impl VisibilityError {
    /// What people see: what happened to the visibility of the repository called `name`, and a way out.
    pub fn to_diagnostic(&self, name: &str, attempt: &str) -> Diagnostic {
        let message = format!("{name}: {attempt}: {self}");
        Diagnostic::error(Code::VisibilityApi, message).help(match self {
            Self::NoCredentials { help, .. } | Self::CannotSet { help, .. } => help.clone(),
            Self::Api(error @ (RegistryError::Unauthorized(_) | RegistryError::Denied(_))) => {
                let from = error.refusal().and_then(|refusal| refusal.credentials.as_deref());
                let from = from.map(|from| format!(" from {from}")).unwrap_or_default();
                format!(
                    "this takes more than push rights: the credentials{from} must belong to an owner or administrator; the tags stay as they are"
                )
            }
            Self::Api(error) => error
                .to_diagnostic()
                .help
                .unwrap_or_else(|| "run the same command again: nothing is sent twice".to_owned()),
        })
    }
}
