//! A registry's refusal.

use std::fmt;
use std::time::Duration;

use super::envelope::ErrorEnvelope;

/// A registry's refusal. Displayed as `METHOD url: CODE: message`.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// `METHOD url`, without userinfo and query.
    pub request: String,
    /// The HTTP status.
    pub status: u16,
    /// The errors in the body.
    pub errors: ErrorEnvelope,
    /// The repository that the request was about, by its path in the API, if known.
    pub repository: Option<String>,
    /// The origin of the credentials that the request carried; `None` if it carried none.
    pub credentials: Option<String>,
    /// Whether the registry says that the credentials were accepted but lack a scope (`insufficient_scope`; RFC 6750,
    /// section 3.1).
    pub insufficient: bool,
    /// How long the registry asked to wait.
    pub retry_after: Option<Duration>,
    /// How often the request was tried.
    pub attempts: u32,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.request)?;
        if self.errors.has_codes() {
            write!(f, "{}", self.errors)?;
        } else {
            write!(f, "{}", self.status)?;
            let status = reqwest::StatusCode::from_u16(self.status).ok();
            if let Some(reason) = status.and_then(|status| status.canonical_reason()) {
                write!(f, " {reason}")?;
            }
            if !self.errors.is_empty() {
                write!(f, ": {}", self.errors)?;
            }
        }
        f.write_str(&super::text::times(self.attempts))
    }
}
