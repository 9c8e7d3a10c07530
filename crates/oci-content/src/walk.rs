//! Finding everything that a root reaches, by reading manifests but no blobs.

use std::collections::{HashMap, HashSet};

use super::attestation::is_attestation;
use super::limits::{MAX_DEPTH, MAX_MANIFEST_BYTES, MAX_MANIFESTS, too_much};
use super::read::{ConfigPlatforms, listed_platform, read_manifest, read_referrer};
use super::{Source, SourceError};
use oci_registry::{Descriptor, Digest, Manifest, Platform, RawManifest, media_type};

/// Everything that a root reaches, each once.
#[derive(Debug, Clone)]
pub struct Content {
    /// The root: media type, digest and size.
    pub root: Descriptor,
    /// The manifests, children before parents; the root is last.
    pub manifests: Vec<RawManifest>,
    /// The blobs in order of first use, unique by digest, without foreign layers.
    pub blobs: Vec<Descriptor>,
    /// The foreign layers. Their bytes are stored elsewhere and not sent (image-spec, layer.md, "Non-Distributable
    /// Layers").
    pub foreign: Vec<Descriptor>,
    /// The platforms of the images, in order, each once, without attestations (`unknown/unknown`). The platform of a single
    /// image is read from its configuration.
    pub platforms: Vec<Platform>,
}

impl Content {
    /// The size of all blobs and manifests, in bytes.
    pub fn total_size(&self) -> u64 {
        let blobs = self.blobs.iter().map(|blob| blob.size);
        let manifests = self.manifests.iter().map(|manifest| manifest.bytes().len() as u64);
        blobs.chain(manifests).fold(0, u64::saturating_add)
    }
}

/// Reads all manifests that the root of `source` reaches, and checks that each blob exists and has the
/// declared size. Blobs are not read.
///
/// # Errors
///
/// [`SourceError`] for the first manifest that cannot be read, and the first blob that is missing.
pub fn walk(source: &dyn Source) -> Result<Content, SourceError> {
    walk_from(source, &source.root()?)
}

/// Like [`walk`], from a manifest that is not the root of `source`.
pub(super) fn walk_from(source: &dyn Source, root: &Descriptor) -> Result<Content, SourceError> {
    walk_any(source, root, false)
}

/// Like [`walk_from`], from a referrer, which may have any media type.
pub(super) fn walk_referrer(source: &dyn Source, referrer: &Descriptor) -> Result<Content, SourceError> {
    walk_any(source, referrer, true)
}

fn walk_any(source: &dyn Source, root: &Descriptor, is_referrer: bool) -> Result<Content, SourceError> {
    let mut walker = Walker {
        source,
        known_manifests: HashMap::new(),
        known_blobs: HashMap::new(),
        known_foreign: HashSet::new(),
        configs: HashMap::new(),
        known_platforms: HashSet::new(),
        config_platforms: ConfigPlatforms::default(),
        bytes: 0,
        is_referrer,
        content: Content::of(root),
    };
    walker.manifest(root, 0)?;
    source.check(&walker.content.blobs)?;
    Ok(walker.content)
}

impl Content {
    fn of(root: &Descriptor) -> Self {
        Self {
            root: Descriptor::new(&root.media_type, root.digest.clone(), root.size),
            manifests: Vec::new(),
            blobs: Vec::new(),
            foreign: Vec::new(),
            platforms: Vec::new(),
        }
    }
}

struct Walker<'a> {
    source: &'a dyn Source,
    /// The manifests met so far, with the size and media type of their descriptors.
    known_manifests: HashMap<Digest, (u64, String)>,
    /// The blobs met so far, with the size of their descriptors. Their media types may differ: `{}` is both the
    /// configuration and a layer of artifacts.
    known_blobs: HashMap<Digest, u64>,
    known_foreign: HashSet<Digest>,
    /// The configuration of each image met so far.
    configs: HashMap<Digest, Descriptor>,
    known_platforms: HashSet<Platform>,
    config_platforms: ConfigPlatforms,
    bytes: u64,
    /// Whether manifests may have other media types than those of images and indexes.
    is_referrer: bool,
    content: Content,
}

impl Walker<'_> {
    /// Reads a manifest and everything that it reaches.
    fn manifest(&mut self, descriptor: &Descriptor, depth: usize) -> Result<(), SourceError> {
        let now = (descriptor.size, descriptor.media_type.clone());
        if !meet(&mut self.known_manifests, descriptor, now)? {
            return Ok(());
        }
        if depth >= MAX_DEPTH {
            return Err(too_much(format!("indexes are nested more than {MAX_DEPTH} deep")));
        }
        if self.is_referrer && !media_type::is_manifest(&descriptor.media_type) {
            return self.other_manifest(descriptor, depth);
        }
        let (raw, manifest) = read_manifest(self.source, descriptor)?;
        self.count(descriptor)?;
        match &manifest {
            Manifest::Index { manifests, .. } => {
                for entry in manifests {
                    self.manifest(entry, depth + 1)?;
                    self.platform_of(entry)?;
                }
            }
            Manifest::Image { config, layers, .. } => {
                self.blob(config)?;
                for layer in layers {
                    self.blob(layer)?;
                }
                if depth == 0 {
                    let platform = self.config_platforms.of(self.source, config)?;
                    self.platform(platform);
                }
                self.configs.insert(descriptor.digest.clone(), config.as_ref().clone());
            }
        }
        self.content.manifests.push(raw);
        Ok(())
    }

    /// Reads the manifest of a referrer whose media type is not that of an image or index, and everything that it reaches.
    fn other_manifest(&mut self, descriptor: &Descriptor, depth: usize) -> Result<(), SourceError> {
        let (raw, manifest) = read_referrer(self.source, descriptor)?;
        self.count(descriptor)?;
        for entry in manifest.manifests() {
            self.manifest(entry, depth + 1)?;
        }
        manifest.blobs().try_for_each(|blob| self.blob(blob))?;
        self.content.manifests.push(raw);
        Ok(())
    }

    /// Counts a manifest that was read.
    fn count(&mut self, descriptor: &Descriptor) -> Result<(), SourceError> {
        self.bytes = self.bytes.saturating_add(descriptor.size);
        if self.content.manifests.len() >= MAX_MANIFESTS || self.bytes > MAX_MANIFEST_BYTES {
            return Err(too_much(format!(
                "the content has more than {MAX_MANIFESTS} manifests, or more than {} MiB of them",
                MAX_MANIFEST_BYTES / 1024 / 1024
            )));
        }
        Ok(())
    }

    fn blob(&mut self, blob: &Descriptor) -> Result<(), SourceError> {
        // A foreign layer without an address is available nowhere else, so it must be in the source.
        if media_type::is_foreign_layer(&blob.media_type) && !blob.urls.is_empty() {
            if self.known_foreign.insert(blob.digest.clone()) {
                self.content.foreign.push(blob.clone());
            }
            return Ok(());
        }
        if !meet(&mut self.known_blobs, blob, blob.size)? {
            return Ok(());
        }
        self.content.blobs.push(blob.clone());
        Ok(())
    }

    /// Records the platform of an entry of an index.
    fn platform_of(&mut self, entry: &Descriptor) -> Result<(), SourceError> {
        if media_type::is_index(&entry.media_type) || is_attestation(entry) {
            return Ok(());
        }
        if let Some(platform) = listed_platform(entry) {
            self.platform(Some(platform.clone()));
        } else if let Some(config) = self.configs.get(&entry.digest) {
            let platform = self.config_platforms.of(self.source, config)?;
            self.platform(platform);
        }
        Ok(())
    }

    fn platform(&mut self, platform: Option<Platform>) {
        if let Some(platform) = platform.filter(|platform| !platform.is_unknown())
            && self.known_platforms.insert(platform.clone())
        {
            self.content.platforms.push(platform);
        }
    }
}

/// Records that `descriptor` was met. Returns false if it was met before, and an error if it was described differently then.
fn meet<T: PartialEq>(
    known: &mut HashMap<Digest, T>,
    descriptor: &Descriptor,
    now: T,
) -> Result<bool, SourceError> {
    match known.get(&descriptor.digest) {
        Some(earlier) if *earlier == now => Ok(false),
        Some(_) => Err(SourceError::described_twice(&descriptor.digest)),
        None => {
            known.insert(descriptor.digest.clone(), now);
            Ok(true)
        }
    }
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
