//! The source of an image, as declared: a transport and the name of an image in it, several of these, or a table of these
//! by platform.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::input::STANDARD_INPUT;
use super::meant::{image_named, is_tagged_name, meant_by};
use oci_registry::remote::RemoteReference;

/// The source of an image. Relative paths start at [`Surroundings::folder`](crate::Surroundings::folder).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(
    untagged,
    expecting = "expected a source: a transport such as `oci:DIR[:REF]`, a list of those, a table of those by platform, or `{ digests, from }`"
)]
pub enum SourceSpec {
    /// One transport string.
    One(TransportSpec),
    /// An index to assemble from the images of several sources. Their platforms are read from their configurations.
    Several(Vec<TransportSpec>),
    /// An index to assemble from images that were pushed by digest.
    Digests(DigestFolder),
    /// An index to assemble from one source for each platform, by the name of the platform.
    Platforms(BTreeMap<String, TransportSpec>),
}

/// Images that a build pushed. The build left their digests in files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DigestFolder {
    /// A file that lists digests, or a folder of such files or of files named by digest.
    pub digests: String,
    /// The repository that they were pushed to: `docker://REPOSITORY`.
    pub from: TransportSpec,
    /// The target whose image is meant, if the file has several: a metadata file of `docker buildx bake`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// A transport and the name of an image in it, in the notation of skopeo and podman (containers-transports(5)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TransportSpec {
    /// `oci:DIR[:REF]`: an OCI image layout.
    Oci {
        /// The directory.
        path: String,
        /// The `org.opencontainers.image.ref.name` to pick, if the layout holds several images.
        reference: Option<String>,
    },
    /// `oci-archive:FILE[:REF]`: an OCI image layout in a tar file.
    OciArchive {
        /// The file.
        path: String,
        /// The `org.opencontainers.image.ref.name` to pick, if the layout holds several images.
        reference: Option<String>,
    },
    /// `docker-archive:FILE[:REF]`: a file that `docker save` wrote.
    DockerArchive {
        /// The file.
        path: String,
        /// The name to pick, if the file holds several images: `NAME[:TAG]`, or `@N` by position.
        reference: Option<String>,
    },
    /// `dir:DIR`: a directory that `skopeo copy … dir:DIR` or `podman save --format docker-dir` wrote.
    Dir {
        /// The directory.
        path: String,
    },
    /// `docker-daemon:NAME[:TAG]` or `docker-daemon:sha256:ID`: an image in the store of a Docker Engine, or of an engine that
    /// speaks its API.
    DockerDaemon {
        /// The name or id, as the engine accepts it.
        image: String,
    },
    /// `containers-storage:NAME[:TAG]`: an image in the store of podman, buildah and skopeo.
    ContainersStorage {
        /// The text in brackets before the name, `[DRIVER@]ROOT`, if another store than the user's own is meant.
        store: Option<String>,
        /// The name, digest or id of the image.
        image: String,
    },
    /// `docker://HOST/REPOSITORY[:TAG][@DIGEST]`: an image in a registry.
    Docker(RemoteReference),
}

/// The reason why a text is not a source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SourceSpecError {
    reason: String,
    /// The text that was probably meant.
    pub suggestion: Option<String>,
}

/// The forms of the transports, for people.
pub const TRANSPORT_FORMS: &str = "`oci:DIR[:REF]`, `oci-archive:FILE[:REF]`, `docker-archive:FILE[:REF]`, `dir:DIR`, \
                                   `docker-daemon:NAME[:TAG]`, `containers-storage:NAME[:TAG]` or \
                                   `docker://HOST/REPOSITORY[:TAG][@DIGEST]`";

impl SourceSpec {
    /// Returns every transport that the source names.
    pub fn transports(&self) -> Vec<&TransportSpec> {
        match self {
            Self::One(spec) => vec![spec],
            Self::Several(list) => list.iter().collect(),
            Self::Digests(folder) => vec![&folder.from],
            Self::Platforms(table) => table.values().collect(),
        }
    }

    /// Returns the images in registries that the source names; for a folder of digests, the repository.
    pub fn remotes(&self) -> impl Iterator<Item = &RemoteReference> {
        self.transports().into_iter().filter_map(|spec| match spec {
            TransportSpec::Docker(image) => Some(image),
            _ => None,
        })
    }
}

impl TransportSpec {
    /// The file or directory that the source names; `None` if it names an image in a store or a registry, or the standard input.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::OciArchive { path, .. } | Self::DockerArchive { path, .. } if path == STANDARD_INPUT => {
                None
            }
            Self::Oci { path, .. }
            | Self::OciArchive { path, .. }
            | Self::DockerArchive { path, .. }
            | Self::Dir { path } => Some(path),
            Self::DockerDaemon { .. } | Self::ContainersStorage { .. } | Self::Docker(_) => None,
        }
    }
}

impl FromStr for TransportSpec {
    type Err = SourceSpecError;

    fn from_str(text: &str) -> Result<Self, SourceSpecError> {
        let error = |reason: String, suggestion: Option<String>| Err(SourceSpecError { reason, suggestion });
        let Some((transport, rest)) = text.split_once(':') else {
            let reason = format!("`{text}` names no transport: expected {TRANSPORT_FORMS}");
            return error(reason, meant_by(text));
        };
        match transport {
            "oci" | "oci-archive" | "docker-archive" => match rest.strip_prefix("//").and_then(image_named) {
                Some(image) => error(
                    format!("`{text}` names an image in a registry, but `{transport}:` reads a file"),
                    Some(format!("docker://{image}")),
                ),
                None => file(transport, rest),
            },
            "dir" if rest.is_empty() => error("`dir:` needs a path".to_owned(), None),
            "dir" => Ok(Self::Dir { path: rest.to_owned() }),
            "containers-storage" => stored(text, rest),
            "docker-daemon" if rest.is_empty() => {
                error("`docker-daemon:` needs the name of an image".to_owned(), None)
            }
            "docker-daemon" => match rest.strip_prefix("//") {
                Some(name) => error(
                    format!("`{text}` has slashes after `docker-daemon:`"),
                    Some(format!("docker-daemon:{name}")),
                ),
                None => Ok(Self::DockerDaemon { image: rest.to_owned() }),
            },
            "docker" => {
                let Some(name) = rest.strip_prefix("//") else {
                    return error(
                        format!("`{text}` lacks the slashes of `docker://`"),
                        Some(format!("docker://{rest}")),
                    );
                };
                name.parse().map(Self::Docker).map_err(|inner: oci_registry::remote::RemoteReferenceError| {
                    let suggestion = inner.suggestion.as_ref().map(|name| format!("docker://{name}"));
                    SourceSpecError { reason: inner.to_string(), suggestion }
                })
            }
            _ if transport.contains(['/', '.']) || is_tagged_name(text) => {
                error(format!("`{text}` names no transport: expected {TRANSPORT_FORMS}"), meant_by(text))
            }
            _ => {
                error(format!("`{transport}` is not a transport: expected {TRANSPORT_FORMS}"), meant_by(text))
            }
        }
    }
}

/// Parses a transport that names a file or directory.
fn file(transport: &str, rest: &str) -> Result<TransportSpec, SourceSpecError> {
    let error = |reason: String, suggestion: Option<String>| Err(SourceSpecError { reason, suggestion });
    let (path, reference) = match rest.split_once(':') {
        Some((path, reference)) => (path, Some(reference)),
        None => (rest, None),
    };
    if path.is_empty() {
        return error(format!("`{transport}:` needs a path"), None);
    }
    if reference == Some("") {
        return error(
            format!("`{transport}:{rest}` ends in `:` without a reference"),
            Some(format!("{transport}:{path}")),
        );
    }
    let (path, reference) = (path.to_owned(), reference.map(str::to_owned));
    Ok(match transport {
        "oci" => TransportSpec::Oci { path, reference },
        "oci-archive" => TransportSpec::OciArchive { path, reference },
        _ => TransportSpec::DockerArchive { path, reference },
    })
}

/// Parses the text after `containers-storage:`.
fn stored(text: &str, rest: &str) -> Result<TransportSpec, SourceSpecError> {
    let error = |reason: String, suggestion: Option<String>| Err(SourceSpecError { reason, suggestion });
    let (store, image) = match rest.strip_prefix('[').map(|inner| inner.split_once(']')) {
        None => (None, rest),
        Some(Some((store, image))) if !store.is_empty() => (Some(store.to_owned()), image),
        Some(_) => {
            let reason = format!("`{text}` has no store in its brackets: expected `[DRIVER@ROOT]NAME`");
            return error(reason, None);
        }
    };
    if image.is_empty() {
        return error("`containers-storage:` needs the name of an image".to_owned(), None);
    }
    match image.strip_prefix("//") {
        Some(name) => error(
            format!("`{text}` has slashes after `containers-storage:`"),
            Some(TransportSpec::ContainersStorage { store, image: name.to_owned() }.to_string()),
        ),
        None => Ok(TransportSpec::ContainersStorage { store, image: image.to_owned() }),
    }
}

impl fmt::Display for TransportSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (transport, path, reference) = match self {
            Self::Oci { path, reference } => ("oci", path, reference),
            Self::OciArchive { path, reference } => ("oci-archive", path, reference),
            Self::DockerArchive { path, reference } => ("docker-archive", path, reference),
            Self::Dir { path } => return write!(f, "dir:{path}"),
            Self::DockerDaemon { image } => return write!(f, "docker-daemon:{image}"),
            Self::ContainersStorage { store: Some(store), image } => {
                return write!(f, "containers-storage:[{store}]{image}");
            }
            Self::ContainersStorage { store: None, image } => return write!(f, "containers-storage:{image}"),
            Self::Docker(reference) => return write!(f, "docker://{reference}"),
        };
        write!(f, "{transport}:{path}")?;
        match reference {
            Some(reference) => write!(f, ":{reference}"),
            None => Ok(()),
        }
    }
}

impl TryFrom<String> for TransportSpec {
    type Error = SourceSpecError;

    fn try_from(text: String) -> Result<Self, SourceSpecError> {
        text.parse()
    }
}

impl From<TransportSpec> for String {
    fn from(spec: TransportSpec) -> Self {
        spec.to_string()
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for TransportSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Transport".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": TRANSPORT_FORMS
        })
    }
}

impl fmt::Display for SourceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(spec) => spec.fmt(f),
            Self::Several(list) => {
                for (position, spec) in list.iter().enumerate() {
                    let separator = if position == 0 { "" } else { ", " };
                    write!(f, "{separator}{spec}")?;
                }
                Ok(())
            }
            Self::Digests(DigestFolder { digests, from, target: None }) => {
                write!(f, "the digests in {digests} of {from}")
            }
            Self::Digests(DigestFolder { digests, from, target: Some(target) }) => {
                write!(f, "the digest of {target} in {digests} of {from}")
            }
            Self::Platforms(table) => {
                for (position, (platform, spec)) in table.iter().enumerate() {
                    let separator = if position == 0 { "" } else { ", " };
                    write!(f, "{separator}{platform} = {spec}")?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_transport_parses_again() {
        for text in [
            "oci:dist/a",
            "oci:dist/a:v1",
            "oci-archive:a.tar",
            "oci-archive:a.tar:x:y",
            "docker-archive:a.tar:app:v1",
            "oci-archive:-",
            "dir:dist/a:b",
            "docker-daemon:app:v1",
            "containers-storage:localhost/app:v1",
            "containers-storage:[overlay@/srv/store+/run/store]app",
            "docker://ghcr.io/a/b:v1",
        ] {
            assert_eq!(text.parse::<TransportSpec>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn errors_suggest_the_transport_that_was_meant() {
        let suggestion = |text: &str| text.parse::<TransportSpec>().expect_err(text).suggestion;
        let hex = "a".repeat(64);
        for (text, meant) in [
            ("oci:a:", Some("oci:a")),
            ("docker:ghcr.io/a/b", Some("docker://ghcr.io/a/b")),
            ("docker-daemon://a", Some("docker-daemon:a")),
            ("containers-storage://localhost/a", Some("containers-storage:localhost/a")),
            ("containers-storage:[a]//b", Some("containers-storage:[a]b")),
            ("docker://ghcr.io/A/b", Some("docker://ghcr.io/a/b")),
            ("oci://ghcr.io/a/b:1", Some("docker://ghcr.io/a/b:1")),
            (&format!("ghcr.io/a/b@sha256:{hex}"), Some(&*format!("docker://ghcr.io/a/b@sha256:{hex}"))),
            ("oci:", None),
            ("dir:", None),
            ("containers-storage:", None),
            ("containers-storage:[]a", None),
            ("containers-storage:[/srv", None),
        ] {
            assert_eq!(suggestion(text).as_deref(), meant, "{text}");
        }
    }
}
