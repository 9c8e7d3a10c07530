//! Putting floating tags back after a registry refused one for good, so that no release is half moved: those that this run moved
//! name again what they named before, and those that it created are removed, in every repository.
//!
//! A tag is put back only if it still names what this run put, which is read immediately before. As after every put of a forward
//! tag, the versions are listed again afterwards: the tag goes to what it would name without this run, which is a version that
//! another run published meanwhile, if there is one (docs/adr/0007-two-at-once.md).

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::forward;
use super::options::ApplyOptions;
use super::patience::patiently;
use super::prepared::{Prepared, short};
use super::tags::{TagPut, TagPuts};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::forward::{Held, PlannedForward};
use crate::model::outcome::ChangeResult;
use crate::model::plan::{Change, TagTarget};
use oci_registry::{Digest, READ_PAUSES, RegistryError, RemovalOutcome, TagOrDigest, remove_tag};

/// The number of times that a tag is put again because another run published meanwhile.
const REPAIRS: usize = 8;

/// The end of an attempt to put a tag back.
enum Restoring {
    /// The put of this run never reached the registry.
    NeverPut,
    /// The tag names what it named before.
    Before,
    /// The tag names a version that another run published meanwhile.
    Meanwhile(Held, Digest),
    /// Somebody else put the tag meanwhile; it names this now.
    Taken(Option<Digest>),
}

/// The reason why a tag was not put back.
#[derive(Debug, thiserror::Error)]
enum RestoreError {
    /// The registry returned an error.
    #[error("{0}")]
    Registry(#[from] RegistryError),
    /// The registry no longer has the manifest that the tag named before.
    #[error("the registry no longer has {0}")]
    Gone(String),
    /// The registry took the put, but the tag still names what this run put first.
    #[error("the registry accepted that, but the tag still names {0}")]
    NotTaken(String),
    /// The person wants to stop.
    #[error("interrupted")]
    Interrupted,
}

/// Puts the floating tags back that this run put, those of one repository one after the other, the last one first. Returns a
/// problem for each tag that could not be put back.
pub(super) async fn floating(puts: &TagPuts<'_>) -> Vec<Diagnostic> {
    let mut by_repository: BTreeMap<usize, Vec<TagPut>> = BTreeMap::new();
    for put in puts.floating().into_iter().rev() {
        by_repository.entry(put.repository).or_default().push(put);
    }
    let repositories = by_repository.into_values().map(|of_repository| async move {
        let mut problems = Vec::new();
        for put in &of_repository {
            problems.extend(restore(puts, put).await);
        }
        problems
    });
    join_all(repositories).await.into_iter().flatten().collect()
}

/// Puts one tag back, and notes the result.
async fn restore(puts: &TagPuts<'_>, put: &TagPut) -> Option<Diagnostic> {
    let (options, progress) = (puts.options, puts.progress);
    let it = puts.prepared.get(put.repository)?;
    let change = it.planned.changes.get(put.change)?;
    let note = |result, detail| progress.change(it.position, put.change, result, detail);
    let now_names = |digest: Option<Digest>| {
        progress.found(it.position, put.change, digest.map(TagTarget::new));
    };
    let reason = match (TagRestore { it, change, put, options }).run().await {
        Ok(Restoring::NeverPut) => return None,
        Ok(Restoring::Before) => {
            note(ChangeResult::Restored, put.before.is_none().then(|| "removed again".to_owned()));
            return None;
        }
        Ok(Restoring::Meanwhile(held, digest)) => {
            let newer = is_newer(change, &held);
            now_names(Some(digest));
            if newer {
                note(ChangeResult::Kept, Some(forward::overtaken(&held)));
            } else {
                note(ChangeResult::Restored, Some(format!("{} was published meanwhile", held.tag)));
            }
            return None;
        }
        Ok(Restoring::Taken(digest)) => {
            let detail = format!("kept: somebody moved it to {} meanwhile", short(digest.as_ref()));
            now_names(digest);
            note(ChangeResult::Kept, Some(detail));
            return None;
        }
        Err(reason) => reason,
    };
    progress.detail(it.position, put.change, format!("not restored: {reason}"));
    Some(not_restored(it, change, put, &reason))
}

fn not_restored(it: &Prepared<'_>, change: &Change, put: &TagPut, reason: &RestoreError) -> Diagnostic {
    let (name, tag, wanted) = (&it.planned.name, &change.tag, short(change.wanted()));
    let message = match &put.before {
        Some(before) => {
            format!("{name}:{tag} names {wanted}; it could not be put back to {}: {reason}", before.short(12))
        }
        None => format!("{name}:{tag} names {wanted}; it is new and could not be removed again: {reason}"),
    };
    Diagnostic::error(Code::ApplyNotRestored, message).help(
        "run the same command again once the other problem is fixed: it completes the release; or go back with `rollback` and the record of this run",
    )
}

/// Whether `held` is higher than the version that `change` publishes.
fn is_newer(change: &Change, held: &Held) -> bool {
    matches!(&change.forward, Some(PlannedForward::Version(line)) if held.version > line.version)
}

/// One tag that is put back.
struct TagRestore<'a> {
    it: &'a Prepared<'a>,
    change: &'a Change,
    put: &'a TagPut,
    options: &'a ApplyOptions<'a>,
}

impl TagRestore<'_> {
    async fn run(&self) -> Result<Restoring, RestoreError> {
        let (it, options) = (self.it, self.options);
        // The digest that this run put last, and everything that a read that lags may still show.
        let mut last = self.change.wanted().cloned();
        let mut earlier = vec![self.put.before.clone()];
        let mut confirmed = self.put.confirmed;
        for _ in 0..=REPAIRS {
            if *options.cancel.borrow() {
                return Err(RestoreError::Interrupted);
            }
            let meanwhile = patiently(options, || self.meanwhile()).await?;
            let goal = match &meanwhile {
                Some((_, digest)) => Some(digest.clone()),
                None => self.put.before.clone(),
            };
            // The tag is read immediately before it is put, so its manifest is fetched first.
            let manifest = match &goal {
                Some(digest) if goal != last => patiently(options, || it.manifest(digest)).await?,
                _ => None,
            };
            let found = self.found(last.as_ref(), &earlier, confirmed).await?;
            if let Some((held, digest)) = meanwhile.filter(|(_, digest)| found.as_ref() == Some(digest)) {
                return Ok(Restoring::Meanwhile(held, digest));
            }
            if found == self.put.before && (found == goal || found != last) {
                // If the put was confirmed, somebody else may have put the tag back.
                return Ok(if confirmed { Restoring::Before } else { Restoring::NeverPut });
            }
            if found != last {
                if found.as_ref() == self.change.wanted() {
                    return Err(RestoreError::NotTaken(short(found.as_ref())));
                }
                return Ok(Restoring::Taken(found));
            }
            match (&goal, &found) {
                (Some(digest), _) => {
                    let Some(manifest) = manifest else {
                        return Err(RestoreError::Gone(digest.short(12)));
                    };
                    let at = &TagOrDigest::Tag(self.change.tag.clone());
                    patiently(options, || it.repository.put_manifest(at, &manifest)).await?;
                }
                (None, Some(ours)) => {
                    let repository = it.repository.as_ref();
                    let deletion = repository.deletion().await?;
                    if let RemovalOutcome::Moved(found) =
                        remove_tag(repository, &self.change.tag, ours, &deletion).await?
                    {
                        return Ok(Restoring::Taken(Some(found)));
                    }
                }
                (None, None) => {}
            }
            earlier.push(std::mem::replace(&mut last, goal));
            confirmed = true;
        }
        Ok(Restoring::Taken(last))
    }

    /// Reads the tag. If it names one of `earlier` although the registry confirmed that it took `last`, the read may lag.
    async fn found(
        &self,
        last: Option<&Digest>,
        earlier: &[Option<Digest>],
        confirmed: bool,
    ) -> Result<Option<Digest>, RegistryError> {
        let mut pauses = READ_PAUSES.into_iter();
        loop {
            let found = patiently(self.options, || self.it.tag_digest(&self.change.tag)).await?;
            let may_lag = confirmed && found.as_ref() != last && earlier.contains(&found);
            match pauses.next().filter(|_| may_lag && !*self.options.cancel.borrow()) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Ok(found),
            }
        }
    }

    /// Returns the version that the tag belongs to because another run published it since the plan was made, with its digest: the
    /// highest one, if it is higher than all that the registry held then.
    async fn meanwhile(&self) -> Result<Option<(Held, Digest)>, RegistryError> {
        let Some(PlannedForward::Version(line)) = &self.change.forward else { return Ok(None) };
        let (it, change) = (self.it, self.change);
        let Some(now) = forward::listing(it, [change]).await? else { return Ok(None) };
        let held = self.options.lineage.held(line, &it.planned.resource, &change.tag, now.tags());
        let is_new = |held: &Held| line.highest.as_ref().is_none_or(|known| held.version > *known);
        let highest = held.into_iter().rfind(|held| held.version != line.version).filter(is_new);
        let Some(highest) = highest else { return Ok(None) };
        let digest = it.tag_digest(&highest.tag).await?;
        Ok(digest.map(|digest| (highest, digest)))
    }
}
