//! An artifact to publish: files under a type.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Files under an artifact type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct ArtifactFile {
    /// The path of the file.
    pub path: String,
    /// The media type of the file.
    pub media_type: String,
    /// The name that the file has when it is pulled.
    pub title: String,
}
