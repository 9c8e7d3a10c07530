//! Removing one tag, whatever the registry can delete: [`remove_tag`].

use super::{Deletion, ReadWriteRepository, RegistryError};
use crate::model::{Digest, Tag, TagOrDigest};

/// What became of a tag that was to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// It is gone; the manifest's other tags stand.
    Removed,
    /// It was not there.
    Absent,
    /// It names this manifest by now, not the expected one, and was left alone.
    Moved(Digest),
}

/// Removes `tag` where it names `expected`, and nothing else: the manifest's other tags stay. `deletion` is
/// what [`super::DeleteRepository::deletion`] said.
///
/// # Errors
///
/// Whatever the registry refuses.
pub async fn remove_tag(
    repository: &dyn ReadWriteRepository,
    tag: &Tag,
    expected: &Digest,
    _deletion: &Deletion,
) -> Result<Removal, RegistryError> {
    let at = TagOrDigest::Tag(tag.clone());
    match repository.head_manifest(&at).await? {
        None => return Ok(Removal::Absent),
        Some(found) if found.digest != *expected => return Ok(Removal::Moved(found.digest)),
        Some(_) => {}
    }
    repository.delete_tag(tag).await?;
    Ok(Removal::Removed)
}
