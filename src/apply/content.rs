//! Placing content in every registry. Each blob is read once for all repositories that lack it, pushed once to each registry,
//! and mounted in the other repositories of that registry. If the source is read from a repository in the same registry, the
//! blob is mounted from there. Then the manifests are put, children before parents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use futures_util::{StreamExt, stream};

use super::belief::Belief;
use super::body::{self, SharedBody};
use super::options::Options;
use super::prepared::Prepared;
use super::progress::Progress;
use super::referrers::{self, Unlisted};
use crate::content::Published;
use crate::diagnostic::Diagnostic;
use crate::event::{Event, Placed};
use crate::model::plan::{Action, Change, Reason};
use oci_content::Source;
use oci_registry::{BlobOutcome, RegistryError};
use oci_registry::{Descriptor, Digest, RawManifest, RepositoryName, media_type};

/// The pauses before looking again for content that a registry had and now misses. When two clients push the same blobs at
/// once, the registry may report a blob before a manifest can name it.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_millis(700), Duration::from_secs(2)];

/// A blob, and the repositories that should hold it.
struct Placement<'a> {
    blob: &'a Descriptor,
    source: &'a Arc<dyn Source>,
    targets: Vec<&'a Prepared<'a>>,
}

/// Places the content of every repository in which a tag will change.
pub(super) async fn place(
    prepared: &[Prepared<'_>],
    options: &Options<'_>,
    progress: &Progress,
) -> Result<(), Vec<Diagnostic>> {
    for it in prepared.iter().filter(|it| !it.planned.places_content()) {
        let stands = |change: &Change| change.action == Action::NoOp || change.reason == Reason::KeptFirst;
        if it.planned.changes.iter().any(stands) {
            progress.complete(it.position);
        }
    }
    let changing: Vec<&Prepared<'_>> = prepared.iter().filter(|it| it.planned.places_content()).collect();
    let mut incomplete: Vec<(&Prepared<'_>, &Published)> =
        changing.into_iter().filter_map(|it| Some((it, it.content.as_deref()?))).collect();
    let (mut pauses, mut belief) = (PAUSES.into_iter(), Belief::Observed);
    loop {
        blobs(&incomplete, belief, options, progress).await?;
        let manifests = join_all(incomplete.iter().map(|(it, published)| async move {
            manifests(it, published, belief, progress).await.map_err(|error| (*it, error))
        }));
        let problems: Vec<_> = manifests.await.into_iter().filter_map(Result::err).collect();
        let passing = problems.iter().all(|(_, error)| error.misses_content());
        match pauses.next().filter(|_| passing && !problems.is_empty()) {
            Some(pause) => {
                // The other repositories are complete.
                incomplete
                    .retain(|(it, _)| problems.iter().any(|(failed, _)| failed.position == it.position));
                tokio::time::sleep(pause).await;
                // In the last round the registry is no longer believed.
                belief = if pauses.as_slice().is_empty() { Belief::Nothing } else { Belief::Registry };
            }
            None if problems.is_empty() => return Ok(()),
            None => return Err(problems.iter().map(|(it, error)| it.failed(error)).collect()),
        }
    }
}

async fn blobs(
    incomplete: &[(&Prepared<'_>, &Published)],
    belief: Belief,
    options: &Options<'_>,
    progress: &Progress,
) -> Result<(), Vec<Diagnostic>> {
    let mut placements: BTreeMap<&Digest, Placement<'_>> = BTreeMap::new();
    for (it, published) in incomplete {
        let referrers = referrers::planned(it, published).into_iter().flat_map(|it| &it.content.blobs);
        let mut placed = BTreeSet::new();
        for blob in published.content.blobs.iter().chain(referrers) {
            // Artifacts share the empty configuration.
            if placed.insert(&blob.digest) {
                let new = || Placement { blob, source: &published.source, targets: Vec::new() };
                placements.entry(&blob.digest).or_insert_with(new).targets.push(it);
            }
        }
    }
    // The largest first, so that the slowest blob does not begin last.
    let mut placements: Vec<Placement<'_>> = placements.into_values().collect();
    placements.sort_by_key(|placement| std::cmp::Reverse(placement.blob.size));
    let stop = AtomicBool::new(false);
    let stop = &stop;
    let problems: Vec<Vec<Diagnostic>> = stream::iter(placements)
        .map(|placement| async move {
            if stop.load(Ordering::SeqCst) {
                return Vec::new();
            }
            let problems = place_blob(&placement, belief, options, progress).await;
            if !problems.is_empty() {
                stop.store(true, Ordering::SeqCst);
            }
            problems
        })
        .buffer_unordered(options.parallelism.max(1))
        .collect()
        .await;
    let mut problems: Vec<Diagnostic> = problems.into_iter().flatten().collect();
    let mut seen = Vec::new();
    problems.retain(|problem| {
        let new = !seen.contains(problem);
        seen.push(problem.clone());
        new
    });
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Places one blob in every repository that lacks it.
async fn place_blob(
    placement: &Placement<'_>,
    belief: Belief,
    options: &Options<'_>,
    progress: &Progress,
) -> Vec<Diagnostic> {
    let Placement { blob, source, targets } = placement;
    let present = targets.iter().map(|it| async move { (*it, belief.has_blob(it, blob).await) });
    let present = join_all(present).await;
    let mut problems = Vec::new();
    // A repository that holds the blob, for each host.
    let mut holders: BTreeMap<&str, &Prepared<'_>> = BTreeMap::new();
    let mut lacking: Vec<&Prepared<'_>> = Vec::new();
    for (it, present) in present {
        match present {
            Ok(true) => {
                progress.blob(it.position, blob, Placed::Present);
                holders.entry(&it.host).or_insert(it);
            }
            Ok(false) => lacking.push(it),
            Err(error) => problems.push(it.failed(&error)),
        }
    }
    if !problems.is_empty() {
        return problems;
    }
    let origin = source.origin(&blob.digest);
    let (mut first, mut from_source, mut mounting) = (Vec::new(), None, Vec::new());
    for it in lacking {
        if holders.contains_key(it.host.as_str()) {
            mounting.push(it);
            continue;
        }
        holders.insert(&it.host, it);
        match &origin {
            Some(origin) if origin.host == it.host && origin.repository != it.planned.repository => {
                from_source = Some((it, &origin.repository));
            }
            _ => first.push(it),
        }
    }
    // A mount may never open its body, so it does not share a reading with others, which would wait for it.
    let mount = |it, from| async move {
        match body::share(source, blob, vec![listener(it, blob, options)]).pop() {
            Some(body) => push(it, blob, &body, Some(from), progress).await,
            None => Ok(()),
        }
    };
    let bodies = body::share(source, blob, first.iter().map(|it| listener(it, blob, options)).collect());
    let pushed = join_all(first.iter().zip(&bodies).map(|(it, body)| push(it, blob, body, None, progress)));
    let mounted = join_all(from_source.into_iter().map(|(it, from)| mount(it, from)));
    let (pushed, mounted) = tokio::join!(pushed, mounted);
    problems.extend(pushed.into_iter().chain(mounted).filter_map(Result::err));
    if !problems.is_empty() {
        return problems;
    }
    let mounted = mounting.into_iter().filter_map(|it| {
        let holder = holders.get(it.host.as_str())?;
        Some(mount(it, &holder.planned.repository))
    });
    problems.extend(join_all(mounted).await.into_iter().filter_map(Result::err));
    problems
}

async fn push(
    it: &Prepared<'_>,
    blob: &Descriptor,
    body: &SharedBody,
    mount_from: Option<&RepositoryName>,
    progress: &Progress,
) -> Result<(), Diagnostic> {
    let outcome = it.repository.push_blob(blob, body, mount_from).await.map_err(|error| {
        match body.refused().filter(|_| matches!(error, RegistryError::Content { .. })) {
            // The registry of the source failed, not this one.
            Some(refused) => {
                refused.about(format_args!("{}: cannot push blob `{}`", it.planned.name, blob.digest))
            }
            None => it.failed(&error),
        }
    })?;
    let how = match outcome {
        BlobOutcome::Pushed => Placed::Pushed,
        BlobOutcome::Mounted => Placed::Mounted,
    };
    progress.blob(it.position, blob, how);
    Ok(())
}

fn listener(it: &Prepared<'_>, blob: &Descriptor, options: &Options<'_>) -> body::SentListener {
    let (reporter, repository) = (options.reporter.clone(), it.planned.name.clone());
    let (digest, size) = (blob.digest.clone(), blob.size);
    Arc::new(move |sent| {
        reporter.report(&Event::BlobProgress { repository: &repository, digest: &digest, size, sent });
    })
}

/// Puts the manifests by digest: first the images in parallel, then the indexes that name them in order, then their referrers.
async fn manifests(
    it: &Prepared<'_>,
    published: &Published,
    belief: Belief,
    progress: &Progress,
) -> Result<(), RegistryError> {
    let content = &published.content;
    let (indexes, images): (Vec<&RawManifest>, Vec<&RawManifest>) =
        content.manifests.iter().partition(|manifest| media_type::is_index(manifest.media_type()));
    let unlisted = Unlisted::default();
    try_join_all(images.into_iter().map(|manifest| put(it, manifest, belief, &unlisted, progress))).await?;
    for index in indexes {
        put(it, index, belief, &unlisted, progress).await?;
    }
    referrers::place(it, published, belief, unlisted, progress).await?;
    progress.complete(it.position);
    Ok(())
}

async fn put(
    it: &Prepared<'_>,
    manifest: &RawManifest,
    belief: Belief,
    unlisted: &Unlisted,
    progress: &Progress,
) -> Result<(), RegistryError> {
    let how = referrers::put(it, manifest, belief, unlisted).await?;
    progress.manifest(it.position, manifest.digest(), how);
    Ok(())
}
