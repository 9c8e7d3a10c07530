//! An index assembled from several sources: one source for each platform, or all images of a list of sources.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Serialize;

use super::error::{list, list_platforms};
use super::images::{Images, SourceImage, images, images_there};
use super::incomplete::explained;
use super::transport::open_transport;
use super::verify::manifest_reader;
use super::walk::walk_from;
use super::{BlobOrigin, BlobReader, Source, SourceError, Surroundings};
use crate::TransportSpec;
use oci_registry::{Descriptor, Digest, Platform, RawManifest, Referrer, media_type};

/// An index over images of several sources.
pub(super) struct Assembled {
    root: RawManifest,
    parts: Vec<Arc<dyn Source>>,
    /// The part that holds each manifest and blob that the index reaches.
    holder: HashMap<Digest, usize>,
}

/// The serialized form of an index: the same bytes on every run.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct IndexDocument {
    schema_version: u8,
    media_type: &'static str,
    manifests: Vec<Descriptor>,
}

/// Opens each source of `table`, chooses its image for the platform, and assembles an index of them in the order
/// of the platforms. Attestations about a chosen image follow it.
pub(super) fn assemble(
    table: &BTreeMap<String, TransportSpec>,
    surroundings: &Surroundings,
) -> Result<(Assembled, BTreeMap<String, TransportSpec>), SourceError> {
    let mut pinned = BTreeMap::new();
    let mut parts = Parts::default();
    for (platform, (name, spec)) in platforms(table)? {
        let (source, spec) = open_transport(spec, surroundings)?;
        pinned.insert(name.clone(), spec.clone());
        let image = choose(images_there(source.as_ref())?, &platform, &spec)
            .map_err(|error| explained(source.as_ref(), &spec.to_string(), error))?;
        let platform = Platform {
            os_version: image.platform.as_ref().and_then(|own| own.os_version.clone()),
            os_features: image.platform.as_ref().map(|own| own.os_features.clone()).unwrap_or_default(),
            ..platform
        };
        let part = parts.source(Arc::clone(&source));
        parts
            .add(part, image, platform)
            .map_err(|error| explained(source.as_ref(), &spec.to_string(), error))?;
    }
    Ok((parts.assemble()?, pinned))
}

/// Opens each source of `list`, and assembles an index of all their images in the order of the platforms, which are read from
/// their own configurations. Attestations about an image follow it.
pub(super) fn assemble_several(
    list: &[TransportSpec],
    surroundings: &Surroundings,
) -> Result<(Assembled, Vec<TransportSpec>), SourceError> {
    let mut pinned: Vec<TransportSpec> = Vec::new();
    let mut parts = Parts::default();
    let mut found: Vec<(Platform, usize, SourceImage)> = Vec::new();
    for spec in list {
        let (source, spec) = open_transport(spec, surroundings)?;
        let of_source =
            images(source.as_ref()).map_err(|error| explained(source.as_ref(), &spec.to_string(), error))?;
        for image in of_source {
            let platform = image.platform.clone().ok_or_else(|| without_platform(&image, &spec))?;
            if let Some((_, other, twin)) = found.iter().find(|(other, ..)| other.is_as_good_as(&platform)) {
                let other = pinned.get(*other).unwrap_or(&spec);
                return Err(twice(&platform, (other, twin), (&spec, &image)));
            }
            found.push((platform, parts.sources.len(), image));
        }
        parts.source(source);
        pinned.push(spec);
    }
    if found.is_empty() {
        return Err(SourceError::Platform {
            reason: "the sources of the list hold no image".to_owned(),
            help: "name at least one image: `[\"oci:DIR\"]`".to_owned(),
        });
    }
    found.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    for (platform, part, image) in found {
        parts.add(part, image, platform)?;
    }
    Ok((parts.assemble()?, pinned))
}

fn without_platform(image: &SourceImage, spec: &TransportSpec) -> SourceError {
    SourceError::Platform {
        reason: format!(
            "image {} of `{spec}` does not name its platform in its configuration",
            image.descriptor.digest.short(12)
        ),
        help: "build it with `--platform`, or give a table of platforms as `source`, or leave it out of the list".to_owned(),
    }
}

/// The error for two images for one platform.
fn twice(
    platform: &Platform,
    one: (&TransportSpec, &SourceImage),
    other: (&TransportSpec, &SourceImage),
) -> SourceError {
    let named = |(spec, image): (&TransportSpec, &SourceImage)| {
        format!("{} of `{spec}`", image.descriptor.digest.short(12))
    };
    SourceError::Platform {
        reason: format!("two images are for `{platform}`: {} and {}", named(one), named(other)),
        help: "leave one of them out, or build it for the right platform (`--platform`): an index has one image for each \
               platform"
            .to_owned(),
    }
}

/// The parts of an index that is being assembled.
#[derive(Default)]
struct Parts {
    entries: Vec<Descriptor>,
    sources: Vec<Arc<dyn Source>>,
    holder: HashMap<Digest, usize>,
}

impl Parts {
    /// Adds a source, and returns its number.
    fn source(&mut self, source: Arc<dyn Source>) -> usize {
        self.sources.push(source);
        self.sources.len() - 1
    }

    /// Adds an image of a source as the image for `platform`, with its attestations.
    fn add(&mut self, part: usize, image: SourceImage, platform: Platform) -> Result<(), SourceError> {
        let Some(source) = self.sources.get(part) else { return Ok(()) };
        let descriptor = Descriptor { platform: Some(platform), ..image.descriptor };
        for entry in std::iter::once(descriptor).chain(image.attestations) {
            // An index may list the same content many times.
            if self.holder.get(&entry.digest) == Some(&part) {
                self.entries.push(entry);
                continue;
            }
            let content = walk_from(source.as_ref(), &entry)?;
            let manifests = content.manifests.iter().map(|manifest| manifest.digest().clone());
            let blobs = content.blobs.iter().map(|blob| blob.digest.clone());
            for digest in manifests.chain(blobs) {
                self.holder.entry(digest).or_insert(part);
            }
            self.entries.push(entry);
        }
        Ok(())
    }

    fn assemble(self) -> Result<Assembled, SourceError> {
        let document =
            IndexDocument { schema_version: 2, media_type: media_type::OCI_INDEX, manifests: self.entries };
        let bytes = serde_json::to_vec(&document)
            .map_err(|error| SourceError::malformed("the assembled index", error.to_string()))?;
        let root = RawManifest::new(media_type::OCI_INDEX, bytes);
        Ok(Assembled { root, parts: self.sources, holder: self.holder })
    }
}

/// The platforms of the table with their entries, in order, each once.
fn platforms(
    table: &BTreeMap<String, TransportSpec>,
) -> Result<BTreeMap<Platform, (&String, &TransportSpec)>, SourceError> {
    let mut platforms: BTreeMap<Platform, (&String, &TransportSpec)> = BTreeMap::new();
    for (name, spec) in table {
        let platform: Platform = name.parse().map_err(|error: oci_registry::PlatformError| {
            let help = error.suggestion.as_ref().map_or_else(
                || "write it as `linux/amd64` or `linux/arm/v7`".to_owned(),
                |suggestion| format!("did you mean `{suggestion}`?"),
            );
            SourceError::Platform { reason: error.to_string(), help }
        })?;
        if let Some(other) = platforms.keys().find(|other| other.satisfies(&platform)) {
            return Err(SourceError::Platform {
                reason: format!("`{other}` and `{platform}` are the same platform"),
                help: "leave one of them out".to_owned(),
            });
        }
        platforms.insert(platform, (name, spec));
    }
    if platforms.is_empty() {
        return Err(SourceError::Platform {
            reason: "the table of platforms is empty".to_owned(),
            help: "give a source for each platform: `{ \"linux/amd64\" = \"oci:DIR\" }`".to_owned(),
        });
    }
    Ok(platforms)
}

/// The one image whose own configuration fits `platform`.
fn choose(found: Images, platform: &Platform, spec: &TransportSpec) -> Result<SourceImage, SourceError> {
    let Images { images: found, absent } = found;
    let all: Vec<Platform> = found.iter().filter_map(|image| image.platform.clone()).collect();
    let fits = |image: &SourceImage| image.platform.as_ref().is_some_and(|own| own.satisfies(platform));
    let mut fitting: Vec<SourceImage> = found.into_iter().filter(fits).collect();
    let missing = absent.into_iter().find(|(own, _)| own.satisfies(platform));
    if let (true, Some((_, error))) = (fitting.is_empty(), missing) {
        return Err(error);
    }
    match (fitting.pop(), fitting.len()) {
        (Some(image), 0) => Ok(image),
        (None, _) => Err(SourceError::Platform {
            reason: format!(
                "the source for `{platform}`, `{spec}`, holds no image for that platform: its own configuration says {}",
                if all.is_empty() { "no platform".to_owned() } else { list_platforms(&all) }
            ),
            help: "give each platform the source that was built for it, or build it with `--platform`"
                .to_owned(),
        }),
        (Some(last), _) => {
            let digests: Vec<String> =
                fitting.iter().chain([&last]).map(|image| image.descriptor.digest.short(12)).collect();
            Err(SourceError::Platform {
                reason: format!(
                    "the source for `{platform}`, `{spec}`, holds several images for that platform: {}",
                    list(&digests)
                ),
                help: "name a source that holds one image for the platform".to_owned(),
            })
        }
    }
}

impl Source for Assembled {
    fn root(&self) -> Result<Descriptor, SourceError> {
        Ok(self.root.descriptor())
    }

    fn open(&self, blob: &Descriptor) -> Result<BlobReader, SourceError> {
        if blob.digest == *self.root.digest() {
            return Ok(manifest_reader(&self.root, blob));
        }
        let missing = || SourceError::MissingBlob {
            digest: blob.digest.clone(),
            place: "it in one of the sources that the index is assembled from".to_owned(),
        };
        match self.holder.get(&blob.digest).and_then(|part| self.parts.get(*part)) {
            Some(part) => part.open(blob),
            // The content of referrers is not in `holder`, and may be in any of the parts.
            None => self.parts.iter().find_map(|part| part.open(blob).ok()).ok_or_else(missing),
        }
    }

    fn open_manifest(&self, manifest: &Descriptor) -> Result<BlobReader, SourceError> {
        if media_type::is_manifest(&manifest.media_type) {
            return self.open(manifest);
        }
        // Only referrers have other types.
        let open = self.parts.iter().find_map(|part| part.open_manifest(manifest).ok());
        open.map_or_else(|| self.open(manifest), Ok)
    }

    fn check(&self, blobs: &[Descriptor]) -> Result<(), SourceError> {
        // The blobs of each part were checked when the index was assembled.
        let stranger = blobs.iter().find(|blob| !self.holder.contains_key(&blob.digest));
        stranger.map_or(Ok(()), |blob| self.open(blob).map(drop))
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Referrer>, SourceError> {
        let mut found: Vec<Referrer> = Vec::new();
        for part in &self.parts {
            for referrer in part.referrers(subject)? {
                if !found.iter().any(|known| known.is_same(&referrer)) {
                    found.push(referrer);
                }
            }
        }
        Ok(found)
    }

    fn origin(&self, blob: &Digest) -> Option<BlobOrigin> {
        self.parts.get(*self.holder.get(blob)?)?.origin(blob)
    }
}

#[cfg(test)]
#[path = "assemble_tests.rs"]
mod tests;
