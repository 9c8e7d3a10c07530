//! The manifest that an archive already has for an image, if the archive holds exactly the published content.

use super::super::SourceError;
use super::super::layout::IndexFile;
use super::super::limits::MAX_DEPTH;
use super::entries::TarEntries;
use super::layers::PublishedLayer;
use oci_registry::manifest::MAX_MANIFEST_SIZE;
use oci_registry::{Descriptor, Manifest, RawManifest, media_type};

/// The most manifests that are examined.
const MAX_LOOKED_AT: usize = 1000;

/// The manifest reached from `index.json` whose configuration and layers are exactly these. It is published unchanged, so that
/// its digest is the one that the builder reported. If layers were compressed here, there is no such manifest.
pub(super) fn manifest(
    entries: &TarEntries,
    config: &Descriptor,
    layers: &[PublishedLayer],
) -> Result<Option<RawManifest>, SourceError> {
    if layers.iter().any(|layer| !layer.kept) {
        return Ok(None);
    }
    let index: Option<IndexFile> = entries.json("index.json", MAX_MANIFEST_SIZE)?;
    let mut search = ManifestSearch { entries, config, layers, looked_at: 0 };
    search.among(&index.map(|index| index.manifests).unwrap_or_default(), 0)
}

struct ManifestSearch<'a> {
    entries: &'a TarEntries,
    config: &'a Descriptor,
    layers: &'a [PublishedLayer],
    looked_at: usize,
}

impl ManifestSearch<'_> {
    fn among(&mut self, candidates: &[Descriptor], depth: usize) -> Result<Option<RawManifest>, SourceError> {
        for candidate in candidates {
            self.looked_at += 1;
            if self.looked_at > MAX_LOOKED_AT || depth >= MAX_DEPTH {
                break;
            }
            if !media_type::is_manifest(&candidate.media_type) || candidate.size > MAX_MANIFEST_SIZE {
                continue;
            }
            // An archive need not hold every platform that its index lists.
            let name = format!("blobs/{}/{}", candidate.digest.algorithm(), candidate.digest.hex());
            let Some(extent) = self.entries.find(&name)? else { continue };
            let bytes = self.entries.small(&name, &extent, MAX_MANIFEST_SIZE)?;
            let raw = RawManifest::new(&candidate.media_type, bytes);
            if *raw.digest() != candidate.digest {
                continue;
            }
            match raw.parse() {
                Ok(Manifest::Index { manifests, .. }) => {
                    if let Some(found) = self.among(&manifests, depth + 1)? {
                        return Ok(Some(found));
                    }
                }
                Ok(Manifest::Image { config, layers, .. }) if self.fits(&config, &layers) => {
                    return Ok(Some(raw));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    fn fits(&self, config: &Descriptor, layers: &[Descriptor]) -> bool {
        let same =
            |one: &Descriptor, other: &Descriptor| one.digest == other.digest && one.size == other.size;
        let compressed = |layer: &Descriptor| {
            layer.urls.is_empty()
                && [".gzip", "+gzip", "+zstd"].iter().any(|it| layer.media_type.ends_with(it))
        };
        same(config, self.config)
            && layers.len() == self.layers.len()
            && layers
                .iter()
                .zip(self.layers)
                .all(|(own, ready)| same(own, &ready.descriptor) && compressed(own))
    }
}
