//! Moving tags, each read again just before: found as planned it moves, found as wanted it is left, anything else is
//! stale and stops everything.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;

use super::check::{Prepared, Standing, stale_diagnostic, standing};
use super::{Options, progress::Progress};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::outcome::ChangeResult;
use crate::model::plan::{Action, Change, TagTarget};
use crate::model::{Mutability, TagOrDigest};

/// Puts the tags whose mutability is `of_stage`: repositories side by side, the tags of one after each other.
/// Tells whether all were come to, or the person stopped it.
pub(super) async fn put(
    prepared: &[Prepared<'_>],
    options: &Options<'_>,
    progress: &Progress,
    of_stage: impl Fn(Mutability) -> bool + Copy,
) -> Result<bool, Vec<Diagnostic>> {
    let (stop, interrupted) = (AtomicBool::new(false), AtomicBool::new(false));
    let (stop, interrupted) = (&stop, &interrupted);
    let repositories = prepared.iter().map(|it| async move {
        let mut problems = Vec::new();
        for (position, change) in it.planned.changes.iter().enumerate() {
            if !change.action.is_change() || !of_stage(change.mutability) {
                continue;
            }
            if stop.load(Ordering::SeqCst) {
                break;
            }
            if *options.cancel.borrow() {
                interrupted.store(true, Ordering::SeqCst);
                break;
            }
            if let Err(diagnostic) = put_one(it, position, change, progress).await {
                stop.store(true, Ordering::SeqCst);
                problems.push(diagnostic);
            }
        }
        problems
    });
    let problems: Vec<Diagnostic> = join_all(repositories).await.into_iter().flatten().collect();
    if problems.is_empty() { Ok(!interrupted.load(Ordering::SeqCst)) } else { Err(problems) }
}

async fn put_one(
    it: &Prepared<'_>,
    position: usize,
    change: &Change,
    progress: &Progress,
) -> Result<(), Diagnostic> {
    let name = &it.planned.name;
    let note = |result, detail: Option<String>| progress.change(it.position, position, result, detail);
    let failed = |diagnostic: Diagnostic| {
        note(ChangeResult::Failed, Some(diagnostic.message.clone()));
        diagnostic
    };
    let at_tag = |mut diagnostic: Diagnostic| {
        diagnostic.message = format!("{name}:{}: {}", change.tag, diagnostic.message);
        failed(diagnostic)
    };
    match standing(it.repository.as_ref(), change).await.map_err(|error| at_tag(error.to_diagnostic()))? {
        Standing::AsPlanned => {}
        Standing::AsWanted => {
            note(ChangeResult::Unchanged, None);
            return Ok(());
        }
        Standing::Stale(found) => {
            let diagnostic = stale_diagnostic(name, change, found.as_ref());
            progress.found(it.position, position, found.map(TagTarget::new));
            note(ChangeResult::Stale, Some(diagnostic.message.clone()));
            return Err(diagnostic);
        }
    }
    let root = it.content.content.manifests.iter().find(|manifest| *manifest.digest() == change.after.digest);
    let Some(root) = root else {
        let message = format!(
            "{name}:{}: the plan wants {}, which its source does not hold",
            change.tag, change.after.digest
        );
        return Err(failed(Diagnostic::error(Code::PlanFile, message).help("make the plan again")));
    };
    let put = it.repository.put_manifest(&TagOrDigest::Tag(change.tag.clone()), root).await;
    put.map_err(|error| at_tag(error.to_diagnostic()))?;
    note(if change.action == Action::Create { ChangeResult::Created } else { ChangeResult::Moved }, None);
    Ok(())
}
