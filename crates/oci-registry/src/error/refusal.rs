//! A registry's refusal.

use std::fmt;
use std::time::Duration;

use super::circumstances::{OtherHost, SentManifest, UnsentCredentials};
use super::envelope::ErrorEnvelope;
use crate::digest::Digest;

/// The codes that say that a registry lacks content that a manifest names.
const MISSING: [&str; 3] = ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"];

/// The words that say the same in a message or detail: Quay's (quay/quay, `data/model/oci/manifest.py`), Cloudflare's
/// (cloudflare/serverless-registry#59), ECR's.
const MISSING_WORDS: [&str; 5] =
    ["blob unknown", "unknown blob", "manifest unknown", "unknown manifest", "required for pushing image"];

/// The words of registries that refuse to let an immutable tag move: ECR's and Harbor's, Docker Hub's and GitLab's, Nexus's.
const IMMUTABLE_WORDS: [&str; 4] =
    ["immutable", "cannot be overwritten", "cannot be overwrite", "does not allow updating assets"];

/// A registry's refusal. Displayed as `METHOD url: CODE: message`.
#[derive(Debug, Clone, Default)]
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
    /// The other host that answered, if it was not the registry.
    pub elsewhere: Option<OtherHost>,
    /// Credentials that exist but were not sent.
    pub unsent: Option<UnsentCredentials>,
    /// The manifest that the request put.
    pub manifest: Option<SentManifest>,
}

impl Refusal {
    /// Whether the registry refuses a manifest because it lacks content that the manifest names, and that can be sent.
    pub fn misses_content(&self) -> bool {
        self.says_missing() && self.foreign_layer().is_none()
    }

    /// Returns the layer because of which a manifest is refused, if it is one that registries do not hold. Docker's
    /// registry answers 500 with `UNKNOWN` and `MANIFEST_BLOB_UNKNOWN` if it may not accept the address of the layer
    /// (distribution/distribution#2795).
    pub fn foreign_layer(&self) -> Option<&Digest> {
        let foreign = &self.manifest.as_ref().filter(|_| self.says_missing())?.foreign;
        let named = self.errors.digests();
        if named.is_empty() {
            return foreign.first();
        }
        foreign.iter().find(|layer| named.contains(layer))
    }

    /// Whether the registry refuses to let a tag move because it is immutable there.
    pub fn is_of_immutable_tag(&self) -> bool {
        (400..500).contains(&self.status) && IMMUTABLE_WORDS.iter().any(|words| self.errors.mentions(words))
    }

    /// Whether the request put a manifest.
    pub fn puts_manifest(&self) -> bool {
        self.request.starts_with("PUT ") && self.request.contains("/manifests/")
    }

    /// Whether the registry refuses a manifest because of content that it lacks.
    pub(crate) fn says_missing(&self) -> bool {
        self.puts_manifest()
            && (MISSING.into_iter().any(|code| self.errors.has_code(code))
                || MISSING_WORDS.iter().any(|words| self.errors.mentions(words)))
    }
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
