//! The images in a source, each with the attestations about it: what an index is assembled from.

use super::read::{config_platform, read_manifest};
use super::walk::{MAX_DEPTH, MAX_MANIFESTS, too_much};
use super::{Source, SourceError};
use crate::model::{Descriptor, Digest, Manifest, Platform};

/// The annotation by which an entry of an index says what it attests (`BuildKit`,
/// docs/attestations/attestation-storage.md).
const ATTESTS: &str = "vnd.docker.reference.digest";

/// An image in a source.
pub(super) struct Image {
    /// The image, as an index describes it; without its platform.
    pub(super) descriptor: Descriptor,
    /// What its own configuration says it runs on.
    pub(super) platform: Option<Platform>,
    /// The entries beside it that attest something about it.
    pub(super) attestations: Vec<Descriptor>,
}

/// The images that the root of `source` reaches, in order.
pub(super) fn images(source: &dyn Source) -> Result<Vec<Image>, SourceError> {
    let mut search = Search { source, images: Vec::new(), attestations: Vec::new(), read: 0 };
    search.visit(&source.root()?, 0)?;
    let Search { mut images, attestations, .. } = search;
    for image in &mut images {
        image.attestations = attestations
            .iter()
            .filter(|(digest, _)| *digest == image.descriptor.digest)
            .map(|(_, entry)| entry.clone())
            .collect();
    }
    Ok(images)
}

struct Search<'a> {
    source: &'a dyn Source,
    images: Vec<Image>,
    attestations: Vec<(Digest, Descriptor)>,
    read: usize,
}

impl Search<'_> {
    fn visit(&mut self, descriptor: &Descriptor, depth: usize) -> Result<(), SourceError> {
        if descriptor.platform.as_ref().is_some_and(Platform::is_unknown) {
            let about = descriptor.annotations.get(ATTESTS).and_then(|text| text.parse().ok());
            self.attestations.extend(about.map(|digest| (digest, descriptor.clone())));
            return Ok(());
        }
        if self.images.iter().any(|image| image.descriptor.digest == descriptor.digest) {
            return Ok(());
        }
        self.read += 1;
        if depth >= MAX_DEPTH || self.read > MAX_MANIFESTS {
            return Err(too_much(format!(
                "the content has more than {MAX_MANIFESTS} manifests, or indexes more than {MAX_DEPTH} deep"
            )));
        }
        match read_manifest(self.source, descriptor)?.1 {
            Manifest::Index { manifests, .. } => {
                manifests.iter().try_for_each(|entry| self.visit(entry, depth + 1))
            }
            Manifest::Image { config, .. } => {
                let platform = config_platform(self.source, &config)?;
                let descriptor = Descriptor { platform: None, ..descriptor.clone() };
                self.images.push(Image { descriptor, platform, attestations: Vec::new() });
                Ok(())
            }
        }
    }
}
