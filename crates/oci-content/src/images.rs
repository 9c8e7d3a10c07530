//! The images in a source, each with the attestations about it. Indexes are assembled from them.

use std::collections::{HashMap, HashSet};

use super::attestation::{attested, is_attestation};
use super::limits::{MAX_DEPTH, MAX_MANIFESTS, too_much};
use super::read::{ConfigPlatforms, listed_platform, read_manifest};
use super::{Source, SourceError};
use oci_registry::{Descriptor, Digest, Manifest, Platform};

/// An image in a source.
pub(super) struct SourceImage {
    /// The descriptor of the image, without its platform.
    pub(super) descriptor: Descriptor,
    /// The platform that its own configuration gives.
    pub(super) platform: Option<Platform>,
    /// The attestations about it in the same index.
    pub(super) attestations: Vec<Descriptor>,
}

/// The images of a source, and those that its indexes list but that it does not hold.
pub(super) struct Images {
    /// The images, in order.
    pub(super) images: Vec<SourceImage>,
    /// The platforms of images that are missing, each with the error. `docker save` keeps only one platform of an index.
    pub(super) absent: Vec<(Platform, SourceError)>,
}

/// The images that the root of `source` reaches, in order. All of them must be there.
pub(super) fn images(source: &dyn Source) -> Result<Vec<SourceImage>, SourceError> {
    let Images { images, absent } = images_there(source)?;
    absent.into_iter().next().map_or(Ok(images), |(_, error)| Err(error))
}

/// Like [`images`], for callers that need only some of the platforms.
pub(super) fn images_there(source: &dyn Source) -> Result<Images, SourceError> {
    let mut search = ImageSearch {
        source,
        platforms: ConfigPlatforms::default(),
        seen: HashSet::new(),
        images: Vec::new(),
        absent: Vec::new(),
        attestations: HashMap::new(),
    };
    search.visit(&source.root()?, 0)?;
    let ImageSearch { mut images, absent, mut attestations, .. } = search;
    for image in &mut images {
        image.attestations = attestations.remove(&image.descriptor.digest).unwrap_or_default();
    }
    Ok(Images { images, absent })
}

struct ImageSearch<'a> {
    source: &'a dyn Source,
    platforms: ConfigPlatforms,
    seen: HashSet<Digest>,
    images: Vec<SourceImage>,
    absent: Vec<(Platform, SourceError)>,
    attestations: HashMap<Digest, Vec<Descriptor>>,
}

impl ImageSearch<'_> {
    fn visit(&mut self, descriptor: &Descriptor, depth: usize) -> Result<(), SourceError> {
        if is_attestation(descriptor) {
            if let Some(digest) = attested(descriptor) {
                let about = self.attestations.entry(digest).or_default();
                if !about.iter().any(|known| known.digest == descriptor.digest) {
                    about.push(descriptor.clone());
                }
            }
            return Ok(());
        }
        if !self.seen.insert(descriptor.digest.clone()) {
            return Ok(());
        }
        if depth >= MAX_DEPTH || self.seen.len() > MAX_MANIFESTS {
            return Err(too_much(format!(
                "the content has more than {MAX_MANIFESTS} manifests, or indexes nested more than {MAX_DEPTH} deep"
            )));
        }
        let manifest = match (read_manifest(self.source, descriptor), listed_platform(descriptor)) {
            (Ok((_, manifest)), _) => manifest,
            (Err(error @ SourceError::MissingBlob { .. }), Some(platform)) if depth > 0 => {
                self.absent.push((platform.clone(), error));
                return Ok(());
            }
            (Err(error), _) => return Err(error),
        };
        match manifest {
            Manifest::Index { manifests, .. } => {
                manifests.iter().try_for_each(|entry| self.visit(entry, depth + 1))
            }
            Manifest::Image { config, .. } => {
                let platform = self.platforms.of(self.source, &config)?;
                let descriptor = Descriptor { platform: None, ..descriptor.clone() };
                self.images.push(SourceImage { descriptor, platform, attestations: Vec::new() });
                Ok(())
            }
        }
    }
}
