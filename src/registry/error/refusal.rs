//! A registry's answer that says no.

use std::fmt;
use std::time::Duration;

use super::envelope::ErrorEnvelope;

/// A registry's answer that says no. Reads `METHOD url: CODE: message`.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// `METHOD url`, without userinfo and query.
    pub request: String,
    /// The HTTP status.
    pub status: u16,
    /// What the body said.
    pub errors: ErrorEnvelope,
    /// Where the credentials came from that the request carried; `None`: it carried none.
    pub credentials: Option<String>,
    /// How long the registry asked to wait.
    pub retry_after: Option<Duration>,
    /// How often it was tried.
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
        f.write_str(&super::times(self.attempts))
    }
}
