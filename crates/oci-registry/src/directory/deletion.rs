//! Removing tags and manifests from a layout. Blobs that no manifest needs any more are left to a garbage collector
//! such as `umoci gc`.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;

use super::layout::RepositoryLayout;
use super::{draft, error};
use crate::digest::Digest;
use crate::error::RegistryError;
use crate::http::inner_type;
use crate::manifest::{Manifest, RawManifest};
use crate::repository::HeldManifest;
use crate::tag::Tag;

impl RepositoryLayout {
    /// Removes `tag`; its manifest stays.
    pub(super) fn delete_tag(&self, tag: &Tag) -> Result<(), RegistryError> {
        if self.exists()? { self.change_index(|index| index.untag(tag)) } else { Ok(()) }
    }

    /// Removes a manifest and its tags, and also its file unless a listed index names it.
    pub(super) fn delete_manifest(&self, digest: &Digest) -> Result<(), RegistryError> {
        if !self.exists()? {
            return Ok(());
        }
        // The file is removed after the entries, so that a kill in between leaves no entry without its file. Both
        // happen under the same lock, so that nobody tags the manifest in between.
        self.change_index_and(
            |index| {
                index.forget(digest);
                let listed = index.manifests();
                self.named_by(listed.into_iter().map(|(digest, _)| digest).collect())
            },
            |named| {
                let path = self.blob(digest);
                if named.contains(digest) {
                    return Ok(());
                }
                match fs::remove_file(&path) {
                    Ok(()) => draft::make_durable(path.parent().unwrap_or(&path)),
                    Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(()),
                    Err(cause) => Err(error(&path, cause)),
                }
            },
        )
    }

    /// Returns every digest that the manifests in `open` name, directly or through other manifests.
    fn named_by(&self, mut open: Vec<Digest>) -> HashSet<Digest> {
        let (mut named, mut seen) = (HashSet::new(), HashSet::new());
        while let Some(digest) = open.pop() {
            if !seen.insert(digest.clone()) {
                continue;
            }
            let Ok(Some(bytes)) = self.read_manifest(&digest) else { continue };
            let Some(media_type) = inner_type(&bytes) else { continue };
            match RawManifest::new(media_type, bytes).parse() {
                Ok(Manifest::Index { manifests, .. }) => {
                    named.extend(manifests.iter().map(|child| child.digest.clone()));
                    open.extend(manifests.into_iter().map(|child| child.digest));
                }
                Ok(image) => named.extend(image.blobs().map(|blob| blob.digest.clone())),
                Err(_) => {}
            }
        }
        named
    }

    /// Returns every listed manifest. The time of its file is the time at which it was put.
    pub(super) fn list_manifests(&self) -> Result<Vec<HeldManifest>, RegistryError> {
        if !self.exists()? {
            return Ok(Vec::new());
        }
        let manifests = self.index()?.manifests();
        let held = |(digest, tags): (Digest, Vec<Tag>)| {
            let created = self.put_at(&digest);
            HeldManifest { digest, tags, created }
        };
        Ok(manifests.into_iter().map(held).collect())
    }

    /// The time of the file of a manifest, in seconds since 1970, if the file system knows it.
    fn put_at(&self, digest: &Digest) -> Option<i64> {
        let modified = fs::metadata(self.blob(digest)).ok()?.modified().ok()?;
        let since = modified.duration_since(std::time::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_secs()).ok()
    }
}
