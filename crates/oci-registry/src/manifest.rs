//! Manifests, as bytes and parsed.
//!
//! A manifest is always sent as the bytes it came in ([`RawManifest`]); the parsed form
//! ([`Manifest`]) is for reading.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::media_type;

/// The size of the largest manifest that is read or sent, in bytes. Registries must accept 4 MiB
/// (distribution-spec 1.1, "Pushing manifests"); Gitea accepts 10 MiB, and no known registry accepts more.
pub const MAX_MANIFEST_SIZE: u64 = 10 * 1024 * 1024;

/// A manifest as bytes, with the media type it travels under and the digest computed from the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawManifest {
    media_type: String,
    bytes: Vec<u8>,
    digest: Digest,
}

/// The reason why bytes are not a manifest that can be published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The bytes are not JSON, or do not have the shape of a manifest.
    #[error("manifest {digest} is not valid: {reason}")]
    Malformed {
        /// The digest of the bytes.
        digest: Digest,
        /// The message of the parser.
        reason: String,
    },
    /// The manifest is Docker's manifest schema 1.
    #[error(
        "manifest {digest} is Docker image manifest schema 1, which registries no longer accept: rebuild the image with a current tool"
    )]
    Schema1 {
        /// The digest of the bytes.
        digest: Digest,
    },
    /// The media type is not that of a manifest.
    #[error("manifest {digest} has the media type `{media_type}`, which is neither an image nor an index")]
    MediaType {
        /// The digest of the bytes.
        digest: Digest,
        /// The media type that was found.
        media_type: String,
    },
}

/// A parsed manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manifest {
    /// An index: a list of other manifests.
    Index {
        /// The manifests listed, in order.
        manifests: Vec<Descriptor>,
        /// Annotations of the index.
        annotations: BTreeMap<String, String>,
        /// The manifest that this one refers to.
        subject: Option<Box<Descriptor>>,
    },
    /// One image or artifact.
    Image {
        /// The configuration blob.
        config: Box<Descriptor>,
        /// The layers, lowest first.
        layers: Vec<Descriptor>,
        /// Annotations of the manifest.
        annotations: BTreeMap<String, String>,
        /// The manifest that this one refers to.
        subject: Option<Box<Descriptor>>,
    },
}

/// A manifest of any media type, which may be a referrer: the content that it names in the members that manifests have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ReferrerManifest {
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    blobs: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    annotations: Option<BTreeMap<String, String>>,
}

impl ReferrerManifest {
    /// The blobs that must be in a repository before this manifest.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        let lists = [&self.layers, &self.blobs];
        self.config.iter().chain(lists.into_iter().flatten().flatten())
    }

    /// The manifests that must be in a repository before this one.
    pub fn manifests(&self) -> &[Descriptor] {
        self.manifests.as_deref().unwrap_or_default()
    }

    /// The annotations of the manifest itself.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        self.annotations.clone().unwrap_or_default()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ManifestFields {
    schema_version: Option<u64>,
    media_type: Option<String>,
    manifests: Option<Vec<Descriptor>>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    annotations: Option<BTreeMap<String, String>>,
    subject: Option<Descriptor>,
}

impl RawManifest {
    /// Returns the manifest of `bytes` that travel under `media_type`.
    pub fn new(media_type: impl Into<String>, bytes: Vec<u8>) -> Self {
        let digest = Digest::of(&bytes);
        Self { media_type: media_type.into(), bytes, digest }
    }

    /// The media type it travels under.
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// The bytes, as they came.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest of the bytes.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Returns a descriptor of the bytes, without any optional field.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::new(&self.media_type, self.digest.clone(), self.bytes.len() as u64)
    }

    /// Parses the bytes as a referrer whose media type is not that of an image or index: the deprecated manifest of artifacts
    /// ([`media_type::OCI_ARTIFACT`]), or any other JSON.
    ///
    /// # Errors
    ///
    /// [`ManifestError`] if the bytes are not JSON, or the members that name content do not name any.
    pub fn parse_referrer(&self) -> Result<ReferrerManifest, ManifestError> {
        serde_json::from_slice(&self.bytes).map_err(|error| ManifestError::Malformed {
            digest: self.digest.clone(),
            reason: error.to_string(),
        })
    }

    /// Parses the bytes.
    ///
    /// # Errors
    ///
    /// [`ManifestError`] if the bytes are not a manifest of the media type they travel under.
    pub fn parse(&self) -> Result<Manifest, ManifestError> {
        let digest = || self.digest.clone();
        let malformed = |reason: String| ManifestError::Malformed { digest: digest(), reason };
        if [media_type::DOCKER_SCHEMA_1, media_type::DOCKER_SCHEMA_1_SIGNED]
            .contains(&self.media_type.as_str())
        {
            return Err(ManifestError::Schema1 { digest: digest() });
        }
        if !media_type::is_manifest(&self.media_type) {
            return Err(ManifestError::MediaType { digest: digest(), media_type: self.media_type.clone() });
        }
        let wire: ManifestFields =
            serde_json::from_slice(&self.bytes).map_err(|error| malformed(error.to_string()))?;
        if wire.schema_version == Some(1) {
            return Err(ManifestError::Schema1 { digest: digest() });
        }
        if wire.schema_version != Some(2) {
            return Err(malformed("`schemaVersion` is not 2".to_owned()));
        }
        if let Some(inner) = wire.media_type.filter(|inner| *inner != self.media_type) {
            let reason = format!("its `mediaType` is `{inner}`, but it travels as `{}`", self.media_type);
            return Err(malformed(reason));
        }
        // Programs that look at different members would read different manifests in the same bytes (CVE-2021-41190).
        let both = wire.manifests.is_some() && (wire.config.is_some() || wire.layers.is_some());
        if both {
            return Err(malformed(
                "it has the members of both an index and an image, and could be read as either".to_owned(),
            ));
        }
        let annotations = wire.annotations.unwrap_or_default();
        let subject = wire.subject.map(Box::new);
        if media_type::is_index(&self.media_type) {
            let manifests =
                wire.manifests.ok_or_else(|| malformed("an index without `manifests`".to_owned()))?;
            return Ok(Manifest::Index { manifests, annotations, subject });
        }
        let config = wire.config.ok_or_else(|| malformed("an image manifest without `config`".to_owned()))?;
        // Go writes `null` for an image without layers.
        let layers = wire.layers.unwrap_or_default();
        Ok(Manifest::Image { config: Box::new(config), layers, annotations, subject })
    }
}

impl Manifest {
    /// The annotations of the manifest itself.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        match self {
            Self::Index { annotations, .. } | Self::Image { annotations, .. } => annotations,
        }
    }

    /// The blobs that must be in a repository before this manifest. An index has none.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        let (config, layers) = match self {
            Self::Index { .. } => (None, [].as_slice()),
            Self::Image { config, layers, .. } => (Some(config.as_ref()), layers.as_slice()),
        };
        config.into_iter().chain(layers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(media_type: &str, json: &str) -> Result<Manifest, ManifestError> {
        RawManifest::new(media_type, json.as_bytes().to_vec()).parse()
    }

    #[test]
    fn bytes_that_are_not_a_manifest_of_their_type_are_refused() {
        for (media_type, json, words) in [
            (media_type::OCI_INDEX, "", "not valid"),
            (media_type::OCI_INDEX, "[]", "not valid"),
            (media_type::OCI_INDEX, r#"{"schemaVersion":2}"#, "without `manifests`"),
            (media_type::OCI_INDEX, r#"{"schemaVersion":3,"manifests":[]}"#, "is not 2"),
            (media_type::OCI_MANIFEST, r#"{"schemaVersion":2}"#, "without `config`"),
            (media_type::OCI_MANIFEST, r#"{"schemaVersion":1,"fsLayers":[]}"#, "schema 1"),
            (media_type::DOCKER_SCHEMA_1, "{}", "schema 1"),
            ("application/json", "{}", "neither an image"),
            (media_type::OCI_INDEX, r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#, "as either"),
            (media_type::OCI_MANIFEST, r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#, "as either"),
            (
                media_type::OCI_MANIFEST,
                r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#,
                "travels as",
            ),
        ] {
            let error = parse(media_type, json).expect_err(json).to_string();
            assert!(error.contains(words), "{json}: {error}");
        }
    }

    #[test]
    fn a_referrer_of_any_type_names_its_content() {
        let of = |text: &str| {
            let digest = Digest::of(text.as_bytes());
            format!(r#"{{"mediaType":"text/plain","digest":"{digest}","size":1}}"#)
        };
        let text = format!(
            r#"{{"mediaType":"{}","blobs":[{}],"config":{},"layers":[{}],"manifests":[{}],"annotations":{{"a":"b"}},"other":[{}]}}"#,
            media_type::OCI_ARTIFACT,
            of("blob"),
            of("config"),
            of("layer"),
            of("child"),
            of("other")
        );
        let raw = RawManifest::new(media_type::OCI_ARTIFACT, text.into_bytes());
        assert!(raw.parse().is_err());
        let parsed = raw.parse_referrer().expect("a referrer");
        let digests: Vec<Digest> = parsed.blobs().map(|blob| blob.digest.clone()).collect();
        assert_eq!(digests, ["config", "layer", "blob"].map(|text| Digest::of(text.as_bytes())));
        assert_eq!(parsed.manifests().len(), 1);
        assert_eq!(parsed.annotations().len(), 1);
        assert!(RawManifest::new("a/b", b"[".to_vec()).parse_referrer().is_err());
    }

    #[test]
    fn the_digest_is_of_the_bytes() {
        let raw =
            RawManifest::new(media_type::OCI_INDEX, br#"{ "schemaVersion": 2, "manifests": [] }"#.to_vec());
        assert_eq!(*raw.digest(), Digest::of(raw.bytes()));
        assert!(matches!(raw.parse(), Ok(Manifest::Index { .. })));
    }
}
