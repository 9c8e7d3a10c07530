//! Attestations: entries of an index that say something about another entry, and run on no platform.

use oci_registry::{Descriptor, Digest, Platform};

/// The annotation with the digest that an entry of an index attests (`BuildKit`,
/// docs/attestations/attestation-storage.md).
const ATTESTS: &str = "vnd.docker.reference.digest";
/// The annotation with the relation of an entry to the digest that it names, and its value for attestations.
const RELATION: (&str, &str) = ("vnd.docker.reference.type", "attestation-manifest");

/// Whether an entry of an index is an attestation about another entry, and runs on no platform.
pub(super) fn is_attestation(entry: &Descriptor) -> bool {
    entry.platform.as_ref().is_some_and(Platform::is_unknown)
        || entry.annotations.get(RELATION.0).is_some_and(|relation| relation == RELATION.1)
}

/// The digest of the image that an attestation is about.
pub(super) fn attested(entry: &Descriptor) -> Option<Digest> {
    entry.annotations.get(ATTESTS).and_then(|text| text.parse().ok())
}
