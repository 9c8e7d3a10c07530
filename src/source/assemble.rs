//! An index assembled from a source for each platform.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Serialize;

use super::error::{list, list_platforms};
use super::images::{Image, images};
use super::verify::VerifyingReader;
use super::walk::walk_from;
use super::{BlobReader, Origin, Source, SourceError, Surroundings, open_transport};
use crate::model::{Descriptor, Digest, Platform, RawManifest, Referrer, TransportSpec, media_type};

/// An index over images of several sources.
pub(super) struct Assembled {
    root: RawManifest,
    parts: Vec<Arc<dyn Source>>,
    /// Which part holds what the index reaches.
    holder: HashMap<Digest, usize>,
}

/// An index as it is written: the same bytes on every run.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    schema_version: u8,
    media_type: &'static str,
    manifests: Vec<Descriptor>,
}

/// Opens each source of `table`, chooses its image for the platform, and makes an index of them in the order
/// of the platforms. Attestations about a chosen image follow it.
pub(super) fn assemble(
    table: &BTreeMap<String, TransportSpec>,
    surroundings: &Surroundings,
) -> Result<(Assembled, BTreeMap<String, TransportSpec>), SourceError> {
    let mut pinned = BTreeMap::new();
    let mut entries = Vec::new();
    let mut parts = Vec::new();
    let mut holder = HashMap::new();
    for (platform, (name, spec)) in platforms(table)? {
        let (source, spec) = open_transport(spec, surroundings)?;
        pinned.insert(name.clone(), spec.clone());
        let spec = &spec;
        let image = choose(images(source.as_ref())?, &platform, spec)?;
        let platform = Platform {
            os_version: image.platform.as_ref().and_then(|own| own.os_version.clone()),
            os_features: image.platform.map(|own| own.os_features).unwrap_or_default(),
            ..platform
        };
        let descriptor = Descriptor { platform: Some(platform), ..image.descriptor };
        for entry in std::iter::once(descriptor).chain(image.attestations) {
            let content = walk_from(source.as_ref(), &entry)?;
            let manifests = content.manifests.iter().map(|manifest| manifest.digest().clone());
            let blobs = content.blobs.iter().map(|blob| blob.digest.clone());
            for digest in manifests.chain(blobs) {
                holder.entry(digest).or_insert(parts.len());
            }
            entries.push(entry);
        }
        parts.push(source);
    }
    let wire = Wire { schema_version: 2, media_type: media_type::OCI_INDEX, manifests: entries };
    let bytes = serde_json::to_vec(&wire)
        .map_err(|error| SourceError::malformed("the assembled index", error.to_string()))?;
    let root = RawManifest::new(media_type::OCI_INDEX, bytes);
    Ok((Assembled { root, parts, holder }, pinned))
}

/// The platforms of the table, in order, each once.
fn platforms(
    table: &BTreeMap<String, TransportSpec>,
) -> Result<BTreeMap<Platform, (&String, &TransportSpec)>, SourceError> {
    let mut platforms: BTreeMap<Platform, (&String, &TransportSpec)> = BTreeMap::new();
    for (name, spec) in table {
        let platform: Platform = name.parse().map_err(|error: crate::model::PlatformError| {
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

/// The one image for `platform`, by what its own configuration says.
fn choose(found: Vec<Image>, platform: &Platform, spec: &TransportSpec) -> Result<Image, SourceError> {
    let all: Vec<Platform> = found.iter().filter_map(|image| image.platform.clone()).collect();
    let fits = |image: &Image| image.platform.as_ref().is_some_and(|own| own.satisfies(platform));
    let mut fitting: Vec<Image> = found.into_iter().filter(fits).collect();
    match (fitting.pop(), fitting.len()) {
        (Some(image), 0) => Ok(image),
        (None, _) => Err(SourceError::Platform {
            reason: format!(
                "the source for `{platform}`, `{spec}`, holds no image for it: its own configuration says {}",
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
                    "the source for `{platform}`, `{spec}`, holds several images for it: {}",
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
            return Ok(open_bytes(&self.root, blob));
        }
        let missing = || SourceError::MissingBlob {
            digest: blob.digest.clone(),
            place: "it in one of the sources that the index is assembled from".to_owned(),
        };
        match self.holder.get(&blob.digest).and_then(|part| self.parts.get(*part)) {
            Some(part) => part.open(blob),
            // What only refers to what the index reaches is in any of the parts.
            None => self.parts.iter().find_map(|part| part.open(blob).ok()).ok_or_else(missing),
        }
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

    fn origin(&self, blob: &Digest) -> Option<Origin> {
        self.parts.get(*self.holder.get(blob)?)?.origin(blob)
    }
}

/// Reads a manifest that this program wrote, held to `described` as any other.
pub(super) fn open_bytes(manifest: &RawManifest, described: &Descriptor) -> BlobReader {
    let bytes = std::io::Cursor::new(manifest.bytes().to_vec());
    VerifyingReader::boxed(bytes, described, format!("manifest `{}`", manifest.digest()))
}

#[cfg(test)]
#[path = "assemble_tests.rs"]
mod tests;
