//! An image to publish, as declared and rendered: its source, and every change that is made to it.

use std::collections::BTreeMap;

use oci_registry::Platform;
use serde::{Deserialize, Serialize};

use crate::SourceSpec;

/// An image, or an index of images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AnnotationPlace {
    /// The root: the index, or the manifest of a single image.
    Root,
    /// The manifest of each image, except attestations.
    Manifests,
    /// The entries of the index that describe images, except attestations.
    Descriptors,
}
