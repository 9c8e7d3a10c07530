//! The source of an image, as declared: a transport and the name of an image in it, several of these, or a table of these
//! by platform.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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

/// Images that a build pushed by digest, one for each platform. The build left their digests in files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DigestFolder {
    /// The folder of files named by digest: `HEX` or `sha256:HEX`.
    pub digests: String,
    /// The repository that they were pushed to: `docker://REPOSITORY`.
    pub from: TransportSpec,
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
    /// `docker-daemon:NAME[:TAG]` or `docker-daemon:sha256:ID`: an image in the store of a Docker Engine, or of an engine that
    /// speaks its API.
    DockerDaemon {
        /// The name or id, as the engine accepts it.
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

/// The known transports, as they are written.
const TRANSPORTS: [&str; 5] = ["oci", "oci-archive", "docker-archive", "docker-daemon", "docker"];

/// The forms of the transports, for people.
pub const TRANSPORT_FORMS: &str = "`oci:DIR[:REF]`, `oci-archive:FILE[:REF]`, `docker-archive:FILE[:REF]`, \
                                   `docker-daemon:NAME[:TAG]` or `docker://HOST/REPOSITORY[:TAG][@DIGEST]`";

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

impl FromStr for TransportSpec {
    type Err = SourceSpecError;

    fn from_str(text: &str) -> Result<Self, SourceSpecError> {
        let error = |reason: String, suggestion: Option<String>| Err(SourceSpecError { reason, suggestion });
        let Some((transport, rest)) = text.split_once(':') else {
            let transport = if std::path::Path::new(text).extension().is_some_and(|it| it == "tar") {
                "oci-archive"
            } else {
                "oci"
            };
            return error(
                format!("`{text}` names no transport: expected {TRANSPORT_FORMS}"),
                Some(format!("{transport}:{text}")),
            );
        };
        match transport {
            "oci" | "oci-archive" | "docker-archive" => file(transport, rest),
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
            _ => {
                let nearest =
                    TRANSPORTS.into_iter().find(|it| strsim::damerau_levenshtein(it, transport) <= 2);
                error(
                    format!("`{transport}` is not a transport: expected {TRANSPORT_FORMS}"),
                    nearest.map(|nearest| format!("{nearest}:{rest}")),
                )
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

impl fmt::Display for TransportSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (transport, path, reference) = match self {
            Self::Oci { path, reference } => ("oci", path, reference),
            Self::OciArchive { path, reference } => ("oci-archive", path, reference),
            Self::DockerArchive { path, reference } => ("docker-archive", path, reference),
            Self::DockerDaemon { image } => return write!(f, "docker-daemon:{image}"),
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
            Self::Digests(DigestFolder { digests, from }) => write!(f, "the digests in {digests} of {from}"),
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
            "docker-daemon:app:v1",
            "docker://ghcr.io/a/b:v1",
        ] {
            assert_eq!(text.parse::<TransportSpec>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn errors_suggest_the_transport_that_was_meant() {
        let suggestion = |text: &str| text.parse::<TransportSpec>().expect_err(text).suggestion;
        assert_eq!(suggestion("dist/a.tar").as_deref(), Some("oci-archive:dist/a.tar"));
        assert_eq!(suggestion("dist/a").as_deref(), Some("oci:dist/a"));
        assert_eq!(suggestion("oci-arhive:a.tar").as_deref(), Some("oci-archive:a.tar"));
        assert_eq!(suggestion("oci:a:").as_deref(), Some("oci:a"));
        assert_eq!(suggestion("docker:ghcr.io/a/b").as_deref(), Some("docker://ghcr.io/a/b"));
        assert_eq!(suggestion("docker-daemon://a").as_deref(), Some("docker-daemon:a"));
        assert_eq!(suggestion("docker://ghcr.io/A/b").as_deref(), Some("docker://ghcr.io/a/b"));
        assert_eq!(suggestion("ftp:a"), None);
        assert_eq!(suggestion("oci:"), None);
    }
}
