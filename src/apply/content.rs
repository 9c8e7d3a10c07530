//! Placing content in every registry. Each blob is read once for all repositories that lack it, pushed once to each registry,
//! and mounted in the other repositories of that registry. If the source is read from a repository in the same registry, the
//! blob is mounted from there. Then the manifests are put, children before parents.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};

use super::belief::Belief;
use super::body::{self, SharedBody};
use super::delivery::{Delivery, Incomplete};
use super::options::ApplyOptions;
use super::prepared::Prepared;
use super::progress::Progress;
use super::referrers::{self, Unlisted};
use crate::diagnostic::Diagnostic;
use crate::event::{Event, Placed};
use crate::model::plan::{Action, Change};
use oci_content::Source;
use oci_registry::{BlobOutcome, READ_PAUSES, RegistryError};
use oci_registry::{Descriptor, Digest, RawManifest, RepositoryName, media_type};

/// The pauses before looking again for content that a registry had and now misses. When two clients push the same blobs at
/// once, the registry may report a blob before a manifest can name it.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_millis(700), Duration::from_secs(2)];

/// A blob, and the repositories that should hold it.
struct Placement<'a> {
    blob: &'a Descriptor,
    source: &'a Arc<dyn Source>,
    targets: Vec<&'a Delivery<'a>>,
}

/// Places the content of every repository in which a tag will change.
///
/// If a registry refuses a manifest because content is missing, this sends the blobs that it reported as mounted at once, and
/// those that it reported as present after pauses, in which it may still find them.
pub(super) async fn place(
    prepared: &[Prepared<'_>],
    options: &ApplyOptions<'_>,
    progress: &Progress,
) -> Result<(), Vec<Diagnostic>> {
    for it in prepared.iter().filter(|it| !it.planned.places_content()) {
        let stands = |change: &Change| change.action == Action::NoOp || change.reason.keeps_first();
        if it.planned.changes.iter().any(stands) {
            progress.complete(it.position);
        }
    }
    let changing = prepared.iter().filter(|it| it.planned.places_content());
    let mut deliveries: Vec<Delivery<'_>> =
        changing.filter_map(|it| Some(Delivery::new(it, it.content.as_deref()?))).collect();
    let (mut pauses, mut belief) = (PAUSES.into_iter(), Belief::Observed);
    loop {
        blobs(&deliveries, belief, options, progress).await?;
        let placed = join_all(deliveries.iter().map(|it| manifests(it, belief, progress))).await;
        // The other repositories are complete.
        let (left, problems): (Vec<_>, Vec<_>) = deliveries
            .into_iter()
            .zip(placed)
            .filter_map(|(delivery, placed)| Some((delivery, placed.err()?)))
            .unzip();
        deliveries = left;
        if problems.is_empty() {
            return Ok(());
        }
        let both = || deliveries.iter().zip(&problems);
        let fails = || Err(both().map(|(delivery, incomplete)| delivery.failed(incomplete)).collect());
        if !problems.iter().all(|incomplete| incomplete.is_of_blobs) {
            return fails();
        }
        belief = Belief::Registry;
        // Each of them is asked, so neither stops at the first.
        let mounts = both().fold(false, |any, (it, incomplete)| it.doubt_mounts(incomplete) || any);
        if mounts {
            continue;
        }
        if let Some(pause) = pauses.next() {
            tokio::time::sleep(pause).await;
        }
        let is_over = pauses.as_slice().is_empty();
        let rest = || both().fold(false, |any, (it, incomplete)| it.doubt_rest(incomplete) || any);
        if is_over && !rest() {
            return fails();
        }
    }
}

async fn blobs(
    deliveries: &[Delivery<'_>],
    belief: Belief,
    options: &ApplyOptions<'_>,
    progress: &Progress,
) -> Result<(), Vec<Diagnostic>> {
    let mut placements: BTreeMap<&Digest, Placement<'_>> = BTreeMap::new();
    for delivery in deliveries {
        for blob in delivery.blobs() {
            let new = || Placement { blob, source: &delivery.published.source, targets: Vec::new() };
            placements.entry(&blob.digest).or_insert_with(new).targets.push(delivery);
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
async fn place_blob<'a>(
    placement: &Placement<'a>,
    belief: Belief,
    options: &ApplyOptions<'_>,
    progress: &Progress,
) -> Vec<Diagnostic> {
    let Placement { blob, source, targets } = placement;
    let (due, believed): (Vec<_>, Vec<_>) =
        targets.iter().copied().partition(|target| target.is_due(&blob.digest));
    let present =
        believed.into_iter().map(|target| async move { (target, belief.has_blob(target.it, blob).await) });
    let present = join_all(present).await;
    let mut problems = Vec::new();
    // A repository that holds the blob, for each host.
    let mut holders: BTreeMap<&str, &Prepared<'_>> = BTreeMap::new();
    let mut lacking: Vec<&Delivery<'_>> = Vec::new();
    for (target, present) in present {
        match present {
            Ok(true) => {
                progress.blob(target.it.position, blob, Placed::Present);
                holders.entry(&target.it.host).or_insert(target.it);
            }
            Ok(false) => lacking.push(target),
            Err(error) => problems.push(target.it.failed(&error)),
        }
    }
    if !problems.is_empty() {
        return problems;
    }
    let origin = source.origin(&blob.digest);
    let (mut first, mut from_source, mut mounting) = (due, None, Vec::new());
    for target in lacking {
        let it = target.it;
        if holders.contains_key(it.host.as_str()) {
            mounting.push(target);
            continue;
        }
        holders.insert(&it.host, it);
        match &origin {
            Some(origin) if origin.host == it.host && origin.repository != it.planned.repository => {
                from_source = Some((target, &origin.repository));
            }
            _ => first.push(target),
        }
    }
    // A mount may never open its body, so it does not share a reading with others, which would wait for it.
    let mount = |target: &'a Delivery<'a>, from| async move {
        match body::share(source, blob, vec![listener(target.it, blob, options)]).pop() {
            Some(body) => push(target, blob, &body, Some(from), progress).await,
            None => Ok(()),
        }
    };
    let listeners = first.iter().map(|target| listener(target.it, blob, options)).collect();
    let bodies = body::share(source, blob, listeners);
    let pushed = first.iter().zip(&bodies).map(|(target, body)| push(target, blob, body, None, progress));
    let pushed = join_all(pushed);
    let mounted = join_all(from_source.into_iter().map(|(target, from)| mount(target, from)));
    let (pushed, mounted) = tokio::join!(pushed, mounted);
    problems.extend(pushed.into_iter().chain(mounted).filter_map(Result::err));
    if !problems.is_empty() {
        return problems;
    }
    let mounted = mounting.into_iter().filter_map(|target| {
        let holder = holders.get(target.it.host.as_str())?;
        Some(mount(target, &holder.planned.repository))
    });
    problems.extend(join_all(mounted).await.into_iter().filter_map(Result::err));
    problems
}

async fn push(
    target: &Delivery<'_>,
    blob: &Descriptor,
    body: &SharedBody,
    mount_from: Option<&RepositoryName>,
    progress: &Progress,
) -> Result<(), Diagnostic> {
    let it = target.it;
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
    target.note(&blob.digest, outcome);
    progress.blob(it.position, blob, how);
    Ok(())
}

fn listener(it: &Prepared<'_>, blob: &Descriptor, options: &ApplyOptions<'_>) -> body::SentListener {
    let (reporter, repository) = (options.reporter.clone(), it.planned.name.clone());
    let (digest, size) = (blob.digest.clone(), blob.size);
    Arc::new(move |sent| {
        reporter.report(&Event::BlobProgress { repository: &repository, digest: &digest, size, sent });
    })
}

/// Puts the manifests by digest: first the images in parallel, then the indexes that name them in order, then their referrers.
async fn manifests(delivery: &Delivery<'_>, belief: Belief, progress: &Progress) -> Result<(), Incomplete> {
    let (it, published) = (delivery.it, delivery.published);
    let (indexes, images): (Vec<&RawManifest>, Vec<&RawManifest>) =
        published.content.manifests.iter().partition(|manifest| media_type::is_index(manifest.media_type()));
    let unlisted = Unlisted::default();
    let put_images = images.iter().map(|manifest| put(it, manifest, belief, &unlisted, progress));
    let errors: Vec<_> = join_all(put_images).await.into_iter().filter_map(Result::err).collect();
    Incomplete::none_of(errors)?;
    for index in indexes {
        if let Err(error) = put_index(it, index, belief, &unlisted, progress).await {
            return Err(Incomplete { errors: vec![error], is_of_blobs: false });
        }
    }
    let placed = referrers::place(it, published, belief, unlisted, progress).await;
    Incomplete::none_of(placed.err().into_iter().collect())?;
    progress.complete(it.position);
    Ok(())
}

/// Puts an index. A registry may not see manifests yet that it has just accepted, so this waits for them as reading back does.
async fn put_index(
    it: &Prepared<'_>,
    index: &RawManifest,
    belief: Belief,
    unlisted: &Unlisted,
    progress: &Progress,
) -> Result<(), RegistryError> {
    let mut pauses = READ_PAUSES.into_iter();
    loop {
        match put(it, index, belief, unlisted, progress).await {
            Err(error) if error.misses_content() => match pauses.next() {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            },
            put => return put,
        }
    }
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
