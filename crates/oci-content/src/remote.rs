//! An image in a registry: its tag is resolved once, and all later requests are by digest.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::{Arc, Mutex, PoisonError};

use super::verify::VerifyingReader;
use super::{BlobReader, Origin, Reach, RemoteRepository, Source, SourceError};
use oci_registry::remote::RemoteReference;
use oci_registry::{Descriptor, Digest, RawManifest, Referrer, TagOrDigest, media_type};

/// The number of bytes of manifests that are kept, so that reading a manifest twice takes one request.
const KEPT: usize = 16 * 1024 * 1024;

/// An image in a registry.
pub(super) struct Remote {
    /// The image, pinned to the digest of the root.
    image: RemoteReference,
    repository: Arc<dyn RemoteRepository>,
    root: Descriptor,
    kept: Mutex<Kept>,
}

/// The manifests that have been read.
#[derive(Default)]
struct Kept {
    manifests: HashMap<Digest, RawManifest>,
    bytes: usize,
}

impl Kept {
    fn keep(&mut self, manifest: RawManifest) {
        self.bytes += manifest.bytes().len();
        if self.bytes <= KEPT {
            self.manifests.insert(manifest.digest().clone(), manifest);
        }
    }
}

impl Remote {
    /// Resolves `image`, and returns the source and the image pinned to the digest.
    pub(super) fn open(
        image: &RemoteReference,
        reach: &dyn Reach,
    ) -> Result<(Self, RemoteReference), SourceError> {
        let repository = reach.repository(image)?;
        let at = image.at().ok_or_else(|| missing(image))?;
        let manifest = repository.manifest(&at)?.ok_or_else(|| missing(image))?;
        // Refused manifests, such as those of Docker's first schema, have digests that mean nothing.
        manifest.parse().map_err(|error| SourceError::manifest(&error))?;
        let image = image.pinned(image.digest.as_ref().unwrap_or(manifest.digest()));
        let (root, mut kept) = (manifest.descriptor(), Kept::default());
        kept.keep(manifest);
        Ok((Self { image: image.clone(), repository, root, kept: Mutex::new(kept) }, image))
    }

    /// The repository, for people.
    fn place(&self) -> String {
        format!("{}/{}", self.image.host, self.image.repository)
    }

    fn manifest(&self, digest: &Digest) -> Result<RawManifest, SourceError> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(manifest) = kept().manifests.get(digest) {
            return Ok(manifest.clone());
        }
        let found = self.repository.manifest(&TagOrDigest::Digest(digest.clone()))?;
        let manifest = found.ok_or_else(|| self.lost("manifest", digest))?;
        kept().keep(manifest.clone());
        Ok(manifest)
    }

    /// The error for content that the image names and its repository does not have.
    fn lost(&self, what: &str, digest: &Digest) -> SourceError {
        let message = format!("`{}` names {what} `{digest}`, which its repository does not have", self.image);
        let help =
            "the registry lost it, perhaps in a cleanup that ignores indexes: push the image there again";
        SourceError::NotInRegistry { reason: message, help: help.into() }
    }
}

impl Source for Remote {
    fn root(&self) -> Result<Descriptor, SourceError> {
        Ok(self.root.clone())
    }

    fn open(&self, blob: &Descriptor) -> Result<BlobReader, SourceError> {
        let place = format!("`{}@{}`", self.place(), blob.digest);
        if media_type::is_manifest(&blob.media_type) {
            let bytes = Cursor::new(self.manifest(&blob.digest)?.bytes().to_vec());
            return Ok(VerifyingReader::boxed(bytes, blob, place));
        }
        Ok(VerifyingReader::boxed(self.repository.blob(blob)?, blob, place))
    }

    fn check(&self, blobs: &[Descriptor]) -> Result<(), SourceError> {
        let missing = self.repository.missing(&blobs.iter().collect::<Vec<_>>())?;
        missing.first().map_or(Ok(()), |digest| Err(self.lost("blob", digest)))
    }

    fn origin(&self, _blob: &Digest) -> Option<Origin> {
        Some(Origin { host: self.image.location().host(), repository: self.image.repository.clone() })
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Referrer>, SourceError> {
        self.repository.referrers(subject)
    }
}

/// The error for an image that does not exist.
fn missing(image: &RemoteReference) -> SourceError {
    let message = format!("there is no image `{image}`");
    let repository = format!("{}/{}", image.host, image.repository);
    let help = match image.digest {
        Some(_) => format!(
            "it may have been deleted: list the tags with `skopeo list-tags docker://{repository}`, or push it again"
        ),
        None => format!(
            "check the name and the tag for typos: `skopeo list-tags docker://{repository}` lists the tags"
        ),
    };
    SourceError::NotInRegistry { reason: message, help: help.into() }
}

#[cfg(test)]
#[path = "remote_tests.rs"]
mod tests;
