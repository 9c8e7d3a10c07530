//! An image in a registry: its tag is resolved once, and all later requests are by digest.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::opened_content::{BlobPlace, OpenedContent};
use super::registries::BlockingRepository;
use super::temporary::TemporaryFolder;
use super::verify::{VerifyingReader, manifest_reader};
use super::{BlobOrigin, BlobReader, Source, SourceError, Surroundings};
use oci_registry::remote::RemoteReference;
use oci_registry::{Descriptor, Digest, RawManifest, Referrer, media_type};

/// An image in a registry.
pub(super) struct Remote {
    /// The image, pinned to the digest of the root.
    image: RemoteReference,
    repository: BlockingRepository,
    root: Descriptor,
    content: Arc<OpenedContent>,
    folder: TemporaryFolder,
}

impl Remote {
    /// Resolves `image`, and returns the source and the image pinned to the digest.
    pub(super) fn open(
        image: &RemoteReference,
        surroundings: &Surroundings,
    ) -> Result<(Self, RemoteReference), SourceError> {
        let registries = surroundings.registries.as_ref().ok_or_else(|| no_registry(image))?;
        let repository = registries.repository(image)?;
        let at = image.at().ok_or_else(|| missing(image, None))?;
        let content = Arc::clone(&surroundings.content);
        let known = image.digest.as_ref().and_then(|digest| content.manifest(&place(image, digest)));
        let manifest = match known {
            Some(manifest) => manifest,
            None => repository.manifest(&at)?.ok_or_else(|| missing(image, repository.waited()))?,
        };
        // Refused manifests, such as those of Docker's first schema, have digests that mean nothing.
        manifest.parse().map_err(|error| SourceError::manifest(&error))?;
        let image = image.pinned(image.digest.as_ref().unwrap_or(manifest.digest()));
        let root = manifest.descriptor();
        content.keep_manifest(place(&image, &root.digest), manifest);
        let folder = surroundings.temporary_folder();
        Ok((Self { image: image.clone(), repository, root, content, folder }, image))
    }

    fn manifest(&self, described: &Descriptor) -> Result<RawManifest, SourceError> {
        let digest = &described.digest;
        let place = place(&self.image, digest);
        if let Some(manifest) = self.content.manifest(&place) {
            return Ok(manifest);
        }
        let found = self.repository.described(described)?;
        let manifest = found.ok_or_else(|| self.lost("manifest", digest))?;
        self.content.keep_manifest(place, manifest.clone());
        Ok(manifest)
    }

    /// The error for content that the image names and its repository does not have.
    fn lost(&self, what: &str, digest: &Digest) -> SourceError {
        let waited = self.repository.waited();
        let message = format!(
            "`{}` names {what} `{digest}`, which its repository does not have{}",
            self.image,
            waited.map(looked_for).unwrap_or_default()
        );
        let help = if waited.is_some() {
            "it was just pushed by digest: check that the job that pushed it ended well, and that nothing deletes untagged content"
        } else {
            "the registry lost it, perhaps in a cleanup that ignores indexes: push the image there again"
        };
        SourceError::NotInRegistry { reason: message, help: help.into() }
    }
}

impl Source for Remote {
    fn root(&self) -> Result<Descriptor, SourceError> {
        Ok(self.root.clone())
    }

    fn open_manifest(&self, manifest: &Descriptor) -> Result<BlobReader, SourceError> {
        Ok(manifest_reader(&self.manifest(manifest)?, manifest))
    }

    fn open(&self, blob: &Descriptor) -> Result<BlobReader, SourceError> {
        if media_type::is_manifest(&blob.media_type) {
            return self.open_manifest(blob);
        }
        let place = place(&self.image, &blob.digest);
        let shown = format!("`{}@{}`", place.repository, place.digest);
        if let Some(kept) = self.content.blob(&place) {
            return Ok(VerifyingReader::boxed(kept, blob, shown));
        }
        let reader = VerifyingReader::boxed(self.repository.blob(blob)?, blob, shown);
        let spool = self.repository.travels.then_some(&self.folder);
        Ok(self.content.keep_blob(place, blob, reader, spool))
    }

    fn check(&self, blobs: &[Descriptor]) -> Result<(), SourceError> {
        // A blob that was read to its end, as a configuration is, was there.
        let unknown = |blob: &&Descriptor| {
            let place = place(&self.image, &blob.digest);
            !self.content.is_present(&place) && self.content.blob(&place).is_none()
        };
        let asked: Vec<&Descriptor> = blobs.iter().filter(unknown).collect();
        let missing = self.repository.missing(&asked)?;
        let absent: HashSet<&Digest> = missing.iter().collect();
        let present = asked.iter().filter(|blob| !absent.contains(&blob.digest));
        self.content.keep_present(present.map(|blob| place(&self.image, &blob.digest)));
        missing.first().map_or(Ok(()), |digest| Err(self.lost("blob", digest)))
    }

    fn origin(&self, _blob: &Digest) -> Option<BlobOrigin> {
        Some(BlobOrigin { host: self.image.location().host(), repository: self.image.repository.clone() })
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Referrer>, SourceError> {
        self.repository.referrers(subject)
    }
}

/// The place of a manifest or blob in the repository of `image`.
fn place(image: &RemoteReference, digest: &Digest) -> BlobPlace {
    BlobPlace { repository: format!("{}/{}", image.host, image.repository), digest: digest.clone() }
}

fn no_registry(image: &RemoteReference) -> SourceError {
    SourceError::Unsupported {
        reason: format!("`docker://{image}` cannot be read: no registry is available here"),
        help: "publish from a file or a directory".to_owned(),
    }
}

/// The words for a time that was waited.
fn looked_for(waited: Duration) -> String {
    format!(", after {:.0} s of waiting for it", waited.as_secs_f32())
}

/// The error for an image that does not exist. `waited` is how long it was waited for.
fn missing(image: &RemoteReference, waited: Option<Duration>) -> SourceError {
    let message = format!("there is no image `{image}`{}", waited.map(looked_for).unwrap_or_default());
    let repository = format!("{}/{}", image.host, image.repository);
    let help = match image.digest {
        Some(_) if waited.is_some() => format!(
            "check that the job that pushed it by digest ended well, that it pushed to `{repository}`, and that nothing deletes untagged \
             content there; then run this again"
        ),
        Some(_) => format!(
            "it may have been deleted: list the tags with `skopeo list-tags docker://{repository}`, or push it again"
        ),
        None => format!(
            "check the name and the tag for typos: `skopeo list-tags docker://{repository}` lists the tags"
        ),
    };
    SourceError::NotInRegistry { reason: message, help }
}

#[cfg(test)]
#[path = "remote_tests.rs"]
mod tests;
