//! The content to publish, as declared and rendered: an image, a chart or an artifact. A saved plan carries it, and it is
//! enough to make the same bytes again.

use std::fmt;

use helm_package::ChartSpec;
use oci_content::{ArtifactSpec, ImageSpec};
use serde::{Deserialize, Serialize};

/// How a chart names an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ImagePin {
    /// By tag.
    Tag,
    /// By digest, with the tag if the form of the value has a place for both.
    Digest,
}

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

impl ContentSpec {
    /// Whether all of the content comes from files, so that no engine or registry is needed.
    pub fn is_of_files(&self) -> bool {
        match self {
            Self::Image(image) => {
                image.source.transports().iter().all(|transport| transport.path().is_some())
            }
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
