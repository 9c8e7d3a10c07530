//! Selecting the platforms of an index that are published, with the attestations and artifacts that belong to them.

use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;

use super::tree::{ManifestTree, check_size, entries_of, is_index, malformed, object_of};
use crate::ImageSpec;
use crate::SourceError;
use crate::attestation::{attested, is_attestation};
use crate::error::{list, list_platforms};
use oci_registry::{Descriptor, Digest, Manifest, Platform};

/// The root with only the declared platforms.
///
/// If every image is for one of them, that is `root`, unchanged. Otherwise entries for other platforms are left out, with
/// the attestations about them and entries that belong to no platform. An index that becomes empty is left out too.
pub(super) fn select(
    tree: &mut ManifestTree,
    root: &Descriptor,
    spec: &ImageSpec,
) -> Result<Descriptor, SourceError> {
    if spec.platforms.is_empty() {
        return Ok(root.clone());
    }
    let mut survey = Survey {
        tree,
        wanted: &spec.platforms,
        found: Vec::new(),
        known: HashSet::new(),
        selected: HashSet::new(),
        others: false,
        seen: HashSet::new(),
    };
    survey.root(root)?;
    let Survey { found, selected, others, .. } = survey;
    require(spec, &found)?;
    if !others || !is_index(root) {
        return Ok(root.clone());
    }
    let mut selection = PlatformSelection { tree, wanted: &spec.platforms, selected, done: HashMap::new() };
    let kept = selection.index(root, 0)?;
    // Every declared platform was found, so something is kept.
    Ok(kept.unwrap_or_else(|| root.clone()))
}

/// Refuses a source that lacks a declared platform.
fn require(spec: &ImageSpec, found: &[Platform]) -> Result<(), SourceError> {
    let there = |wanted: &Platform| found.iter().any(|found| found.satisfies(wanted));
    let missing: Vec<&Platform> = spec.platforms.iter().filter(|wanted| !there(wanted)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let found = match found {
        [] => "it names no platform".to_owned(),
        found => format!("it is for {}", list_platforms(found)),
    };
    Err(SourceError::Platform {
        reason: format!("source `{}` lacks {}: {found}", spec.source, list(&missing)),
        help: "build the image for every platform that `platforms` declares (`--platform`, or `--all` when copying), \
               or remove the platform from `platforms`"
            .to_owned(),
    })
}

/// A survey of the images and platforms in a source. The manifest of an image is read only if the index does not give its platform.
struct Survey<'a> {
    tree: &'a mut ManifestTree,
    wanted: &'a [Platform],
    /// The platforms in the source, each once.
    found: Vec<Platform>,
    known: HashSet<Platform>,
    /// The images that are selected.
    selected: HashSet<Digest>,
    /// Whether there are images of other platforms.
    others: bool,
    /// The indexes read.
    seen: HashSet<Digest>,
}

impl Survey<'_> {
    fn root(&mut self, root: &Descriptor) -> Result<(), SourceError> {
        match self.tree.manifest(root, 0)?.1 {
            Manifest::Index { manifests, .. } => self.entries(&manifests, 1),
            Manifest::Image { config, .. } => {
                let platform = self.tree.own_platform(&config)?;
                self.image(root, platform);
                Ok(())
            }
        }
    }

    fn entries(&mut self, entries: &[Descriptor], depth: usize) -> Result<(), SourceError> {
        for entry in entries {
            if is_attestation(entry) {
                continue;
            }
            if !is_index(entry) {
                let platform = self.tree.platform(entry, depth)?;
                self.image(entry, platform);
            } else if self.seen.insert(entry.digest.clone())
                && let Manifest::Index { manifests, .. } = self.tree.manifest(entry, depth)?.1
            {
                self.entries(&manifests, depth + 1)?;
            }
        }
        Ok(())
    }

    fn image(&mut self, image: &Descriptor, platform: Option<Platform>) {
        let Some(platform) = platform.filter(|platform| !platform.is_unknown()) else { return };
        if self.wanted.iter().any(|wanted| platform.satisfies(wanted)) {
            self.selected.insert(image.digest.clone());
        } else {
            self.others = true;
        }
        if self.known.insert(platform.clone()) {
            self.found.push(platform);
        }
    }
}

/// The rewriting that leaves out everything that is not selected.
struct PlatformSelection<'a> {
    tree: &'a mut ManifestTree,
    wanted: &'a [Platform],
    selected: HashSet<Digest>,
    /// The new descriptor of each index; `None` if nothing of it is left.
    done: HashMap<Digest, Option<Descriptor>>,
}

impl PlatformSelection<'_> {
    fn index(&mut self, index: &Descriptor, depth: usize) -> Result<Option<Descriptor>, SourceError> {
        if let Some(done) = self.done.get(&index.digest) {
            return Ok(done.clone());
        }
        let (raw, manifest) = self.tree.manifest(index, depth)?;
        let Manifest::Index { manifests: entries, .. } = manifest else { return Ok(Some(index.clone())) };
        // Indexes come first, because attestations about an index may be listed before or after it.
        for entry in entries.iter().filter(|entry| is_index(entry) && !is_attestation(entry)) {
            self.index(entry, depth + 1)?;
        }
        let mut object = object_of(&raw)?;
        let texts = entries_of(&raw, &object)?;
        let mut kept: Vec<Box<RawValue>> = Vec::new();
        let (mut changed, mut size) = (false, 0);
        for (entry, text) in entries.iter().zip(texts) {
            let Some(new) = self.entry(entry, depth + 1)? else {
                changed = true;
                continue;
            };
            let mut text = text;
            if new.digest != entry.digest {
                text = self.tree.redescribe(&text, &new).map_err(|error| malformed(&raw, &error))?;
                changed = true;
            }
            // The size is checked here, because many entries may carry inline content.
            size += text.get().len();
            check_size(&raw, size)?;
            kept.push(text);
        }
        let new = if kept.is_empty() {
            None
        } else if changed {
            object.set("manifests", &kept).map_err(|error| malformed(&raw, &error))?;
            let bytes = object.to_bytes().map_err(|error| malformed(&raw, &error))?;
            Some(self.tree.write_manifest(&raw, bytes)?)
        } else {
            Some(index.clone())
        };
        self.done.insert(index.digest.clone(), new.clone());
        Ok(new)
    }

    /// The new descriptor of an entry; `None` if it is left out.
    fn entry(&mut self, entry: &Descriptor, depth: usize) -> Result<Option<Descriptor>, SourceError> {
        let keep = |it: bool| Ok(it.then(|| entry.clone()));
        if is_attestation(entry) {
            return keep(attested(entry).is_some_and(|about| self.stays(&about)));
        }
        if is_index(entry) {
            return Ok(self.done.get(&entry.digest).cloned().flatten());
        }
        if let Some(platform) = self.tree.platform(entry, depth)? {
            return keep(self.wanted.iter().any(|wanted| platform.satisfies(wanted)));
        }
        // An artifact stays if its subject stays.
        match self.tree.manifest(entry, depth)?.1 {
            Manifest::Image { subject: Some(subject), .. } => keep(self.stays(&subject.digest)),
            _ => keep(false),
        }
    }

    /// Whether the subject `digest` of an attestation is published unchanged.
    fn stays(&self, digest: &Digest) -> bool {
        self.selected.contains(digest)
            || self.done.get(digest).is_some_and(|new| new.as_ref().is_some_and(|new| new.digest == *digest))
    }
}
