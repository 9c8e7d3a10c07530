//! The question which manifest a tag names. An absence is believed only if nobody contradicts it: registries are known
//! that answer HEAD with 404 for tags that exist, and with 403 for tags that do not (crazy-max/diun#1614,
//! google/go-containerregistry#971).

use crate::digest::Digest;
use crate::error::RegistryError;
use crate::reference::TagOrDigest;
use crate::repository::Repository;
use crate::tag::Tag;
use crate::tag_listing::TagListing;

/// The answer to the question which manifest a tag names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagLookup {
    /// The tag names this manifest.
    Names(Digest),
    /// There is no such tag: GET says so, and no list has it.
    Absent,
    /// The registry lists the tag, but has no manifest for it.
    Dangling,
}

impl TagLookup {
    /// Returns the digest of the manifest that the tag names.
    pub fn found(self) -> Option<Digest> {
        match self {
            Self::Names(digest) => Some(digest),
            Self::Absent | Self::Dangling => None,
        }
    }
}

impl dyn Repository + '_ {
    /// Returns the manifest that `tag` names. `listing` is the list of tags, if one was read.
    ///
    /// A tag that exists costs one HEAD. GET is the second witness for a tag that HEAD does not find, and the only one
    /// for a tag that `listing` lacks, because GET also shows an answer that is not the registry's. If the registry
    /// refuses to say (403) and lists its tags without this one, the tag is absent.
    ///
    /// # Errors
    ///
    /// The refusal of the registry, if neither HEAD nor GET nor the list settles it.
    pub async fn look_up_tag(
        &self,
        tag: &Tag,
        listing: Option<&TagListing>,
    ) -> Result<TagLookup, RegistryError> {
        let listed = listing.map(|listing| listing.contains(tag));
        if listed != Some(false) {
            match self.head_manifest(&TagOrDigest::Tag(tag.clone())).await {
                Ok(Some(descriptor)) => return Ok(TagLookup::Names(descriptor.digest)),
                Ok(None) | Err(RegistryError::Denied(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.look_up_absent_tag(tag, listing).await
    }

    /// Returns the manifest that `tag` names, as `look_up_tag` does, for a tag that is expected to be absent.
    /// It costs one GET.
    ///
    /// # Errors
    ///
    /// The refusal of the registry, if neither GET nor the list settles it.
    pub async fn look_up_absent_tag(
        &self,
        tag: &Tag,
        listing: Option<&TagListing>,
    ) -> Result<TagLookup, RegistryError> {
        match self.get_manifest(&TagOrDigest::Tag(tag.clone())).await {
            Ok(Some(manifest)) => Ok(TagLookup::Names(manifest.digest().clone())),
            Ok(None) if listing.is_some_and(|listing| listing.contains(tag)) => Ok(TagLookup::Dangling),
            Ok(None) => Ok(TagLookup::Absent),
            Err(error @ RegistryError::Denied(_)) => {
                let read;
                let listing = if let Some(listing) = listing {
                    listing
                } else {
                    read = self.list_tags().await.map_err(|_| error.clone())?;
                    &read
                };
                let lacks = listing.gap([]).is_none() && !listing.contains(tag);
                if lacks { Ok(TagLookup::Absent) } else { Err(error) }
            }
            Err(error) => Err(error),
        }
    }

    /// Returns whether the repository has the manifest `at`. A registry that answers 403 for content that it does not
    /// have is believed not to have it: at worst, the manifest is put again, and the registry then says what it refuses.
    ///
    /// # Errors
    ///
    /// Any other failure.
    pub async fn holds_manifest(&self, at: &TagOrDigest) -> Result<bool, RegistryError> {
        match self.head_manifest(at).await {
            Ok(found) => Ok(found.is_some()),
            Err(RegistryError::Denied(_)) => match self.get_manifest(at).await {
                Ok(found) => Ok(found.is_some()),
                Err(RegistryError::Denied(_)) => Ok(false),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        }
    }
}
