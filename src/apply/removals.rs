//! The removal of the tags that go, in all repositories.

use std::sync::atomic::Ordering;

use futures_util::future::join_all;

use super::options::ApplyOptions;
use super::orphans;
use super::prepared::Prepared;
use super::progress::Progress;
use super::removal::Removals;
use super::signals::Signals;
use crate::diagnostic::Diagnostic;
use crate::model::plan::Action;

/// Removes the tags that go, and then the manifests that only they reached: repositories in parallel. Returns false if the person
/// stopped it before all were tried.
pub(super) async fn remove(
    prepared: &[Prepared<'_>],
    options: &ApplyOptions<'_>,
    progress: &Progress,
) -> Result<bool, Vec<Diagnostic>> {
    let signals = &Signals::default();
    let repositories = prepared.iter().map(|it| async move {
        let changes = it.planned.changes.iter().enumerate();
        let going = changes.filter(|(_, change)| change.action == Action::Remove);
        let (mut removals, mut any) = (Removals::new(it), false);
        for (position, change) in going {
            if signals.ends(options) {
                return None;
            }
            any = true;
            if let Err(diagnostic) = removals.remove(position, change, progress).await {
                signals.stop();
                return Some(diagnostic);
            }
        }
        if (!any && it.planned.orphans.is_empty()) || signals.ends(options) {
            return None;
        }
        match orphans::delete(&mut removals, options, progress).await {
            Ok(all) => {
                signals.interrupted.fetch_or(!all, Ordering::SeqCst);
                None
            }
            Err(diagnostic) => {
                signals.stop();
                Some(diagnostic)
            }
        }
    });
    signals.result(join_all(repositories).await.into_iter().flatten().collect())
}
