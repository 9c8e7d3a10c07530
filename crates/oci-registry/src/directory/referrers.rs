//! The referrers of a manifest in a layout: an index at the fallback tag lists them, as in registries without a list of
//! their own (distribution-spec 1.1, "Referrers Tag Schema"). The image specification defines nothing for layouts;
//! regclient and oras read this index.

use super::blobs::make_folder;
use super::index::LayoutIndex;
use super::layout::RepositoryLayout;
use super::{draft, wrong};
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::error::{DirectoryProblem, RegistryError};
use crate::manifest::RawManifest;
use crate::referrer::{describe, fallback_tag, subject_of, with_referrers};
use crate::tag::Tag;

impl RepositoryLayout {
    /// Lists `manifest` under its subject, if it has one, and returns the subject. Holds the lock, so that no entry of
    /// another writer is lost.
    pub(super) fn list_referrer(&self, manifest: &RawManifest) -> Result<Option<Digest>, RegistryError> {
        let Some(subject) = subject_of(manifest) else { return Ok(None) };
        let Some(tag) = fallback_tag(&subject) else { return Ok(None) };
        let referrer = describe(manifest);
        self.change_index_and(|index| self.list_in(index, &tag, &subject, &referrer), |listed| listed)?;
        Ok(Some(subject))
    }

    fn list_in(
        &self,
        index: &mut LayoutIndex,
        tag: &Tag,
        subject: &Digest,
        referrer: &Descriptor,
    ) -> Result<(), RegistryError> {
        let damaged = |reason: String| wrong(&self.folder(), DirectoryProblem::Damaged, reason);
        let present = match index.find(tag).map_err(damaged)? {
            None => None,
            Some(entry) => {
                let bytes = self.read_manifest(&entry.digest)?.ok_or_else(|| {
                    damaged(format!("tag `{tag}` names `{}`, which is not there", entry.digest))
                })?;
                Some(RawManifest::new(entry.media_type, bytes))
            }
        };
        let list = with_referrers(present.as_ref(), subject, std::slice::from_ref(referrer))
            .map_err(|reason| RegistryError::NotListed { tag: tag.clone(), reason })?;
        if let Some(list) = list {
            let place = self.blob(list.digest());
            make_folder(&place)?;
            draft::write(&self.folder(), &place, list.bytes())?;
            index.point(tag, &list.descriptor());
        }
        Ok(())
    }
}
