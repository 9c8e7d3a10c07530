//! The lists of tags that decide about forward tags: one for each repository, read before the first tag is put anywhere.
//!
//! A repository that the registry did not know when the plan was made has no tags to list yet, and a 404 is a weak witness. Its list is
//! read after its immutable tags were put: a list that has those shows that it works, and that the floating tags that it lacks do not
//! exist. So it takes one request in place of one for each floating tag, and is younger than a list from before.

use std::sync::OnceLock;

use futures_util::future::join_all;

use super::forward;
use super::options::ApplyOptions;
use super::prepared::Prepared;
use super::progress::Progress;
use crate::diagnostic::Diagnostic;
use crate::model::Mutability;
use crate::model::outcome::ChangeResult;
use crate::model::plan::{Action, Change};
use oci_registry::{RegistryError, Tag, TagListing};

/// The list of the tags of each repository of an apply, by its position in the list of prepared repositories.
pub(super) struct TagLists(Vec<TagsOfRepository>);

enum TagsOfRepository {
    /// Nothing depends on them.
    NotNeeded,
    /// They were listed before the first tag was put.
    Listed(TagListing),
    /// The registry did not know the repository; they are listed once its immutable tags are there.
    New(OnceLock<NewTags>),
}

/// The tags of a repository that this run created.
struct NewTags {
    listing: TagListing,
    /// Whether the list has the tags that this run put, and shows that it is whole.
    is_proof: bool,
}

impl TagLists {
    /// Reads the lists. One that cannot be read stops everything.
    pub async fn read(
        prepared: &[Prepared<'_>],
        options: &ApplyOptions<'_>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let asked = prepared.iter().map(|it| async move {
            if is_new(it, options) {
                return Ok(TagsOfRepository::New(OnceLock::new()));
            }
            let listed = listing(it).await.map_err(|error| it.failed(&error))?;
            Ok(listed.map_or(TagsOfRepository::NotNeeded, TagsOfRepository::Listed))
        });
        whole(join_all(asked).await).map(Self)
    }

    /// Reads the lists of the repositories that this run created, now that their immutable tags are there.
    pub async fn read_new(
        &self,
        prepared: &[Prepared<'_>],
        progress: &Progress,
    ) -> Result<(), Vec<Diagnostic>> {
        let asked = self.0.iter().zip(prepared).map(|(tags, it)| async move {
            let TagsOfRepository::New(new) = tags else { return Ok(()) };
            let Some(listing) = listing(it).await.map_err(|error| it.failed(&error))? else { return Ok(()) };
            let put: Vec<&Tag> = immutable(it)
                .filter(|(position, _)| {
                    let result = progress.result(it.position, *position);
                    matches!(
                        result,
                        Some(ChangeResult::Created | ChangeResult::Moved | ChangeResult::Unchanged)
                    )
                })
                .map(|(_, change)| &change.tag)
                .collect();
            let is_proof = !put.is_empty() && listing.gap(put).is_none();
            // Nobody else sets it.
            let _ = new.set(NewTags { listing, is_proof });
            Ok(())
        });
        whole(join_all(asked).await).map(drop)
    }

    /// Whether the registry did not know the repository when the plan was made.
    pub fn is_new(&self, repository: usize) -> bool {
        matches!(self.0.get(repository), Some(TagsOfRepository::New(_)))
    }

    /// Returns the tags of a repository, if anything depends on them.
    pub fn of(&self, repository: usize) -> Option<&TagListing> {
        match self.0.get(repository)? {
            TagsOfRepository::NotNeeded => None,
            TagsOfRepository::Listed(listing) => Some(listing),
            TagsOfRepository::New(new) => new.get().map(|new| &new.listing),
        }
    }

    /// Whether the list of a repository that this run created shows that the floating tag of `change` does not exist, as planned.
    pub fn shows_absence(&self, repository: usize, change: &Change) -> bool {
        let Some(TagsOfRepository::New(new)) = self.0.get(repository) else { return false };
        let is_floating = change.mutability != Mutability::Immutable && change.before.is_none();
        is_floating && new.get().is_some_and(|new| new.is_proof && !new.listing.contains(&change.tag))
    }
}

/// Whether the run that made the plan saw that the registry does not know the repository, which gets immutable tags and floating ones.
fn is_new(it: &Prepared<'_>, options: &ApplyOptions<'_>) -> bool {
    let seen = it.observed.filter(|_| !options.tags_are_old && !options.saved);
    let unknown = seen.is_some_and(|seen| {
        seen.tags.is_empty() && seen.listing.as_ref().is_some_and(TagListing::is_of_unknown_repository)
    });
    unknown && immutable(it).next().is_some()
}

/// The changes that put an immutable tag, with their positions.
fn immutable<'p>(it: &Prepared<'p>) -> impl Iterator<Item = (usize, &'p Change)> {
    it.planned.changes.iter().enumerate().filter(|(_, change)| {
        change.mutability == Mutability::Immutable && matches!(change.action, Action::Create | Action::Move)
    })
}

async fn listing(it: &Prepared<'_>) -> Result<Option<TagListing>, RegistryError> {
    forward::listing(it, it.planned.changes.iter().filter(|change| change.action.is_change())).await
}

/// Returns all values, or all problems.
fn whole<T>(results: Vec<Result<T, Diagnostic>>) -> Result<Vec<T>, Vec<Diagnostic>> {
    let (mut values, mut problems) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(diagnostic) => problems.push(diagnostic),
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}
