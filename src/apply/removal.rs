//! Removing tags. Each tag is read again just before: if it names what the plan says, it is removed; if it is gone, nothing is
//! done; anything else stops everything. The registry client knows how to remove a tag, and this module decides whether the
//! plan still permits it.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::prepared::Prepared;
use super::progress::Progress;
use crate::connections::tag_digest;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::outcome::ChangeResult;
use crate::model::plan::{Action, Change, RemovalMethod, TagTarget};
use oci_registry::inventory::{Holding, Inventory, Obstacle};
use oci_registry::{Deletion, Inventories, RegistryError, RemovalOutcome, TagListing, remove_tag};
use oci_registry::{Digest, Tag};

/// The number of tags that are read at once if the registry does not list the tags of its manifests.
const READ_AT_ONCE: usize = 16;

/// The removals of one repository, one after the other.
pub(super) struct Removals<'p> {
    it: &'p Prepared<'p>,
    /// The kind of deletion that the registry supports, once it was asked.
    deletion: Option<Deletion>,
    /// The tags by the manifest that they name, once they were read.
    named: Option<BTreeMap<Digest, BTreeSet<Tag>>>,
    /// The manifests that were deleted, each with all its tags.
    deleted: BTreeSet<Digest>,
    /// The inventory of the repository, which is read repeatedly.
    inventories: Inventories,
}

/// The reason why a tag was not removed.
enum Refused {
    /// The registry returned an error.
    Registry(RegistryError),
    /// Tags that the plan does not remove also name the manifest.
    NamedBy(Vec<Tag>),
    /// Something that stays needs the manifest.
    Needed(Obstacle),
}

impl From<RegistryError> for Refused {
    fn from(error: RegistryError) -> Self {
        Self::Registry(error)
    }
}

impl<'p> Removals<'p> {
    /// Starts with `it`, in which nothing was removed yet.
    pub fn new(it: &'p Prepared<'p>) -> Self {
        Self {
            it,
            deletion: None,
            named: None,
            deleted: BTreeSet::new(),
            inventories: Inventories::default(),
        }
    }

    /// Removes the tag of `change`, and notes the result.
    pub async fn remove(
        &mut self,
        position: usize,
        change: &Change,
        progress: &Progress,
    ) -> Result<(), Diagnostic> {
        let it = self.it;
        let note = |result, detail| progress.change(it.position, position, result, detail);
        let (result, diagnostic) = match self.removal(change).await {
            Ok(RemovalOutcome::Removed) => {
                self.inventories.forget_tag(&change.tag);
                note(ChangeResult::Removed, None);
                return Ok(());
            }
            Ok(RemovalOutcome::Absent) => {
                note(ChangeResult::Unchanged, None);
                return Ok(());
            }
            Ok(RemovalOutcome::Moved(found)) => {
                let diagnostic = it.stale(change, Some(&found));
                progress.found(it.position, position, Some(TagTarget::new(found)));
                (ChangeResult::Stale, diagnostic)
            }
            Err(Refused::NamedBy(tags)) => (ChangeResult::Stale, self.named_by(change, &tags)),
            Err(Refused::Needed(obstacle)) => (ChangeResult::Stale, self.needed(change, &obstacle)),
            Err(Refused::Registry(error)) => (ChangeResult::Failed, it.failed_at(&change.tag, &error)),
        };
        note(result, Some(diagnostic.message.clone()));
        Err(diagnostic)
    }

    async fn removal(&mut self, change: &Change) -> Result<RemovalOutcome, Refused> {
        // A plan that removes a tag that names nothing was refused before.
        let Some(expected) = change.present() else { return Ok(RemovalOutcome::Absent) };
        if change.removal == Some(RemovalMethod::Manifest) {
            return self.manifest(&change.tag, expected).await;
        }
        let repository = self.it.repository.as_ref();
        // The registry is asked, not the plan, because some registries delete the manifest with all other tags when they are
        // asked to delete a tag.
        let deletion = match &self.deletion {
            Some(deletion) => deletion,
            None => self.deletion.insert(repository.deletion().await?),
        };
        Ok(remove_tag(repository, &change.tag, expected, deletion).await?)
    }

    /// Deletes the manifest that `tag` names.
    async fn manifest(&mut self, tag: &Tag, expected: &Digest) -> Result<RemovalOutcome, Refused> {
        let found = self.it.tag_digest(tag).await?;
        if found.as_ref().is_some_and(|found| found != expected) {
            return Ok(found.map_or(RemovalOutcome::Absent, RemovalOutcome::Moved));
        }
        if self.deleted.contains(expected) {
            // It was deleted with another tag of the plan. Reading back confirms it.
            return Ok(RemovalOutcome::Removed);
        }
        if found.is_none() {
            return Ok(RemovalOutcome::Absent);
        }
        if let Some(inventory) = self.inventory().await? {
            self.unneeded(&inventory, expected)?;
        } else {
            let others = self.others(expected).await?;
            if !others.is_empty() {
                return Err(Refused::NamedBy(others));
            }
        }
        self.it.repository.delete_manifest(expected).await?;
        self.forget(expected);
        Ok(RemovalOutcome::Removed)
    }

    /// Returns what the repository holds now, or `None` if the registry cannot list it.
    pub(super) async fn inventory(&mut self) -> Result<Option<Inventory>, RegistryError> {
        self.inventories.read(self.it.repository.as_ref()).await
    }

    /// Returns the repository.
    pub(super) fn prepared(&self) -> &'p Prepared<'p> {
        self.it
    }

    /// Returns the manifests that were deleted.
    pub(super) fn deleted(&self) -> &BTreeSet<Digest> {
        &self.deleted
    }

    /// Notes that a manifest was deleted.
    pub(super) fn forget(&mut self, digest: &Digest) {
        self.inventories.forget(digest);
        self.deleted.insert(digest.clone());
    }

    /// Notes that a manifest was put back.
    pub(super) fn remember(&mut self, digest: &Digest) {
        self.inventories.remember(digest);
        self.deleted.remove(digest);
    }

    /// Checks that nothing that stays needs `digest`, because something that was put or tagged since the plan was made may.
    fn unneeded(&self, inventory: &Inventory, digest: &Digest) -> Result<(), Refused> {
        let going: BTreeSet<Tag> = self.going().into_iter().cloned().collect();
        let planned = self.it.planned.changes.iter().filter(|change| going.contains(&change.tag));
        let planned: BTreeSet<&Digest> = planned.filter_map(Change::present).collect();
        let goes = |(digest, holding): &(&Digest, &Holding)| {
            if holding.tags.is_empty() {
                self.it.planned.orphans.contains(digest)
            } else {
                planned.contains(digest)
            }
        };
        let doomed = inventory.manifests().iter().filter(goes).map(|(digest, _)| digest.clone());
        let now = jiff::Timestamp::now().as_second();
        let doomed = inventory.still_removable(doomed.collect(), &going, now);
        match inventory.obstacle(digest, &doomed, &going, now) {
            None => Ok(()),
            Some(Obstacle::Tagged(tags)) => Err(Refused::NamedBy(tags)),
            Some(obstacle) => Err(Refused::Needed(obstacle)),
        }
    }

    /// Returns the tags of the manifest that the plan does not remove, which it got since the plan was made.
    async fn others(&mut self, digest: &Digest) -> Result<Vec<Tag>, RegistryError> {
        let going = self.going();
        let named = match &self.named {
            Some(named) => named,
            None => self.named.insert(self.tags_by_manifest(&going).await?),
        };
        let tags = named.get(digest).into_iter().flatten();
        Ok(tags.filter(|tag| !going.contains(tag)).cloned().collect())
    }

    /// Returns the tags that are removed with their manifests.
    fn going(&self) -> BTreeSet<&'p Tag> {
        let goes = |change: &&Change| {
            change.action == Action::Remove && change.removal == Some(RemovalMethod::Manifest)
        };
        self.it.planned.changes.iter().filter(goes).map(|change| &change.tag).collect()
    }

    /// Returns the tags of the repository by the manifest that they name. Those in `going` may be left out.
    async fn tags_by_manifest(
        &self,
        going: &BTreeSet<&Tag>,
    ) -> Result<BTreeMap<Digest, BTreeSet<Tag>>, RegistryError> {
        let repository = self.it.repository.as_ref();
        if let Some(held) = repository.list_manifests().await? {
            return Ok(held.into_iter().map(|it| (it.digest, it.tags.into_iter().collect())).collect());
        }
        let listing = TagListing::complete(repository.list_tags().await?.into_whole()?);
        let asked: Vec<&Tag> = listing.tags().iter().filter(|tag| !going.contains(tag)).collect();
        let listing = &listing;
        let asked = stream::iter(asked.into_iter().map(|tag| async move {
            let digest = tag_digest(repository, tag, Some(listing)).await?;
            Ok::<_, RegistryError>((digest, tag.clone()))
        }));
        let read: Vec<(Option<Digest>, Tag)> = asked.buffer_unordered(READ_AT_ONCE).try_collect().await?;
        let mut named: BTreeMap<Digest, BTreeSet<Tag>> = BTreeMap::new();
        for (digest, tag) in read {
            if let Some(digest) = digest {
                named.entry(digest).or_default().insert(tag);
            }
        }
        Ok(named)
    }

    fn named_by(&self, change: &Change, tags: &[Tag]) -> Diagnostic {
        let tags = tags.iter().map(|tag| format!("`{tag}`")).collect::<Vec<_>>().join(", ");
        let message = format!(
            "{}:{}: its manifest cannot be deleted: since the plan was made it got another tag, {tags}",
            self.it.planned.name, change.tag
        );
        Diagnostic::error(Code::PlanStale, message).help("make the plan again and approve the new one")
    }

    fn needed(&self, change: &Change, obstacle: &Obstacle) -> Diagnostic {
        let why = match obstacle {
            Obstacle::Reached(by) => format!("{} needs it now", by.short(12)),
            Obstacle::Refers(to) => format!("it refers to {}, which now stays", to.short(12)),
            Obstacle::Unreadable(other) => {
                format!("{} cannot be read and may need it", other.short(12))
            }
            Obstacle::Young | Obstacle::Tagged(_) => "it no longer has a tag and is new".to_owned(),
        };
        let message =
            format!("{}:{}: its manifest cannot be deleted: {why}", self.it.planned.name, change.tag);
        Diagnostic::error(Code::PlanStale, message).help("make the plan again and approve the new one")
    }
}
