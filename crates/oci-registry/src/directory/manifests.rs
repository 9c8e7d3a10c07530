//! Manifests of a layout: blobs like others, which tags in the index name.

use super::blobs::make_folder;
use super::layout::RepositoryLayout;
use super::{draft, wrong};
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::error::{DirectoryProblem, RegistryError};
use crate::http::inner_type;
use crate::manifest::{Manifest, RawManifest};
use crate::media_type;
use crate::reference::TagOrDigest;
use crate::repository::PutOutcome;

impl RepositoryLayout {
    /// Returns the manifest at `at`. A manifest that a tag names must exist and be intact; one that is asked for by
    /// digest may be missing, and is treated as missing if it is damaged.
    pub(super) fn manifest(&self, at: &TagOrDigest) -> Result<Option<RawManifest>, RegistryError> {
        if !self.exists()? {
            return Ok(None);
        }
        match at {
            TagOrDigest::Digest(digest) => {
                let bytes = self.read_manifest(digest)?.filter(|bytes| digest_by(digest, bytes) == *digest);
                Ok(bytes.and_then(|bytes| inner_type(&bytes).map(|inner| RawManifest::new(inner, bytes))))
            }
            TagOrDigest::Tag(tag) => {
                let path = self.folder().join("index.json");
                let Some(entry) = self
                    .index()?
                    .find(tag)
                    .map_err(|reason| wrong(&path, DirectoryProblem::Damaged, reason))?
                else {
                    return Ok(None);
                };
                let bytes = self.read_manifest(&entry.digest)?.ok_or_else(|| {
                    wrong(
                        &path,
                        DirectoryProblem::Damaged,
                        format!("tag `{tag}` names `{}`, which is not there", entry.digest),
                    )
                })?;
                let found = digest_by(&entry.digest, &bytes);
                if found != entry.digest {
                    let request = format!("read {}", self.blob(&entry.digest).display());
                    return Err(RegistryError::ContentMismatch { request, expected: entry.digest, found });
                }
                Ok(Some(RawManifest::new(entry.media_type, bytes)))
            }
        }
    }

    /// Puts `manifest` at `at`. Everything that it names must already be there, as registries require, so that no tag
    /// names an incomplete manifest.
    pub(super) fn put_manifest(
        &self,
        at: &TagOrDigest,
        manifest: &RawManifest,
    ) -> Result<PutOutcome, RegistryError> {
        self.make()?;
        let mut digests = vec![manifest.digest()];
        if let TagOrDigest::Digest(expected) = at {
            let found = digest_by(expected, manifest.bytes());
            if found != *expected {
                let request = format!("write {}", self.blob(expected).display());
                return Err(RegistryError::ContentMismatch { request, expected: expected.clone(), found });
            }
            digests.push(expected);
        }
        self.check_complete(manifest)?;
        for digest in digests {
            if self.read_manifest(digest)?.as_deref() != Some(manifest.bytes()) {
                let place = self.blob(digest);
                make_folder(&place)?;
                draft::write(&self.folder(), &place, manifest.bytes())?;
            }
        }
        let subject = self.list_referrer(manifest)?;
        if let TagOrDigest::Tag(tag) = at {
            self.change_index(|index| index.point(tag, &manifest.descriptor()))?;
        }
        Ok(PutOutcome { digest: manifest.digest().clone(), subject })
    }

    /// Checks that the layout has everything that `manifest` names, except for layers that registries do not keep. A
    /// manifest that cannot be parsed is not checked.
    fn check_complete(&self, manifest: &RawManifest) -> Result<(), RegistryError> {
        let Ok(parsed) = manifest.parse() else { return Ok(()) };
        let children: &[Descriptor] = match &parsed {
            Manifest::Index { manifests, .. } => manifests,
            Manifest::Image { .. } => &[],
        };
        let blobs = parsed.blobs().filter(|blob| !media_type::is_foreign_layer(&blob.media_type));
        for named in children.iter().chain(blobs) {
            if !self.has_blob(named)? {
                let reason =
                    format!("manifest `{}` names `{}`, which is not there", manifest.digest(), named.digest);
                return Err(wrong(&self.folder(), DirectoryProblem::Damaged, reason));
            }
        }
        Ok(())
    }
}

/// Returns the digest of `bytes`, computed with the algorithm of `like`.
fn digest_by(like: &Digest, bytes: &[u8]) -> Digest {
    let mut digester = like.digester();
    digester.update(bytes);
    digester.finish()
}
