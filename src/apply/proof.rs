//! The proof that manifests can be put, before the first tag is put anywhere. A repository that took a manifest by digest in
//! this run has proved it. If all content was there already, a manifest is put by digest once more, which changes nothing.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::prepared::Prepared;
use super::progress::Progress;
use crate::diagnostic::{Diagnostic, ToDiagnostic};
use crate::model::plan::{Action, Change};
use oci_registry::{Digest, RegistryError, RegistryLocation, TagOrDigest};

/// Puts a manifest by digest in each repository in which a tag is to be put, unless it took one in this run. `pending` are the
/// positions of the repositories in which something is left to do.
pub(super) async fn show(
    prepared: &[Prepared<'_>],
    pending: &BTreeSet<usize>,
    progress: &Progress,
) -> Result<(), Vec<Diagnostic>> {
    let unproved = prepared.iter().filter(|it| {
        let is_remote = matches!(it.endpoint.url, RegistryLocation::Http { .. });
        is_remote && pending.contains(&it.position) && !progress.has_put_manifests(it.position)
    });
    let wanted = unproved.filter_map(|it| Some((it, wanted(it.planned.changes.iter())?)));
    let asked = wanted.map(|(it, digest)| async move { (it, put(it, digest).await) });
    let problems = join_all(asked).await.into_iter().filter_map(|(it, result)| {
        let diagnostic = result.err()?.to_diagnostic();
        let name = &it.planned.name;
        Some(diagnostic.about(format_args!("{name}: cannot put a manifest, so no tag was moved")))
    });
    let problems: Vec<Diagnostic> = problems.collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Returns the digest that the first tag to be put will name.
fn wanted<'p>(mut changes: impl Iterator<Item = &'p Change>) -> Option<&'p Digest> {
    let put = changes.find(|change| matches!(change.action, Action::Create | Action::Move));
    put.and_then(Change::wanted)
}

async fn put(it: &Prepared<'_>, digest: &Digest) -> Result<(), RegistryError> {
    // If it is gone, its tags report that.
    let Some(manifest) = it.manifest(digest).await? else { return Ok(()) };
    match it.repository.put_manifest(&TagOrDigest::Digest(digest.clone()), &manifest).await {
        // A registry may refuse a manifest that it has. Only its tags can show more.
        Ok(_) | Err(RegistryError::Rejected(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
