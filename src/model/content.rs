//! The content to publish, as declared and rendered: an image, a chart or an artifact. A saved plan carries it, and it is
//! enough to make the same bytes again.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Platform, SourceSpec, TransportSpec};

/// The content to publish. Paths are relative to the folder of `publish.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ContentSpec {
    /// An image, or an index of images.
    Image(ImageSpec),
    /// A Helm chart.
    Chart(ChartSpec),
    /// Files under an artifact type.
    Artifact(ArtifactSpec),
}

/// An image, or an index of images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ImageSpec {
    /// The source of the image.
    pub source: SourceSpec,
    /// The platforms to publish: the source must have each of them, and others are left out. Empty: all that the source has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<Platform>,
    /// Annotations to write.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The places that the annotations are written to. Empty: the root.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub annotate: Vec<AnnotationPlace>,
    /// Labels to write to the configuration of each image.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Whether referrers of the published manifests (signatures, SBOMs) are published with them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub referrers: bool,
}

impl ContentSpec {
    /// Whether all of the content comes from files, so that no engine or registry is needed.
    pub fn is_of_files(&self) -> bool {
        match self {
            Self::Image(image) => image.source.transports().iter().all(|transport| match transport {
                TransportSpec::Oci { .. }
                | TransportSpec::OciArchive { .. }
                | TransportSpec::DockerArchive { .. } => true,
                TransportSpec::DockerDaemon { .. } | TransportSpec::Docker(_) => false,
            }),
            Self::Chart(_) | Self::Artifact(_) => true,
        }
    }
}

impl fmt::Display for ContentSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(image) => image.source.fmt(f),
            Self::Chart(chart) => f.write_str(&chart.path),
            Self::Artifact(artifact) => {
                let paths = artifact.files.iter().map(|file| file.path.as_str());
                f.write_str(&paths.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl ImageSpec {
    /// Returns an image that is published exactly as its source has it.
    pub fn of(source: SourceSpec) -> Self {
        Self {
            source,
            platforms: Vec::new(),
            annotations: BTreeMap::new(),
            annotate: Vec::new(),
            labels: BTreeMap::new(),
            referrers: false,
        }
    }
}

/// A place that annotations are written to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum AnnotationPlace {
    /// The root: the index, or the manifest of a single image.
    Root,
    /// The manifest of each image, except attestations.
    Manifests,
    /// The entries of the index that describe images, except attestations.
    Descriptors,
}

/// A Helm chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ChartSpec {
    /// The directory of the chart, or a packaged chart: `.tgz`.
    pub path: String,
    /// The name that the chart must have, because Helm finds it by that name: the last part of its repository.
    pub name: String,
    /// The version that the chart is published as.
    pub version: String,
    /// The version of the application in the chart. Left out: the version in `Chart.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_version: Option<String>,
    /// Annotations of the manifest, which override those that Helm writes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The time at which it was made, in seconds since 1970: the time of the commit, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<i64>,
}

/// Files under an artifact type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ArtifactSpec {
    /// The type of the artifact, a media type.
    pub artifact_type: String,
    /// The files, in order.
    pub files: Vec<ArtifactFile>,
    /// Annotations of the manifest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ArtifactFile {
    /// The path of the file.
    pub path: String,
    /// The media type of the file.
    pub media_type: String,
    /// The name that the file has when it is pulled.
    pub title: String,
}
