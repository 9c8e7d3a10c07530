//! The circumstances of a failure that show whose fault it is: another host that answered, credentials that were kept
//! back, the manifest that was sent.

use url::Url;

use super::text;
use crate::digest::Digest;
use crate::manifest::{Manifest, RawManifest};
use crate::media_type;

/// A host other than the registry's that a request went to, because the registry named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherHost {
    /// Its scheme, host and port.
    pub origin: String,
    /// The scheme, host and port of the registry.
    pub registry: String,
    /// How the registry named it.
    pub route: HostRoute,
}

/// How a registry names another host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostRoute {
    /// A redirect, often to the storage of the registry.
    Redirect,
    /// The `Location` of an upload session.
    Location,
    /// The token server of its `WWW-Authenticate`.
    TokenServer,
}

impl OtherHost {
    /// Returns the host of `url`, which the registry at `registry` named.
    pub(crate) fn new(url: &Url, registry: &Url, route: HostRoute) -> Self {
        let origin = |url: &Url| url.origin().ascii_serialization();
        Self { origin: origin(url), registry: origin(registry), route }
    }
}

/// Credentials that exist but were not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsentCredentials {
    /// Their origin, in words for people.
    pub origin: String,
    /// Why they were not sent.
    pub reason: UnsentReason,
}

/// Why credentials were not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnsentReason {
    /// The request went to another host than the registry's.
    OtherHost,
    /// The registry asks for them in a way that is not known: its `WWW-Authenticate`.
    Challenge(String),
    /// The registry did not ask for any.
    NotAsked,
}

/// The manifest of a request that put one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentManifest {
    /// Its media type.
    pub media_type: String,
    /// The media type of its configuration, or of the artifact that it is, if it names one.
    pub artifact_type: Option<String>,
    /// Its layers that registries do not hold, because they name other addresses.
    pub foreign: Vec<Digest>,
}

impl SentManifest {
    /// Returns the part of `manifest` that explains refusals.
    pub(crate) fn of(manifest: &RawManifest) -> Self {
        let (artifact_type, foreign) = match manifest.parse() {
            Ok(Manifest::Image { config, layers, .. }) => {
                let is_foreign = |layer: &crate::descriptor::Descriptor| {
                    !layer.urls.is_empty() || media_type::is_foreign_layer(&layer.media_type)
                };
                let foreign = layers.into_iter().filter(is_foreign).map(|layer| layer.digest);
                (Some(config.media_type), foreign.collect())
            }
            _ => (None, Vec::new()),
        };
        let printable = |text: &str| text::printable(text, 200);
        Self {
            media_type: printable(manifest.media_type()),
            artifact_type: artifact_type.map(|it| printable(&it)),
            foreign,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_shown_with_its_scheme_and_port() {
        let url = |text: &str| text.parse::<Url>().expect("a url");
        let other = OtherHost::new(
            &url("http://user:pass@storage.example:9000/a?sig=1"),
            &url("https://registry.example/"),
            HostRoute::Redirect,
        );
        assert_eq!(
            (other.origin.as_str(), other.registry.as_str()),
            ("http://storage.example:9000", "https://registry.example")
        );
    }

    #[test]
    fn foreign_layers_are_those_with_addresses_or_a_type_of_their_own() {
        let digest = |text: &str| Digest::of(text.as_bytes());
        let layer = |kind: &str, text: &str, urls: &[&str]| serde_json::json!({ "mediaType": kind, "digest": digest(text), "size": 1, "urls": urls });
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": media_type::OCI_MANIFEST,
            "config": layer(media_type::OCI_CONFIG, "config", &[]),
            "layers": [
                layer(media_type::OCI_LAYER, "own", &[]),
                layer(media_type::OCI_LAYER, "elsewhere", &["https://h/x"]),
                layer("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "foreign", &[]),
            ],
        });
        let manifest = RawManifest::new(media_type::OCI_MANIFEST, manifest.to_string().into_bytes());
        let sent = SentManifest::of(&manifest);
        assert_eq!(sent.foreign, [digest("elsewhere"), digest("foreign")]);
        assert_eq!(sent.artifact_type.as_deref(), Some(media_type::OCI_CONFIG));
        let odd = SentManifest::of(&RawManifest::new("application/x", b"[".to_vec()));
        assert_eq!((odd.media_type.as_str(), odd.foreign.len()), ("application/x", 0));
    }
}
