//! What refers to a manifest, listed as distribution-spec 1.1 has it ("Listing Referrers"), page by page.

use axum::body::Body;
use axum::http::Response;
use oci_registry::referrer::{describe, subject_of};
use oci_registry::{Digest, RawManifest, media_type};

use super::Shared;
use super::content::{empty, pairs, refusal};

impl Shared {
    /// The header that tells that a manifest is listed under its subject.
    pub(super) fn processed(&self, manifest: &RawManifest) -> Option<(&'static str, String)> {
        let subject = subject_of(manifest).filter(|_| self.options.referrers)?;
        Some(("oci-subject", subject.to_string()))
    }

    /// A page of what refers to `subject`.
    pub(super) fn referrers(&self, repository: &str, subject: &str, query: &str) -> Response<Body> {
        if !self.options.referrers {
            return refusal(404, "NOT_FOUND", "no such path");
        }
        let Ok(subject) = subject.parse::<Digest>() else {
            return refusal(400, "DIGEST_INVALID", "no digest");
        };
        let content = self.content.lock().expect("a lock");
        let own = content.manifests.iter().filter(|((name, _), _)| name == repository);
        let referring = own.filter(|(_, manifest)| subject_of(manifest).as_ref() == Some(&subject));
        let mut found: Vec<_> = referring.map(|(_, manifest)| describe(manifest)).collect();
        found.sort_by(|one, other| one.digest.cmp(&other.digest));
        let start: usize = pairs(query)
            .iter()
            .find(|(key, _)| key == "at")
            .map_or(0, |(_, at)| at.parse().expect("a number"));
        let end = start.saturating_add(self.options.page).min(found.len());
        let mut headers = vec![("content-type", media_type::OCI_INDEX.to_owned())];
        if end < found.len() {
            headers.push(("link", format!("</v2/{repository}/referrers/{subject}?at={end}>; rel=\"next\"")));
        }
        let index = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": media_type::OCI_INDEX,
            "manifests": found.get(start..end).unwrap_or_default(),
        });
        let mut answer = empty(200, &headers);
        *answer.body_mut() = Body::from(index.to_string());
        answer
    }
}
