//! Putting the floating tags of a repository in one request, if its registry can (distribution-spec, end-7b). So they move all at once,
//! or none of them does.
//!
//! Each tag is read and decided about first, as if it were put alone. The registry is believed about the tags that it repeats in its
//! answer, until they are read back. All others are put one by one, and read again before.

use std::collections::{BTreeMap, BTreeSet};

use super::tags::{DueTag, TagDecision, TagPuts};
use crate::diagnostic::Diagnostic;
use crate::model::Mutability;
use crate::model::outcome::ChangeResult;
use crate::model::plan::Change;
use oci_registry::{Digest, Tag};

/// The tags of a repository that were handled together.
#[derive(Default)]
pub(super) struct PutTogether {
    done: BTreeSet<usize>,
    sent: BTreeMap<usize, usize>,
}

impl PutTogether {
    /// Whether nothing is left to do for the change at this position.
    pub fn is_done(&self, change: usize) -> bool {
        self.done.contains(&change)
    }

    /// Returns the record of the put of the change at this position, if it was sent and the registry did not confirm it.
    pub fn sent(&self, change: usize) -> Option<usize> {
        self.sent.get(&change).copied()
    }
}

impl TagPuts<'_> {
    /// Puts those of `changes` together that are due and will name the same digest, if they are floating and more than one.
    pub(super) async fn put_together(
        &self,
        repository: usize,
        changes: &[(usize, &Change)],
    ) -> Result<PutTogether, Diagnostic> {
        let mut together = PutTogether::default();
        let Some(it) = self.prepared.get(repository).filter(|it| it.repository.may_put_tags()) else {
            return Ok(together);
        };
        let mut groups: BTreeMap<&Digest, Vec<(usize, &Change)>> = BTreeMap::new();
        for (position, change) in changes {
            let floating = change.mutability != Mutability::Immutable;
            if let Some(wanted) = change.wanted().filter(|_| floating) {
                groups.entry(wanted).or_default().push((*position, *change));
            }
        }
        for group in groups.into_values().filter(|group| group.len() > 1) {
            let mut due: Vec<(usize, &Change, DueTag)> = Vec::new();
            for (position, change) in group {
                match self.decide(repository, position, change).await? {
                    TagDecision::Put(tag) => due.push((position, change, tag)),
                    TagDecision::Kept => drop(together.done.insert(position)),
                    TagDecision::AsWanted => {
                        self.progress.change(it.position, position, ChangeResult::Unchanged, None);
                        together.done.insert(position);
                    }
                }
            }
            // One tag is put as ever.
            let Some((_, _, first)) = due.first().filter(|_| due.len() > 1) else { continue };
            let tags: Vec<Tag> = due.iter().map(|(_, change, _)| change.tag.clone()).collect();
            let puts: Vec<usize> =
                due.iter().map(|(position, _, tag)| self.begin(tag.put(repository, *position))).collect();
            let taken = it.repository.put_tags(&first.manifest, &tags).await.unwrap_or_else(|error| {
                // The refusal of each tag says more than this one.
                tracing::debug!(%error, "the tags were not put together: putting them one by one");
                Vec::new()
            });
            for ((position, change, tag), put) in due.into_iter().zip(puts) {
                if taken.contains(&change.tag) {
                    self.confirm(put);
                    self.progress.put_together(it.position, position);
                    self.note_put(it, position, change, tag.as_planned, tag.detail);
                    together.done.insert(position);
                } else {
                    together.sent.insert(position, put);
                }
            }
        }
        Ok(together)
    }
}
