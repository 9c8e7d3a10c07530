//! A pointer to content: its media type, size and digest.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::digest::Digest;
use crate::platform::Platform;

/// A content descriptor (image-spec, descriptor.md). Annotations are ordered, so that a descriptor is
/// serialized in the same way on every run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The media type of the content.
    pub media_type: String,
    /// The digest of the content.
    pub digest: Digest,
    /// The size of the content in bytes.
    pub size: u64,
    /// The platform that the content runs on; set on the entries of an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Other addresses of the content; set on foreign layers.
    #[serde(default, deserialize_with = "or_null", skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Annotations of the descriptor, not of the content.
    #[serde(default, deserialize_with = "or_null", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The type of the artifact, if the content is the manifest of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
}

impl Descriptor {
    /// Returns a descriptor of `size` bytes of `media_type`, without any optional field.
    pub fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.into(),
            digest,
            size,
            platform: None,
            urls: Vec::new(),
            annotations: BTreeMap::new(),
            artifact_type: None,
        }
    }
}

/// Reads a list or map that may be `null`, because that is how Go writes an empty one.
fn or_null<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_fields_may_be_null() {
        let digest = Digest::of(b"x");
        let text = format!(
            r#"{{"mediaType":"x","digest":"{digest}","size":1,"urls":null,"annotations":null,"platform":null}}"#
        );
        assert_eq!(
            serde_json::from_str::<Descriptor>(&text).expect("a descriptor"),
            Descriptor::new("x", digest, 1)
        );
    }
}
