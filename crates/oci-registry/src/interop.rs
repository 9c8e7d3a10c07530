//! Conversions between the types of this crate and those of `oci-distribution`, for callers that use both. The README has an
//! example.
//!
//! `oci-distribution` serves for the media types, for the annotation keys, for manifests and descriptors in its form, and for
//! references; the tests compare the two parsers of references. This crate has its own client, because `oci-distribution`
//! has no limits for waits, no resumed uploads and downloads, no mounts across token scopes, no credential chain, no
//! deletion and no directories, and it reads manifests into structures, which changes their bytes and so their digest.
//! [`Descriptor`] is not `OciDescriptor`, because a digest there is any text and a size may be negative, and because
//! serializing one must keep the order and the fields of the image specification.

use oci_distribution::Reference;
use oci_distribution::manifest::OciDescriptor;

use crate::descriptor::Descriptor;
use crate::digest::{Digest, DigestError};
use crate::remote::{RemoteReference, RemoteReferenceError};

/// The reason why a descriptor of `oci-distribution` is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ForeignDescriptorError {
    /// The digest is not valid.
    #[error("the digest of a descriptor is not valid")]
    Digest(#[from] DigestError),
    /// The size is negative.
    #[error("a descriptor has the negative size {0}")]
    Size(i64),
}

impl From<&Descriptor> for OciDescriptor {
    /// Leaves out the platform, for which `OciDescriptor` has no field.
    fn from(descriptor: &Descriptor) -> Self {
        Self {
            media_type: descriptor.media_type.clone(),
            digest: descriptor.digest.to_string(),
            size: i64::try_from(descriptor.size).unwrap_or(i64::MAX),
            urls: Some(descriptor.urls.clone()).filter(|urls| !urls.is_empty()),
            annotations: Some(descriptor.annotations.clone()).filter(|annotations| !annotations.is_empty()),
            artifact_type: descriptor.artifact_type.clone(),
        }
    }
}

impl TryFrom<OciDescriptor> for Descriptor {
    type Error = ForeignDescriptorError;

    fn try_from(foreign: OciDescriptor) -> Result<Self, ForeignDescriptorError> {
        let digest: Digest = foreign.digest.parse()?;
        let size = u64::try_from(foreign.size).map_err(|_| ForeignDescriptorError::Size(foreign.size))?;
        Ok(Self {
            urls: foreign.urls.unwrap_or_default(),
            annotations: foreign.annotations.unwrap_or_default(),
            artifact_type: foreign.artifact_type,
            ..Self::new(foreign.media_type, digest, size)
        })
    }
}

impl TryFrom<&Reference> for RemoteReference {
    type Error = RemoteReferenceError;

    fn try_from(foreign: &Reference) -> Result<Self, RemoteReferenceError> {
        foreign.whole().parse()
    }
}

impl From<&RemoteReference> for Reference {
    /// Without a tag and a digest, the tag is `latest`.
    fn from(reference: &RemoteReference) -> Self {
        let (host, repository) = (reference.host.clone(), reference.repository.to_string());
        let tag = reference.tag.as_ref().map(ToString::to_string);
        match (tag, reference.digest.as_ref().map(ToString::to_string)) {
            (Some(tag), Some(digest)) => Self::with_tag_and_digest(host, repository, tag, digest),
            (None, Some(digest)) => Self::with_digest(host, repository, digest),
            (tag, None) => Self::with_tag(host, repository, tag.unwrap_or_else(|| "latest".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_survive_both_conversions() {
        let mut descriptor = Descriptor::new("application/vnd.example", Digest::of(b"x"), 1);
        descriptor.urls.push("https://example.com/x".to_owned());
        descriptor.annotations.insert("key".to_owned(), "value".to_owned());
        descriptor.artifact_type = Some("application/vnd.example.artifact".to_owned());
        for descriptor in [Descriptor::new("a/b", Digest::of(b""), 0), descriptor] {
            let foreign = OciDescriptor::from(&descriptor);
            assert_eq!(Descriptor::try_from(foreign), Ok(descriptor));
        }
    }

    #[test]
    fn invalid_descriptors_are_refused() {
        let valid = OciDescriptor::from(&Descriptor::new("a/b", Digest::of(b""), 0));
        let negative = OciDescriptor { size: -1, ..valid.clone() };
        assert_eq!(Descriptor::try_from(negative), Err(ForeignDescriptorError::Size(-1)));
        let no_digest = OciDescriptor { digest: "sha256:zz".to_owned(), ..valid };
        assert!(matches!(Descriptor::try_from(no_digest), Err(ForeignDescriptorError::Digest(_))));
    }

    #[test]
    fn both_parsers_read_references_alike() {
        let digest = Digest::of(b"x");
        for text in [
            "alpine",
            "acme/app:v1",
            "ghcr.io/acme/app:v1",
            "localhost:5000/app",
            &format!("ghcr.io/acme/app@{digest}"),
            &format!("ghcr.io/acme/app:v1@{digest}"),
        ] {
            let foreign: Reference = text.parse().expect(text);
            let own: RemoteReference = text.parse().expect(text);
            let converted = RemoteReference::try_from(&foreign).expect(text);
            assert_eq!(converted.at(), own.at(), "{text}");
            assert_eq!((&converted.host, &converted.repository), (&own.host, &own.repository), "{text}");
            assert_eq!(Reference::from(&own).whole(), foreign.whole(), "{text}");
        }
    }
}
