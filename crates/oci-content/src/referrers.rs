//! The referrers that travel with published content: everything that refers to it, directly or through other referrers.

use std::collections::{HashSet, VecDeque};

use super::limits::{MAX_DEPTH, MAX_MANIFEST_BYTES, MAX_MANIFESTS, too_much};
use super::read::read_manifest;
use super::walk::{Content, walk_referrer};
use super::{Source, SourceError};
use oci_registry::{Descriptor, Digest, Manifest, Platform, RawManifest, Referrer};
use serde::{Deserialize, Serialize};

/// The greatest distance of a referrer from the content: a signature of an SBOM of an image has distance two.
const MAX_DISTANCE: usize = 8;
/// The most manifests that may refer to the content of an image.
const MAX_REFERRERS: usize = 1_000;

/// A manifest that refers to published content, and everything that it reaches.
#[derive(Debug, Clone)]
pub struct Travelling {
    /// The manifest, and its subject.
    pub referrer: Referrer,
    /// Everything that it consists of.
    pub content: Content,
}

/// A manifest that is listed as a referrer of published content but is not published with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct LeftBehind {
    /// The manifest and its subject, as they are listed.
    #[serde(flatten)]
    pub referrer: Referrer,
    /// The reason, in words.
    pub why: String,
}

/// The referrers of published content.
#[derive(Debug, Clone, Default)]
pub struct Referrers {
    /// Those that are published with it, each after its subject.
    pub travelling: Vec<Travelling>,
    /// Those that stay in the source.
    pub left_behind: Vec<LeftBehind>,
}

/// The referrers of the manifests of `content`, and their referrers, each after its subject.
pub(super) fn travelling(source: &dyn Source, content: &Content) -> Result<Referrers, SourceError> {
    let mut found: Vec<Travelling> = Vec::new();
    let mut left_behind: Vec<LeftBehind> = Vec::new();
    let mut bytes = 0_u64;
    let subjects = content.manifests.iter().map(|manifest| (manifest.digest().clone(), 1));
    let mut open: VecDeque<(Digest, usize)> = subjects.collect();
    let mut asked: HashSet<Digest> = open.iter().map(|(digest, _)| digest.clone()).collect();
    while let Some((subject, distance)) = open.pop_front() {
        let mut referrers = source.referrers(&subject)?;
        let key = |it: &Referrer| (it.tag.clone(), it.descriptor.digest.clone());
        referrers.sort_by_key(key);
        referrers.dedup_by_key(|it| key(it));
        for referrer in referrers {
            if distance > MAX_DISTANCE || found.len() >= MAX_REFERRERS {
                return Err(SourceError::Unsupported {
                    reason: format!(
                        "more than {MAX_REFERRERS} manifests refer to the image, or they refer to one another more than {MAX_DISTANCE} deep"
                    ),
                    help: "remove signatures and SBOMs that are not needed, or publish without `referrers`"
                        .to_owned(),
                });
            }
            if let Some(why) = absence(source, &referrer)? {
                left_behind.push(LeftBehind { referrer, why });
                continue;
            }
            let content = walk_referrer(source, &referrer.descriptor)?;
            let Some(manifest) = content.manifests.last() else { continue };
            // The list may be wrong, so the manifest itself is used.
            let referrer = match &referrer.tag {
                Some(tag) => Referrer::by_tag(oci_registry::referrer::describe(manifest), &subject, tag),
                None => Referrer::by_subject(manifest, &subject),
            };
            let Some(referrer) = referrer else { continue };
            for manifest in &content.manifests {
                bytes = bytes.saturating_add(manifest.bytes().len() as u64);
                if asked.insert(manifest.digest().clone()) {
                    open.push_back((manifest.digest().clone(), distance + 1));
                }
            }
            if bytes > MAX_MANIFEST_BYTES {
                return Err(too_much(format!(
                    "more than {} MiB of manifests refer to the image",
                    MAX_MANIFEST_BYTES / 1024 / 1024
                )));
            }
            found.push(Travelling { referrer, content });
        }
    }
    Ok(Referrers { travelling: found, left_behind })
}

/// Returns why a listed referrer cannot be published, if it is not there. Lists of referrers outlive what they list.
fn absence(source: &dyn Source, referrer: &Referrer) -> Result<Option<String>, SourceError> {
    match source.open_manifest(&referrer.descriptor) {
        Ok(_) => Ok(None),
        Err(SourceError::NotInRegistry { .. } | SourceError::MissingBlob { .. }) => {
            Ok(Some("the source lists it, but does not have it".to_owned()))
        }
        Err(error) => Err(error),
    }
}

/// Refuses content if something refers to a manifest of `source` that is not published unchanged, because a signature would
/// then refer to a missing manifest. Platforms that `platforms` leaves out are left out together with their signatures.
pub(super) fn refuse_orphans(
    source: &dyn Source,
    published: &Content,
    platforms: &[Platform],
) -> Result<(), SourceError> {
    if source.root()?.digest == published.root.digest {
        return Ok(());
    }
    let kept: HashSet<&Digest> = published.manifests.iter().map(RawManifest::digest).collect();
    for entry in reached(source)? {
        let left_out = entry.platform.as_ref().is_some_and(|own| {
            own.is_unknown() || (!platforms.is_empty() && !platforms.iter().any(|it| own.satisfies(it)))
        });
        if left_out || kept.contains(&entry.digest) {
            continue;
        }
        let mut count = 0;
        for referrer in source.referrers(&entry.digest)? {
            count += usize::from(absence(source, &referrer)?.is_none());
        }
        if count > 0 {
            let manifests =
                if count == 1 { "1 manifest refers".to_owned() } else { format!("{count} manifests refer") };
            return Err(SourceError::Unsupported {
                reason: format!(
                    "{manifests} to `{}` of the source, which would not be published unchanged: `annotations`, `labels` or \
                     `platforms` change it, so the signed manifest would be missing",
                    entry.digest
                ),
                help: "remove those keys from the image to keep the digest; or sign after publishing, and remove `referrers`"
                    .to_owned(),
            });
        }
    }
    Ok(())
}

/// The manifests that the root of `source` reaches, as indexes describe them, each once.
fn reached(source: &dyn Source) -> Result<Vec<Descriptor>, SourceError> {
    let mut open = vec![(source.root()?, 0)];
    let mut seen: HashSet<Digest> = HashSet::new();
    let mut found = Vec::new();
    while let Some((entry, depth)) = open.pop() {
        if !seen.insert(entry.digest.clone()) {
            continue;
        }
        if seen.len() > MAX_MANIFESTS || depth > MAX_DEPTH {
            return Err(too_much(format!(
                "the source has more than {MAX_MANIFESTS} manifests, or indexes nested more than {MAX_DEPTH} deep"
            )));
        }
        if let (_, Manifest::Index { manifests, .. }) = read_manifest(source, &entry)? {
            open.extend(manifests.into_iter().map(|child| (child, depth + 1)));
        }
        found.push(entry);
    }
    Ok(found)
}

#[cfg(test)]
#[path = "referrers_tests.rs"]
mod tests;
