//! Explains a source that holds only some of the platforms that its index lists.
//!
//! With the image store of containerd, `docker save` writes the whole index of an image, but only the content that the engine has:
//! usually that of one platform, and often without attestations (kubernetes-sigs/kind#3795, moby/moby#49473,
//! reproducible-containers/diffoci#247). A digest alone does not say that.

use std::collections::HashSet;

use super::attestation::{attested, is_attestation};
use super::error::{list, list_platforms};
use super::limits::{MAX_DEPTH, MAX_MANIFESTS};
use super::read::{listed_platform, read_manifest};
use super::walk::walk_from;
use super::{Source, SourceError};
use oci_registry::{Descriptor, Manifest, Platform, media_type};

/// Returns `error` with the platforms that `source` lacks and has, if it is about a missing part of an index. `spec` is the source as
/// it is declared.
pub(super) fn explained(source: &dyn Source, spec: &str, error: SourceError) -> SourceError {
    let SourceError::MissingBlob { digest, .. } = &error else { return error };
    let mut survey = CompletenessSurvey { source, entries: Vec::new(), seen: HashSet::new() };
    let Ok(root) = source.root() else { return error };
    survey.visit(&root, 0);
    let (present, absent): (Vec<ListedEntry>, Vec<ListedEntry>) =
        survey.entries.into_iter().partition(|entry| entry.is_complete);
    if absent.is_empty() {
        return error;
    }
    let platforms: Vec<Platform> = present.iter().filter_map(|entry| entry.platform.clone()).collect();
    let mut lacking: Vec<String> = absent.iter().map(|entry| entry.name(&present)).collect();
    lacking.sort();
    lacking.dedup();
    let there = match platforms.as_slice() {
        [] => "nothing that it lists is there".to_owned(),
        [_] => format!("only {} is there", list_platforms(&platforms)),
        _ => format!("only {} are there", list_platforms(&platforms)),
    };
    let reason = format!(
        "source `{spec}` holds only a part of its image: {there}; it lacks {} (`{digest}` is not in it)",
        lacking.join(", ")
    );
    let mut ways = Vec::new();
    // The attestations about a platform stay with it, so `platforms` does not help if they are missing.
    let alone = absent.iter().all(|entry| entry.about.as_ref().is_none_or(|about| !has(&present, about)));
    if alone && !platforms.is_empty() {
        let names: Vec<String> = platforms.iter().map(|platform| format!("\"{platform}\"")).collect();
        ways.push(format!("publish what is there with `platforms = [{}]`", names.join(", ")));
    }
    if let Some(path) = spec.strip_prefix("oci-archive:") {
        ways.push(format!(
            "if `docker save` wrote it, publish the image that it kept as `docker-archive:{path}`"
        ));
    }
    ways.push(
        "or make all platforms part of it: build or copy it with all of them (`docker buildx build --output type=oci`, \
         `skopeo copy --all`)"
            .to_owned(),
    );
    SourceError::Platform { reason, help: ways.join("; ") }
}

/// Whether an image is among `entries`.
fn has(entries: &[ListedEntry], digest: &str) -> bool {
    entries.iter().any(|entry| entry.digest == digest)
}

/// An entry of an index that is not an index itself.
struct ListedEntry {
    digest: String,
    platform: Option<Platform>,
    /// The digest of the image that the entry attests.
    about: Option<String>,
    is_complete: bool,
}

impl ListedEntry {
    /// The name of the entry for people.
    fn name(&self, present: &[Self]) -> String {
        if let Some(about) = &self.about {
            let platform =
                present.iter().find(|entry| entry.digest == *about).and_then(|entry| entry.platform.as_ref());
            return platform.map_or_else(
                || "attestations".to_owned(),
                |platform| format!("the attestations about `{platform}`"),
            );
        }
        self.platform.as_ref().map_or_else(
            || format!("an image without a platform, {}", list(&[&self.digest])),
            |platform| format!("`{platform}`"),
        )
    }
}

struct CompletenessSurvey<'a> {
    source: &'a dyn Source,
    entries: Vec<ListedEntry>,
    seen: HashSet<String>,
}

impl CompletenessSurvey<'_> {
    /// Visits the entries of an index. Anything that cannot be read is incomplete.
    fn visit(&mut self, index: &Descriptor, depth: usize) {
        let Ok((_, Manifest::Index { manifests, .. })) = read_manifest(self.source, index) else { return };
        for entry in &manifests {
            let digest = entry.digest.to_string();
            if self.seen.len() >= MAX_MANIFESTS || depth >= MAX_DEPTH || !self.seen.insert(digest.clone()) {
                continue;
            }
            let is_complete = walk_from(self.source, entry).is_ok();
            if media_type::is_index(&entry.media_type) && read_manifest(self.source, entry).is_ok() {
                self.visit(entry, depth + 1);
                continue;
            }
            let about = if is_attestation(entry) {
                Some(attested(entry).map(|about| about.to_string()).unwrap_or_default())
            } else {
                None
            };
            let platform = listed_platform(entry).filter(|_| about.is_none()).cloned();
            self.entries.push(ListedEntry { digest, platform, about, is_complete });
        }
    }
}
