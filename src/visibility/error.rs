//! The errors of reading and setting visibility.

use crate::diagnostic::{Code, Diagnostic, ToDiagnostic};
use oci_registry::RegistryError;

/// An error of reading or setting visibility.
#[derive(Debug, Clone, thiserror::Error)]
pub enum VisibilityError {
    /// The API requires credentials that are missing.
    #[error("{reason}")]
    NoCredentials {
        /// A message that says what is missing, and for what.
        reason: String,
        /// A text that says how to fix it.
        help: String,
    },
    /// The API answered with an error or with something unexpected, or did not answer.
    #[error("{0}")]
    Api(#[source] RegistryError),
    /// The API cannot set the visibility.
    #[error("{reason}")]
    CannotSet {
        /// The reason.
        reason: String,
        /// A text that says what to do instead.
        help: String,
    },
}

impl From<RegistryError> for VisibilityError {
    fn from(error: RegistryError) -> Self {
        Self::Api(error)
    }
}

impl VisibilityError {
    /// Returns the diagnostic that people see: what happened to the visibility of the repository called `name`, and a way out.
    /// `attempt` says what was tried.
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
