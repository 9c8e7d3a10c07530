//! The referrers of a manifest, listed as in distribution-spec 1.1 ("Listing Referrers"), page by page.

use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};

use super::SharedTestRegistry;
use super::content::{StoredManifest, empty, is_digest, pairs, refusal};
use crate::image::OCI_INDEX;

/// The digest that a manifest names as its subject.
fn subject_of(bytes: &[u8]) -> Option<String> {
    let manifest: Value = serde_json::from_slice(bytes).ok()?;
    manifest["subject"]["digest"].as_str().map(str::to_owned)
}

/// The descriptor of a manifest in a list of referrers: with its annotations, and the type of its artifact or, without one, of its
/// configuration.
fn describe(digest: &str, manifest: &StoredManifest) -> Value {
    let mut descriptor =
        json!({ "mediaType": manifest.media_type, "digest": digest, "size": manifest.bytes.len() });
    let parsed: Value = serde_json::from_slice(&manifest.bytes).unwrap_or_default();
    let named = parsed["artifactType"].as_str().filter(|it| !it.is_empty());
    if let Some(artifact_type) = named.or(parsed["config"]["mediaType"].as_str()) {
        descriptor["artifactType"] = json!(artifact_type);
    }
    if parsed["annotations"].is_object() {
        descriptor["annotations"] = parsed["annotations"].clone();
    }
    descriptor
}

impl SharedTestRegistry {
    /// The header that says that a manifest is listed under its subject.
    pub(super) fn processed(&self, manifest: &[u8]) -> Option<(&'static str, String)> {
        let subject = subject_of(manifest).filter(|_| self.options.referrers)?;
        Some(("oci-subject", subject))
    }

    /// A page of the referrers of `subject`.
    pub(super) fn referrers(&self, repository: &str, subject: &str, query: &str) -> Response<Body> {
        if !self.options.referrers {
            return refusal(404, "NOT_FOUND", "no such path");
        }
        if !is_digest(subject) {
            return refusal(400, "DIGEST_INVALID", "no digest");
        }
        let content = self.content.lock().expect("a lock");
        let own = content.manifests.iter().filter(|((name, _), _)| name == repository);
        let referring = own.filter(|(_, manifest)| subject_of(&manifest.bytes).as_deref() == Some(subject));
        let mut referring: Vec<_> = referring.collect();
        referring.sort_by_key(|(key, _)| *key);
        let found: Vec<_> =
            referring.into_iter().map(|((_, digest), manifest)| describe(digest, manifest)).collect();
        let start: usize = pairs(query)
            .iter()
            .find(|(key, _)| key == "at")
            .map_or(0, |(_, at)| at.parse().expect("a number"));
        let end = start.saturating_add(self.options.page).min(found.len());
        let mut headers = vec![("content-type", OCI_INDEX.to_owned())];
        if end < found.len() {
            headers.push(("link", format!("</v2/{repository}/referrers/{subject}?at={end}>; rel=\"next\"")));
        }
        let index = json!({
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": found.get(start..end).unwrap_or_default(),
        });
        let mut answer = empty(200, &headers);
        *answer.body_mut() = Body::from(index.to_string());
        answer
    }
}
