//! Images in the store of podman, buildah and skopeo (containers-storage(5)), read from its files.
//!
//! The store keeps the configuration of an image as it is, and its layers unpacked. Beside each layer, `ID.tar-split.gz` has
//! everything of the layer's tar but the contents of files, so that the tar is rebuilt byte for byte. Its digest must be the one
//! that the configuration records. The layers are then compressed as those of a Docker archive, because the store does not have
//! the compressed bytes.
//!
//! In reading order: `place` (the folder and driver of the store), `records` (its lists of images and layers), `tar_split` (the tar of a
//! layer).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::docker_archive::{DockerArchive, LayerFile, RootFilesystemConfig};
use super::error::{counted, list};
use super::positioned::{Extent, PositionedFile};
use super::{Source, SourceError, Surroundings};
use crate::TransportSpec;
use oci_registry::{Descriptor, Digest};

mod place;
mod records;
mod tar_split;

use place::StorePlace;
use records::{StoreRecords, StoredImage};

/// The manifest that the store has of an image.
#[derive(Deserialize)]
struct StoredManifest {
    config: Option<Descriptor>,
    manifests: Option<Vec<Descriptor>>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

/// Opens the image that `image` names in the store `store`, or in the user's own, and returns it with its spec pinned to the id.
pub(super) fn open(
    store: Option<&str>,
    image: &str,
    surroundings: &Surroundings,
) -> Result<(Arc<dyn Source>, TransportSpec), SourceError> {
    let place = StorePlace::find(store, surroundings)?;
    let records = StoreRecords::read(&place)?;
    let found = records.choose(image)?;
    let pinned =
        TransportSpec::ContainersStorage { store: store.map(str::to_owned), image: found.id.clone() };
    let name = format!("containers-storage:{}", place.root.display());
    // The id of an image is the digest of its configuration, from which everything that is published follows.
    let id = Digest::of(format!("{} {}", found.id, found.digest.as_deref().unwrap_or_default()).as_bytes());
    if let Some(source) = surroundings.content.exported(&name, &id) {
        return Ok((source, pinned));
    }
    let (source, size) = built(&place, &records, found, surroundings)?;
    let source: Arc<dyn Source> = Arc::new(source);
    surroundings.content.keep_exported(&name, &id, Arc::clone(&source), size);
    Ok((source, pinned))
}

/// The images that a manifest list in the store lists, if `spec` names one.
pub(super) fn listed(
    spec: &TransportSpec,
    surroundings: &Surroundings,
) -> Result<Option<Vec<TransportSpec>>, SourceError> {
    let TransportSpec::ContainersStorage { store, image } = spec else { return Ok(None) };
    let place = StorePlace::find(store.as_deref(), surroundings)?;
    let records = StoreRecords::read(&place)?;
    let found = records.choose(image)?;
    let Some(entries) = manifest_of(&place, found)?.manifests else { return Ok(None) };
    let mut images = Vec::with_capacity(entries.len());
    let mut absent = Vec::new();
    for entry in &entries {
        match records.with_manifest(&entry.digest) {
            Some(image) => images
                .push(TransportSpec::ContainersStorage { store: store.clone(), image: image.id.clone() }),
            None => absent
                .push(entry.platform.as_ref().map_or_else(|| entry.digest.to_string(), ToString::to_string)),
        }
    }
    if !absent.is_empty() {
        return Err(SourceError::Platform {
            reason: format!(
                "the manifest list `{image}` in {place} lists images that the store does not have: {}",
                list(&absent)
            ),
            help: format!(
                "build or pull them, or write the list with all of them to a layout: `podman manifest push --all {image} \
                 oci:DIR`, and publish `oci:DIR`"
            ),
        });
    }
    Ok(Some(images))
}

fn manifest_of(place: &StorePlace, image: &StoredImage) -> Result<StoredManifest, SourceError> {
    let (bytes, shown) = place.image_data(&image.id, "manifest")?;
    serde_json::from_slice(&bytes).map_err(|error| SourceError::malformed(shown, error.to_string()))
}

/// The image `found`, and the number of bytes that its layers have.
fn built(
    place: &StorePlace,
    records: &StoreRecords,
    found: &StoredImage,
    surroundings: &Surroundings,
) -> Result<(DockerArchive, u64), SourceError> {
    let manifest = manifest_of(place, found)?;
    let shown = format!("image `{}` in {place}", found.name());
    let Some(config) = manifest.config else {
        let help = "name it as the only source of the image, so that its images become the platforms";
        let reason = if manifest.manifests.is_some() {
            format!("{shown} is a manifest list inside of another list")
        } else {
            format!("{shown} has no configuration, so it is not an image")
        };
        return Err(SourceError::Unsupported { reason, help: help.to_owned() });
    };
    let (config_bytes, config_place) = place.image_data(&found.id, config.digest.as_str())?;
    if Digest::of(&config_bytes) != config.digest {
        let reason = format!("its bytes are `{}`", Digest::of(&config_bytes));
        return Err(SourceError::Digest { place: config_place, expected: config.digest, reason });
    }
    let parsed: RootFilesystemConfig = serde_json::from_slice(&config_bytes)
        .map_err(|error| SourceError::malformed(&config_place, error.to_string()))?;
    let diff_ids = parsed.rootfs.diff_ids.unwrap_or_default();
    let chain = records.layers_of(found)?;
    if chain.len() != diff_ids.len() {
        let recorded = counted(diff_ids.len() as u64, "layer");
        let reason = format!("its configuration names {recorded}, but the store has {} for it", chain.len());
        return Err(SourceError::malformed(shown, reason));
    }
    let folder = surroundings.temporary_folder();
    let mut layers = Vec::with_capacity(chain.len());
    let mut size = 0_u64;
    for (layer, diff_id) in chain.iter().zip(diff_ids) {
        let file = tar_split::rebuilt(place, layer, &folder)?;
        size = size.saturating_add(file.length());
        let layer_place = format!("layer `{}` in {place}", layer.get(..12).unwrap_or(layer));
        layers.push(LayerFile { place: layer_place, extent: whole(file), diff_id });
    }
    let mut config_file = folder.file()?;
    std::io::Write::write_all(&mut config_file, &config_bytes).map_err(|error| folder.failed(error))?;
    let config_file = PositionedFile::of(config_file, Path::new(&config_place).to_owned())
        .map_err(|error| folder.failed(error))?;
    let annotations = manifest.annotations.unwrap_or_default();
    let image = DockerArchive::of_layers(shown, whole(config_file), &layers, &annotations, surroundings)?;
    Ok((image, size))
}

/// All of a file.
fn whole(file: PositionedFile) -> Extent {
    let length = file.length();
    Extent { file: Arc::new(file), offset: 0, length }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
