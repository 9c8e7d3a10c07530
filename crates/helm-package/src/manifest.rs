//! The parts that `helm push` sends beside the package (`pkg/registry/client.go`, `pkg/registry/chart.go`): a configuration, which
//! is `Chart.yaml` as JSON, and a manifest without `mediaType`, with layers sorted by digest and annotations by key.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::go_json;
use crate::metadata::ChartMetadata;
use oci_registry::{Descriptor, Digest, RawManifest, media_type};

/// The media type of the configuration.
pub(crate) const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
/// The media type of the package.
pub const CONTENT: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// The media type of the provenance.
pub const PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";

/// The annotation with the images that were set in the values, with commas between them.
pub const IMAGES: &str = "io.colliery.chart.images";

const TITLE: &str = "org.opencontainers.image.title";
const VERSION: &str = "org.opencontainers.image.version";

/// A manifest as Go writes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HelmManifest {
    schema_version: u8,
    config: Descriptor,
    layers: Vec<Descriptor>,
    annotations: BTreeMap<String, String>,
}

/// Returns the configuration of a chart.
pub(crate) fn config(metadata: &ChartMetadata) -> serde_json::Result<(Descriptor, Vec<u8>)> {
    let bytes = go_json::to_vec(metadata)?;
    Ok((Descriptor::new(CONFIG, Digest::of(&bytes), bytes.len() as u64), bytes))
}

/// Returns the manifest with a configuration and layers.
pub(crate) fn manifest(
    config: Descriptor,
    mut layers: Vec<Descriptor>,
    annotations: BTreeMap<String, String>,
) -> serde_json::Result<RawManifest> {
    layers.sort_by(|one, other| one.digest.as_str().cmp(other.digest.as_str()));
    let manifest = HelmManifest { schema_version: 2, config, layers, annotations };
    Ok(RawManifest::new(media_type::OCI_MANIFEST, go_json::to_vec(&manifest)?))
}

/// Returns the annotations that Helm makes from a chart's metadata. `created` is in RFC 3339. Helm uses the time of the push, so each
/// push makes another manifest; here it is the time of the commit, or left out.
pub(crate) fn annotations(metadata: &ChartMetadata, created: Option<&str>) -> BTreeMap<String, String> {
    let mut annotations = BTreeMap::new();
    let mut add = |key: &str, value: &str| {
        if !value.trim().is_empty() {
            annotations.insert(key.to_owned(), value.to_owned());
        }
    };
    add("org.opencontainers.image.description", &metadata.description);
    add(TITLE, &metadata.name);
    add(VERSION, &metadata.version);
    add("org.opencontainers.image.url", &metadata.home);
    add("org.opencontainers.image.created", created.unwrap_or_default());
    add("org.opencontainers.image.source", metadata.sources.first().map_or("", String::as_str));
    let authors: Vec<String> = metadata
        .maintainers
        .iter()
        .map(|it| if it.email.is_empty() { it.name.clone() } else { format!("{} ({})", it.name, it.email) })
        .collect();
    add("org.opencontainers.image.authors", &authors.join(", "));
    for (key, value) in &metadata.annotations {
        if ![TITLE, VERSION].contains(&key.as_str()) {
            annotations.insert(key.clone(), value.clone());
        }
    }
    annotations
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
