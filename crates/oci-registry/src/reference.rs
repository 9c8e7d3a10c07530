//! The names of registries, of repositories in them, and of manifests in repositories.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use crate::endpoint::{CredentialVariables, RegistryEndpoint};

use crate::digest::Digest;
use crate::tag::Tag;

/// The path of a repository in a registry: `colliery-io/brokkr-broker`. It is in lower case, as
/// distribution-spec 1.1, "Pulling manifests", requires.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepositoryName(String);

/// The reason why a text is not the name of a repository or registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct ReferenceError {
    reason: String,
    /// The text that was probably meant.
    pub suggestion: Option<String>,
}

impl RepositoryName {
    /// The text of the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns this name below `namespace`.
    #[must_use]
    pub fn below(&self, namespace: Option<&Self>) -> Self {
        match namespace {
            Some(namespace) => Self(format!("{namespace}/{self}")),
            None => self.clone(),
        }
    }
}

/// Whether `text` is a path component: `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
fn is_component(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators = text.split(alphanumeric).filter(|separator| !separator.is_empty());
    text.starts_with(alphanumeric)
        && text.ends_with(alphanumeric)
        && separators
            .into_iter()
            .all(|separator| matches!(separator, "." | "_" | "__") || separator.chars().all(|c| c == '-'))
}

impl FromStr for RepositoryName {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        // Clients limit a name and its host to 255 characters (distribution-spec 1.1, same section).
        if !text.is_empty() && text.len() <= 255 && text.split('/').all(is_component) {
            return Ok(Self(text.to_owned()));
        }
        let lower = text.to_lowercase();
        let suggestion = (lower != text && lower.split('/').all(is_component)).then_some(lower);
        Err(ReferenceError {
            reason: format!(
                "`{text}` is not a repository name: expected lower-case letters and digits, with `.`, `_`, `-` between them and `/` between parts"
            ),
            suggestion,
        })
    }
}

impl TryFrom<String> for RepositoryName {
    type Error = ReferenceError;

    fn try_from(text: String) -> Result<Self, ReferenceError> {
        text.parse()
    }
}

impl From<RepositoryName> for String {
    fn from(name: RepositoryName) -> Self {
        name.0
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for RepositoryName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RepositoryName".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "The path of a repository in its registry." })
    }
}

/// The location of a registry: a host that speaks HTTP, or a directory.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum RegistryLocation {
    /// `host[:port][/namespace]`.
    Http {
        /// The host, with the port if one was given, in lower case.
        host: String,
        /// The namespace that the name of every repository starts with.
        namespace: Option<RepositoryName>,
    },
    /// `oci:DIR`: one OCI image layout for each repository.
    Directory {
        /// The directory, as written: relative to the folder of the declaration.
        path: String,
    },
}

impl RegistryLocation {
    /// The full name of `repository` here, for people: `ghcr.io/colliery-io/brokkr-broker`.
    pub fn full_name(&self, repository: &RepositoryName) -> String {
        match self {
            Self::Http { host, .. } => format!("{host}/{repository}"),
            Self::Directory { path } => format!("oci:{}/{repository}", path.trim_end_matches('/')),
        }
    }

    /// Returns a text that identifies `repository` here. It is the same for all names of a registry. It is for comparing, not for
    /// people.
    pub fn identity(&self, repository: &RepositoryName) -> String {
        match self {
            Self::Http { host, .. } => {
                let bare = is_docker_hub(split_port(host).0) && !repository.0.contains('/');
                format!("{}/{}{repository}", self.host(), if bare { "library/" } else { "" })
            }
            Self::Directory { path } => {
                let mut parts: Vec<&str> = Vec::new();
                for part in path.split('/').enumerate().filter(|(at, part)| *at == 0 || !part.is_empty()) {
                    match part.1 {
                        "." => {}
                        ".." if parts.last().is_some_and(|last| !matches!(*last, ".." | "")) => {
                            parts.pop();
                        }
                        part => parts.push(part),
                    }
                }
                format!("oci:{}/{repository}", parts.join("/"))
            }
        }
    }

    /// Returns the name of the repository that is declared as `name`, with the namespace of the registry in front.
    pub fn repository(&self, name: &RepositoryName) -> RepositoryName {
        match self {
            Self::Http { namespace, .. } => name.below(namespace.as_ref()),
            Self::Directory { .. } => name.clone(),
        }
    }

    /// Returns the host or directory, within which blobs can be mounted. It is the same for all names of a registry. It is for
    /// comparing, not for people.
    pub fn host(&self) -> String {
        match self {
            Self::Http { host, .. } => match split_port(host) {
                (name, port) if is_docker_hub(name) => format!("docker.io:{port}"),
                ("127.0.0.1" | "[::1]", port) => format!("localhost:{port}"),
                (name, port) => format!("{name}:{port}"),
            },
            directory @ Self::Directory { .. } => directory.to_string(),
        }
    }

    /// Whether the host is this machine, which may speak plain HTTP without being declared insecure.
    pub fn is_loopback(&self) -> bool {
        let Self::Http { host, .. } = self else { return false };
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        name == "localhost"
            || name.ends_with(".localhost")
            || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl FromStr for RegistryLocation {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let error = |reason: String, suggestion: Option<String>| Err(ReferenceError { reason, suggestion });
        if let Some(path) = text.strip_prefix("oci:") {
            if path.is_empty() {
                return error("`oci:` needs a directory".to_owned(), Some("oci:dist/registry".to_owned()));
            }
            return Ok(Self::Directory { path: path.to_owned() });
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            return error(
                format!("`{scheme}://` does not belong here: expected `host[:port][/namespace]`"),
                Some(rest.trim_end_matches('/').to_owned()),
            );
        }
        if text.contains('@') {
            return error(
                "the address of a registry cannot contain credentials: expected `host[:port][/namespace]`"
                    .to_owned(),
                None,
            );
        }
        let (host, namespace) = match text.split_once('/') {
            Some((host, namespace)) => (host, Some(namespace)),
            None => (text, None),
        };
        if !is_host(host) {
            return error(
                format!(
                    "`{host}` is not a host: expected `host[:port][/namespace]`, or `oci:DIR` for a directory"
                ),
                None,
            );
        }
        let namespace = match namespace {
            None => None,
            Some("") => return error(format!("`{text}` ends in `/`"), Some(host.to_owned())),
            Some(namespace) => match namespace.trim_end_matches('/').parse::<RepositoryName>() {
                Ok(namespace) => Some(namespace),
                Err(inner) => {
                    return error(
                        inner.reason,
                        inner.suggestion.map(|namespace| format!("{host}/{namespace}")),
                    );
                }
            },
        };
        Ok(Self::Http { host: host.to_ascii_lowercase(), namespace })
    }
}

/// The name and the port of a host. The port is that of https if none is given.
fn split_port(host: &str) -> (&str, &str) {
    host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).unwrap_or((host, "443"))
}

/// Whether `name`, a host without a port, is a name of Docker Hub in references and credential files. Its API is at
/// `registry-1.docker.io`.
pub fn is_docker_hub(name: &str) -> bool {
    matches!(name, "docker.io" | "index.docker.io" | "registry-1.docker.io" | "registry.hub.docker.com")
}

/// Whether `text` is `name[:port]`, `address[:port]` or `[v6]:port`.
fn is_host(text: &str) -> bool {
    let (name, port) = if let Some(rest) = text.strip_prefix('[') {
        let Some((address, after)) = rest.split_once(']') else { return false };
        if address.parse::<std::net::Ipv6Addr>().is_err() {
            return false;
        }
        ("v6", after.strip_prefix(':').or((!after.is_empty()).then_some("no port")))
    } else {
        match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        }
    };
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    name.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

impl TryFrom<String> for RegistryLocation {
    type Error = ReferenceError;

    fn try_from(text: String) -> Result<Self, ReferenceError> {
        text.parse()
    }
}

impl From<RegistryLocation> for String {
    fn from(location: RegistryLocation) -> Self {
        location.to_string()
    }
}

impl fmt::Display for RegistryLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { host, namespace: Some(namespace) } => write!(f, "{host}/{namespace}"),
            Self::Http { host, namespace: None } => f.write_str(host),
            Self::Directory { path } => write!(f, "oci:{path}"),
        }
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for RegistryLocation {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RegistryLocation".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "`host[:port][/namespace]`, or `oci:DIR`." })
    }
}

/// The name of a manifest in a repository: a tag, which can move, or a digest, which is fixed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TagOrDigest {
    /// By tag.
    Tag(Tag),
    /// By digest.
    Digest(Digest),
}

impl fmt::Display for TagOrDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

impl From<Tag> for TagOrDigest {
    fn from(tag: Tag) -> Self {
        Self::Tag(tag)
    }
}

impl From<Digest> for TagOrDigest {
    fn from(digest: Digest) -> Self {
        Self::Digest(digest)
    }
}

#[cfg(test)]
#[path = "reference_tests.rs"]
mod tests;
