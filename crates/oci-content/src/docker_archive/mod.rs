//! Docker archives, as `docker save` and `podman save` write them, read in place.
//!
//! The same code reads two formats: the older, with a folder for each layer, and that of Docker 25 and newer, an OCI image layout
//! with a `manifest.json` beside it. Both name configuration and layers in `manifest.json` (moby, image/tarexport). An image
//! manifest is written for them, with the same bytes on every run; if the archive has an equivalent manifest, that one is
//! published.
//!
//! In reading order: `choose` (the choice of an image), `entries` (files by name), `layers` (compression and verification),
//! `original` (the manifest in the archive).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::{counted, other_size};
use super::expand::{EXPANSION, expanded};
use super::input;
use super::positioned::{Extent, PositionedFile};
use super::read::{MAX_CONFIG_SIZE, read_bounded};
use super::verify::{VerifyingReader, manifest_reader};
use super::{BlobReader, Source, SourceError, Surroundings};
use oci_registry::manifest::MAX_MANIFEST_SIZE;
use oci_registry::{Descriptor, Digest, RawManifest, media_type};

mod choose;
mod entries;
mod layers;
mod original;

pub(super) use choose::normalized;
use entries::TarEntries;
pub(super) use layers::LayerFile;
use layers::PublishedLayer;

/// An image in a Docker archive.
pub(super) struct DockerArchive {
    archive: String,
    root: RawManifest,
    blobs: HashMap<Digest, Extent>,
}

/// The part of an image configuration that lists the layers (image-spec, config.md, `rootfs`).
#[derive(Deserialize)]
pub(super) struct RootFilesystemConfig {
    pub(super) rootfs: RootFilesystem,
}

#[derive(Deserialize)]
pub(super) struct RootFilesystem {
    /// Go writes `null` if there are none.
    pub(super) diff_ids: Option<Vec<Digest>>,
}

/// The serialized form of a manifest: the same bytes on every run.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ManifestDocument<'a> {
    schema_version: u8,
    media_type: &'static str,
    config: &'a Descriptor,
    layers: Vec<&'a Descriptor>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
}

impl DockerArchive {
    /// Opens the archive that `path` names, and chooses the image in it that `reference` names, or the only one.
    pub(super) fn open(
        path: &str,
        reference: Option<&str>,
        surroundings: &Surroundings,
    ) -> Result<Self, SourceError> {
        let place = format!("docker-archive:{path}");
        Self::read(input::archive(path, surroundings)?, reference, &place, surroundings)
    }

    /// Reads an archive that is open. `place` is the source as it is written without a reference.
    pub(super) fn read(
        file: Arc<PositionedFile>,
        reference: Option<&str>,
        place: &str,
        surroundings: &Surroundings,
    ) -> Result<Self, SourceError> {
        let folder = &surroundings.temporary_folder();
        let entries = TarEntries::open(expanded(file, EXPANSION, folder)?)?;
        let items: Vec<choose::ArchivedImage> =
            entries.json("manifest.json", MAX_MANIFEST_SIZE)?.ok_or_else(|| no_manifest(&entries, place))?;
        let item = choose::choose(&items, reference, place)?;
        let config_extent = entries.required(&item.config)?;
        let config_bytes = entries.small(&item.config, &config_extent, MAX_CONFIG_SIZE)?;
        let config =
            Descriptor::new(media_type::OCI_CONFIG, Digest::of(&config_bytes), config_bytes.len() as u64);
        named_by_digest(&entries, &item.config, &config.digest)?;
        let wanted = wanted(&entries, item, &config_bytes)?;
        let layers = layers::prepare(&wanted, folder, &surroundings.content)?;
        for (name, layer) in item.layers.iter().flatten().zip(&layers).filter(|(_, layer)| layer.kept) {
            named_by_digest(&entries, name, &layer.descriptor.digest)?;
        }
        let root = match original::manifest(&entries, &config, &layers)? {
            Some(original) => original,
            None => written(&config, &layers, &BTreeMap::new())?,
        };
        Ok(Self::of_parts(entries.archive(), root, layers, config.digest, config_extent))
    }

    /// The image of a configuration and the tar files of its layers, with a manifest that is written for them. `place` is for people.
    pub(super) fn of_layers(
        place: String,
        config: Extent,
        layers: &[LayerFile],
        annotations: &BTreeMap<String, String>,
        surroundings: &Surroundings,
    ) -> Result<Self, SourceError> {
        let bytes = read_bounded(config.reader(), MAX_CONFIG_SIZE)
            .map_err(|error| SourceError::io(place.clone(), error))?;
        let described = Descriptor::new(media_type::OCI_CONFIG, Digest::of(&bytes), bytes.len() as u64);
        let layers = layers::prepare(layers, &surroundings.temporary_folder(), &surroundings.content)?;
        let root = written(&described, &layers, annotations)?;
        Ok(Self::of_parts(place, root, layers, described.digest, config))
    }

    fn of_parts(
        archive: String,
        root: RawManifest,
        layers: Vec<PublishedLayer>,
        config: Digest,
        config_extent: Extent,
    ) -> Self {
        let mut blobs: HashMap<Digest, Extent> =
            layers.into_iter().map(|layer| (layer.descriptor.digest, layer.extent)).collect();
        blobs.insert(config, config_extent);
        Self { archive, root, blobs }
    }
}

/// The layers of an image, each with its digest from the configuration.
fn wanted(
    entries: &TarEntries,
    item: &choose::ArchivedImage,
    config: &[u8],
) -> Result<Vec<LayerFile>, SourceError> {
    let malformed = |reason: String| SourceError::malformed(entries.locate(&item.config), reason);
    let config: RootFilesystemConfig =
        serde_json::from_slice(config).map_err(|error| malformed(error.to_string()))?;
    let diff_ids = config.rootfs.diff_ids.unwrap_or_default();
    let names = item.layers.as_deref().unwrap_or_default();
    if names.len() != diff_ids.len() {
        return Err(malformed(format!(
            "it names {}, but `manifest.json` lists {} for it",
            counted(diff_ids.len() as u64, "layer"),
            names.len()
        )));
    }
    if let Some(other) = diff_ids.iter().find(|digest| digest.algorithm() != "sha256") {
        return Err(malformed(format!("it names a layer by `{}`, not by `sha256`", other.algorithm())));
    }
    let wanted = |(name, diff_id): (&String, Digest)| {
        Ok(LayerFile { place: entries.locate(name), extent: entries.required(name)?, diff_id })
    };
    names.iter().zip(diff_ids).map(wanted).collect()
}

/// Checks that a file named by a digest has that digest: `blobs/sha256/HEX` in a layout, `HEX.json` in older archives.
fn named_by_digest(entries: &TarEntries, name: &str, found: &Digest) -> Result<(), SourceError> {
    let hex = name.strip_prefix("blobs/sha256/").or_else(|| name.strip_suffix(".json"));
    let named = hex.and_then(|hex| format!("sha256:{hex}").parse::<Digest>().ok());
    match named {
        Some(expected) if expected != *found => Err(SourceError::Digest {
            place: entries.locate(name),
            expected,
            reason: format!("its bytes are `{found}`"),
        }),
        _ => Ok(()),
    }
}

/// Writes the manifest of an image that has none in the archive.
fn written(
    config: &Descriptor,
    layers: &[PublishedLayer],
    annotations: &BTreeMap<String, String>,
) -> Result<RawManifest, SourceError> {
    let document = ManifestDocument {
        schema_version: 2,
        media_type: media_type::OCI_MANIFEST,
        config,
        layers: layers.iter().map(|layer| &layer.descriptor).collect(),
        annotations,
    };
    let bytes = serde_json::to_vec(&document)
        .map_err(|error| SourceError::malformed("the manifest of the image", error.to_string()))?;
    Ok(RawManifest::new(media_type::OCI_MANIFEST, bytes))
}

fn no_manifest(entries: &TarEntries, place: &str) -> SourceError {
    let layout = matches!(entries.find("oci-layout"), Ok(Some(_)));
    let help = if layout {
        format!(
            "it is an OCI image layout: publish it as `{}`",
            place.replacen("docker-archive:", "oci-archive:", 1)
        )
    } else {
        "write one with `docker save --output FILE IMAGE` or `podman save --output FILE IMAGE`".to_owned()
    };
    SourceError::Unsupported {
        reason: format!("{} is not a Docker archive: it has no file `manifest.json`", entries.archive()),
        help,
    }
}

impl Source for DockerArchive {
    fn root(&self) -> Result<Descriptor, SourceError> {
        Ok(self.root.descriptor())
    }

    fn open(&self, blob: &Descriptor) -> Result<BlobReader, SourceError> {
        if blob.digest == *self.root.digest() {
            return Ok(manifest_reader(&self.root, blob));
        }
        let place = format!("`{}` in {}", blob.digest, self.archive);
        let Some(extent) = self.blobs.get(&blob.digest) else {
            return Err(SourceError::MissingBlob { digest: blob.digest.clone(), place });
        };
        if extent.length != blob.size {
            let reason = other_size(extent.length, blob.size);
            return Err(SourceError::Digest { place, expected: blob.digest.clone(), reason });
        }
        Ok(VerifyingReader::boxed(extent.reader(), blob, place))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
