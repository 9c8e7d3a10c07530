//! The list of the tags of a repository, and what shows whether it is complete.

use std::collections::HashSet;

use crate::error::RegistryError;
use crate::tag::Tag;

/// The tags of a repository, in the order of the registry, and the reason why some may be missing.
///
/// Registries cut their lists in many ways without saying so, so an absence from a list proves something only if
/// [`TagListing::gap`] returns nothing.
#[derive(Debug, Clone, Default)]
pub struct TagListing {
    tags: Vec<Tag>,
    names: HashSet<Tag>,
    gap: Option<ListingGap>,
}

/// The reason why a list may lack tags.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ListingGap {
    /// The registry answers 404: the repository does not exist, or the registry lists no tags.
    #[error("the registry has no list of tags: {0}")]
    NotFound(#[source] Box<RegistryError>),
    /// The registry refuses to list the tags, or some of them.
    #[error("the registry does not list every tag: {0}")]
    Refused(#[source] Box<RegistryError>),
    /// The list ends without showing that it is whole.
    #[error("{request}: {reason}")]
    Cut {
        /// `METHOD url` of the last page.
        request: String,
        /// The sign that tags may be missing.
        reason: String,
    },
    /// A tag exists that is not in the list.
    #[error("the list lacks `{0}`, which exists")]
    Lacks(Tag),
}

impl TagListing {
    /// Returns the list of `tags`, which may lack some for the reason `gap`.
    pub fn new(tags: Vec<Tag>, gap: Option<ListingGap>) -> Self {
        let names = tags.iter().cloned().collect();
        Self { tags, names, gap }
    }

    /// Returns a list that is known to be whole.
    pub fn complete(tags: Vec<Tag>) -> Self {
        Self::new(tags, None)
    }

    /// The tags, in the order of the registry.
    pub fn tags(&self) -> &[Tag] {
        &self.tags
    }

    /// Whether the list has `tag`.
    pub fn contains(&self, tag: &Tag) -> bool {
        self.names.contains(tag)
    }

    /// Whether no tag is listed. It does not follow that there is none: see [`TagListing::gap`].
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// Returns the reason why tags may be missing. `existing` are tags that are known to exist: if there is one, a
    /// registry that answers 404 has the repository, and a list without it is not whole.
    pub fn gap<'t>(&self, existing: impl IntoIterator<Item = &'t Tag>) -> Option<ListingGap> {
        let mut existing = existing.into_iter().peekable();
        match &self.gap {
            Some(ListingGap::NotFound(_)) if existing.peek().is_none() => None,
            Some(gap) => Some(gap.clone()),
            None => existing.find(|tag| !self.contains(tag)).map(|tag| ListingGap::Lacks(tag.clone())),
        }
    }

    /// Returns the tags if the list is whole, for work that must not miss one.
    ///
    /// # Errors
    ///
    /// The refusal of the registry, or [`RegistryError::Protocol`] if the list is cut.
    pub fn into_whole(self) -> Result<Vec<Tag>, RegistryError> {
        match self.gap {
            None => Ok(self.tags),
            Some(ListingGap::NotFound(_)) if self.tags.is_empty() => Ok(Vec::new()),
            Some(ListingGap::NotFound(error) | ListingGap::Refused(error)) => Err(*error),
            Some(ListingGap::Cut { request, reason }) => Err(RegistryError::Protocol { request, reason }),
            Some(gap @ ListingGap::Lacks(_)) => {
                let request = "GET tags/list".to_owned();
                Err(RegistryError::Protocol { request, reason: gap.to_string() })
            }
        }
    }

    /// Whether the registry refused to list tags although one of `existing` exists.
    pub fn is_refused<'t>(&self, existing: impl IntoIterator<Item = &'t Tag>) -> bool {
        let refused = matches!(self.gap, Some(ListingGap::NotFound(_) | ListingGap::Refused(_)));
        refused && self.tags.is_empty() && existing.into_iter().next().is_some()
    }

    /// Whether the registry says that it does not know the repository: 404 with the code `NAME_UNKNOWN`, which is about the
    /// repository. A 404 without it may only mean that the registry lists no tags.
    pub fn is_of_unknown_repository(&self) -> bool {
        let Some(ListingGap::NotFound(error)) = &self.gap else { return false };
        self.tags.is_empty() && error.refusal().is_some_and(|refusal| refusal.errors.has_code("NAME_UNKNOWN"))
    }

    /// Returns the refusal of a registry that lists nothing.
    pub fn refusal(&self) -> Option<&RegistryError> {
        match &self.gap {
            Some(ListingGap::Refused(error)) if self.tags.is_empty() => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_whole_only_if_nothing_contradicts_it() {
        let tag = |text: &str| text.parse::<Tag>().expect("a tag");
        let cut = ListingGap::Cut { request: "GET x".to_owned(), reason: "it ends at 100".to_owned() };
        let refused = RegistryError::Protocol { request: "GET x".to_owned(), reason: "404".to_owned() };
        let missing = ListingGap::NotFound(Box::new(refused));
        for (listed, gap, existing, expected) in [
            (vec!["a"], None, vec!["a"], None),
            (vec!["a"], None, vec![], None),
            (vec!["a"], None, vec!["a", "b"], Some("the list lacks `b`, which exists")),
            (vec!["a"], Some(cut), vec!["a"], Some("GET x: it ends at 100")),
            (vec![], Some(missing.clone()), vec![], None),
            (vec![], Some(missing), vec!["a"], Some("the registry has no list of tags: GET x: 404")),
        ] {
            let listing = TagListing::new(listed.into_iter().map(tag).collect(), gap);
            let existing: Vec<Tag> = existing.into_iter().map(tag).collect();
            assert_eq!(listing.gap(&existing).map(|gap| gap.to_string()).as_deref(), expected);
        }
    }
}
