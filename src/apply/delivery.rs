//! The content that this run sent to a repository, and the blobs to send again because the registry wrongly reported them as mounted
//! or present.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::prepared::Prepared;
use super::referrers;
use crate::content::Published;
use crate::diagnostic::{Code, Diagnostic};
use oci_registry::{BlobOutcome, Descriptor, Digest, RegistryError};

/// A repository that does not have all of its content yet.
pub(super) struct Delivery<'a> {
    /// The repository.
    pub it: &'a Prepared<'a>,
    /// Its content.
    pub published: &'a Published,
    blobs: Mutex<DeliveredBlobs>,
}

#[derive(Default)]
struct DeliveredBlobs {
    /// The blobs that the registry says it took from another repository, and whose bytes were not sent since.
    mounted: BTreeSet<Digest>,
    /// The blobs whose bytes were sent.
    sent: BTreeSet<Digest>,
    /// The blobs whose bytes are to be sent, whatever the registry says.
    due: BTreeSet<Digest>,
    /// Whether bytes that had been sent were due again.
    sent_again: bool,
}

impl<'a> Delivery<'a> {
    /// Starts with nothing.
    pub fn new(it: &'a Prepared<'a>, published: &'a Published) -> Self {
        Self { it, published, blobs: Mutex::default() }
    }

    /// Returns every blob that belongs there, each once. Artifacts share the empty configuration.
    pub fn blobs(&self) -> Vec<&'a Descriptor> {
        let referrers = referrers::planned(self.it, self.published);
        let of_referrers = referrers.into_iter().flat_map(|it| &it.content.blobs);
        let mut listed = BTreeSet::new();
        self.published
            .content
            .blobs
            .iter()
            .chain(of_referrers)
            .filter(|blob| listed.insert(&blob.digest))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, DeliveredBlobs> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how a blob got there.
    pub fn note(&self, blob: &Digest, outcome: BlobOutcome) {
        self.lock().note(blob, outcome);
    }

    /// Whether the bytes of a blob are to be sent, whatever the registry says.
    pub fn is_due(&self, blob: &Digest) -> bool {
        self.lock().due.contains(blob)
    }

    /// Returns the digests of the blobs that may be missing: those that the errors name, or all if one of them names none.
    fn missing(&self, incomplete: &Incomplete) -> BTreeSet<Digest> {
        let all: BTreeSet<Digest> = self.blobs().into_iter().map(|blob| blob.digest.clone()).collect();
        let mut missing = BTreeSet::new();
        for error in &incomplete.errors {
            let named = error.refusal().map(|refusal| refusal.errors.digests()).unwrap_or_default();
            let ours: Vec<Digest> = named.into_iter().filter(|digest| all.contains(digest)).collect();
            if ours.is_empty() {
                return all;
            }
            missing.extend(ours);
        }
        missing
    }

    /// Makes due the blobs that may be missing and that the registry says to have mounted. Returns whether there are any. Sending
    /// a blob ends that, so it happens at most once for each blob.
    pub fn doubt_mounts(&self, incomplete: &Incomplete) -> bool {
        let missing = self.missing(incomplete);
        self.lock().doubt(&missing, |blobs, digest| blobs.mounted.contains(digest))
    }

    /// Makes due the blobs that may be missing and whose bytes were not sent in this run, because the registry reported that it
    /// has them; once, if there are none, those whose bytes were sent. Returns whether there are any.
    pub fn doubt_rest(&self, incomplete: &Incomplete) -> bool {
        let missing = self.missing(incomplete);
        let mut blobs = self.lock();
        blobs.doubt(&missing, |blobs, digest| !blobs.sent.contains(digest))
            || (!std::mem::replace(&mut blobs.sent_again, true) && blobs.doubt(&missing, |_, _| true))
    }

    /// The diagnostic for content that could not be completed.
    pub fn failed(&self, incomplete: &Incomplete) -> Diagnostic {
        let lasting = |error: &&RegistryError| !error.misses_content();
        let error = incomplete.errors.iter().find(lasting).or(incomplete.errors.first());
        let Some(error) = error else {
            return Diagnostic::error(Code::RegistryRejected, &self.it.planned.name);
        };
        let diagnostic = self.it.failed(error);
        match (error.misses_content(), incomplete.is_of_blobs) {
            (false, _) => diagnostic,
            (true, true) => diagnostic.help(
                "the registry accepted all bytes of this content, twice, and still says that it lacks some: look at its log and its storage, or ask whoever runs it; running again will not help before that",
            ),
            (true, false) => diagnostic.help(
                "the registry does not find manifests that it accepted some seconds ago: run again in a minute, and ask whoever runs it if that does not help",
            ),
        }
    }
}

/// Why a repository does not have all of its content.
pub(super) struct Incomplete {
    /// The answers, at least one.
    pub errors: Vec<RegistryError>,
    /// Whether blobs are missing, which can be sent again. Otherwise only waiting may help, and has not helped.
    pub is_of_blobs: bool,
}

impl Incomplete {
    /// Returns `errors` as the reason, if there are any.
    pub fn none_of(errors: Vec<RegistryError>) -> Result<(), Self> {
        let is_of_blobs = errors.iter().all(RegistryError::misses_content);
        if errors.is_empty() { Ok(()) } else { Err(Self { errors, is_of_blobs }) }
    }
}

impl DeliveredBlobs {
    fn note(&mut self, blob: &Digest, outcome: BlobOutcome) {
        match outcome {
            BlobOutcome::Mounted => self.mounted.insert(blob.clone()),
            BlobOutcome::Pushed => {
                self.mounted.remove(blob);
                self.due.remove(blob);
                self.sent.insert(blob.clone())
            }
        };
    }

    /// Makes due those of the `missing` blobs for which `doubted` is true. Returns whether there are any.
    fn doubt(&mut self, missing: &BTreeSet<Digest>, doubted: fn(&Self, &Digest) -> bool) -> bool {
        self.due = missing.iter().filter(|digest| doubted(self, digest)).cloned().collect();
        !self.due.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci_registry::{ErrorEnvelope, Refusal};

    fn digest(letter: char) -> Digest {
        Digest::of(letter.to_string().as_bytes())
    }

    fn digests(letters: &str) -> BTreeSet<Digest> {
        letters.chars().map(digest).collect()
    }

    #[test]
    fn a_blob_that_was_sent_is_no_longer_a_mounted_one() {
        let mut blobs = DeliveredBlobs::default();
        for letter in ['a', 'b'] {
            blobs.note(&digest(letter), BlobOutcome::Mounted);
        }
        blobs.note(&digest('c'), BlobOutcome::Pushed);
        let is_mounted: fn(&DeliveredBlobs, &Digest) -> bool = |blobs, digest| blobs.mounted.contains(digest);
        for (missing, due) in [("abc", "ab"), ("b", "b"), ("c", ""), ("ac", "a")] {
            assert_eq!(blobs.doubt(&digests(missing), is_mounted), !due.is_empty());
            assert_eq!(blobs.due, digests(due), "{missing}");
        }
        blobs.note(&digest('a'), BlobOutcome::Pushed);
        assert!(blobs.due.is_empty());
        assert!(!blobs.doubt(&digests("ac"), is_mounted));
    }

    #[test]
    fn blobs_are_missing_only_if_every_error_says_so() {
        let error = |status, code: &str| {
            let body = serde_json::json!({ "errors": [{ "code": code }] }).to_string();
            RegistryError::from_refusal(Refusal {
                request: "PUT https://h/v2/a/manifests/v1".to_owned(),
                status,
                errors: ErrorEnvelope::parse(body.as_bytes()),
                ..Refusal::default()
            })
        };
        let of_blobs = |errors| Incomplete::none_of(errors).map_err(|incomplete| incomplete.is_of_blobs);
        assert_eq!(of_blobs(vec![]), Ok(()));
        for status in [400, 404, 500] {
            assert_eq!(of_blobs(vec![error(status, "MANIFEST_BLOB_UNKNOWN")]), Err(true), "{status}");
        }
        assert_eq!(of_blobs(vec![error(400, "BLOB_UNKNOWN"), error(400, "MANIFEST_INVALID")]), Err(false));
    }
}
